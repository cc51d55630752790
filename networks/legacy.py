"""Repairs to the keys of old official checkpoints."""

from collections.abc import Mapping

from torch import Tensor, nn


def without_instance_norm_buffers(weights: Mapping[str, Tensor], net: nn.Module) -> dict[str, Tensor]:
    """Drop the running statistics that instance norms saved before PyTorch 0.4 and never used.

    The downloadable official CycleGAN models carry them.
    """
    stale = {
        f"{name}.{buffer}"
        for name, module in net.named_modules()
        if isinstance(module, nn.InstanceNorm2d)
        for buffer in ("running_mean", "running_var", "num_batches_tracked")
    }
    return {key: value for key, value in weights.items() if key not in stale}
