"""Decoded images that all loading processes share."""
