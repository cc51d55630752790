"""How decoders double their maps.

A transposed convolution of odd size, or one whose taps have not learned to agree, writes a pattern of period two into
flat areas. Enlarging the map first and convolving then cannot (Odena et al. 2016, "Deconvolution and Checkerboard
Artifacts"). A map that comes from a single point is flat then, so the innermost layer of a U-Net stays transposed.
"""

from torch import nn

from networks.pad import ReflectionPad


def doubling(upsampling: str, c_in: int, c_out: int, *, taps: int, bias: bool) -> nn.Module:
    """Return what makes N x c_out x 2H x 2W of N x c_in x H x W.

    Args:
        upsampling: ``transposed``, or ``resize``: every point four times, then a 3 x 3 convolution.
        taps: a side of the transposed convolution, 3 or 4.
    """
    if upsampling == "transposed":
        return nn.ConvTranspose2d(c_in, c_out, taps, stride=2, padding=1, output_padding=taps % 2, bias=bias)
    return nn.Sequential(nn.Upsample(scale_factor=2), ReflectionPad(1), nn.Conv2d(c_in, c_out, 3, bias=bias))
