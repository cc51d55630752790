"""Measurements, beside the official code where that is at hand."""
