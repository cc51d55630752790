"""What ``python -m data.check`` does: read every file of a data set and say what would spoil a training."""
