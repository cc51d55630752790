"""Layers for the CPU: the same mathematics with fewer multiplications, and less kept for the backward pass."""
