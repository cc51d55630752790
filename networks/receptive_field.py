"""How many pixels of the input one number of a network's output depends on (Isola et al. 2017, appendix 6.1.2)."""

from torch import nn


def receptive_field(network: nn.Module) -> int:
    """Return the side of the square of pixels that an output sees, for square convolutions one behind the other."""
    side, stride = 1, 1
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            side += (layer.kernel_size[0] - 1) * layer.dilation[0] * stride
            stride *= layer.stride[0]
    return side
