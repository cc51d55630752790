"""How many pixels of the input one number of a network's output depends on (Isola et al. 2017, appendix 6.1.2)."""

from torch import nn

from networks.multiscale import TAPS, MultiscaleDiscriminator


def receptive_field(network: nn.Module) -> int:
    """Return the side of the square of pixels that an output sees, for square convolutions one behind the other."""
    side, stride = 1, 1
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            side += (layer.kernel_size[0] - 1) * layer.dilation[0] * stride
            stride *= layer.stride[0]
    return side


def receptive_fields(network: nn.Module) -> list[int]:
    """Return the receptive field of each discriminator in a network, in pixels of the image at its full size."""
    if not isinstance(network, MultiscaleDiscriminator):
        return [receptive_field(network)]
    found, pixel = [], 1  # what a pixel of the image at this scale sees
    for scale, judge in enumerate(network.judges):
        found.append(pixel + (receptive_field(judge) - 1) * 2**scale)
        pixel += (TAPS - 1) * 2**scale
    return found
