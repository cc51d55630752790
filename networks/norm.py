"""Normalisation layers by name, and the rule which convolutions keep a bias."""

from collections.abc import Callable

from torch import nn

NormLayer = Callable[[int], nn.Module]


def _instance(channels: int) -> nn.Module:
    return nn.InstanceNorm2d(channels, affine=False, track_running_stats=False)


def _identity(channels: int) -> nn.Module:
    return nn.Identity()


_LAYERS: dict[str, NormLayer] = {
    "instance": _instance,
    "batch": nn.BatchNorm2d,
    "syncbatch": nn.SyncBatchNorm,
    "none": _identity,
}


def norm_layer(name: str) -> NormLayer:
    """Return what makes a normalisation layer for a number of channels."""
    return _LAYERS[name]


def needs_bias(name: str) -> bool:
    """Tell whether a convolution in front of this norm has a bias.

    Batch norm has its own. With ``none`` the official code leaves the bias out as well, so we do,
    or its files would not load.
    """
    return name == "instance"
