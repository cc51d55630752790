"""Fast layers: the same mathematics in fewer multiplications, fewer passes over memory, and less of it.

``layers`` is for the CPU, with ``functions``, ``winograd`` and ``small_maps``; ``fused`` is for NVIDIA GPUs, with
``triton_norm``.
"""
