"""Tar files of samples that are read from front to back."""
