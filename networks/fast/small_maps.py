"""Convolutions of maps of few pixels, as one matrix product: reading the weights takes longer than the arithmetic.

Made of differentiable operations in the type given. Weights are best in channels_last order: nothing is copied then.
"""

from torch import Tensor
from torch.nn import functional as F

from networks.fast.functions import Shape


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None, shape: Shape) -> Tensor:
    """Return what a convolution without groups or dilation makes of N x C x H x W."""
    down, right = shape.padding
    x = F.pad(x.permute(0, 2, 3, 1), (0, 0, right, right, down, down))  # N x H x W x C
    tiles = x.unfold(1, weight.shape[2], shape.stride[0]).unfold(2, weight.shape[3], shape.stride[1])
    n, height, width = tiles.shape[:3]
    patches = tiles.permute(0, 1, 2, 4, 5, 3).reshape(n * height * width, -1)  # pixels x (rows columns C)
    taps = weight.permute(0, 2, 3, 1).flatten(1)  # K x (rows columns C)
    return F.linear(patches, taps, bias).view(n, height, width, -1).permute(0, 3, 1, 2)


def convolve_transposed(x: Tensor, weight: Tensor, bias: Tensor | None, shape: Shape) -> Tensor:
    """Return what a transposed convolution without groups or dilation makes of N x C x H x W."""
    n, c, height, width = x.shape
    k, rows, columns = weight.shape[1:]
    down, right = shape.padding
    size = (
        (height - 1) * shape.stride[0] - 2 * down + rows + shape.output_padding[0],
        (width - 1) * shape.stride[1] - 2 * right + columns + shape.output_padding[1],
    )
    taps = weight.permute(0, 2, 3, 1).flatten(1)  # C x (rows columns K)
    patches = x.permute(0, 2, 3, 1).reshape(-1, c) @ taps
    patches = patches.view(n, height * width, rows * columns, k).permute(0, 3, 2, 1).flatten(1, 2)
    y = F.fold(patches, size, (rows, columns), padding=(down, right), stride=(shape.stride[0], shape.stride[1]))
    return y if bias is None else y + bias[:, None, None]
