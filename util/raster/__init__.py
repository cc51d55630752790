"""Images of any depth and number of channels: read, described and written without loss."""
