"""Patches of an image as vectors, read inside a residual generator (Park et al. 2020, section 3, appendix).

``Encoder`` yields feature maps of the generator, ``read_patches`` reads them at random points, and ``PatchSampler`` (F)
makes vectors of length 1 of what is read. Which loss compares them is not said here.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from networks.any_size import AnySizeGenerator, padded
from networks.resnet import ResnetBlock
from options.errors import UserError

SMALL = 1e-7  # added to a length, as in the official code: the first vectors are about 1e-5 long


class Encoder:
    """The layers of a generator up to the last at which patches are read. It shares them, and owns nothing.

    Args:
        layers: places in ``generator.model``; none: those of the paper. A norm is read behind its rectifier, because
            that works in place, or in one with the norm.

    Attributes:
        layers: in ascending order.
        widths: channels of the maps there.

    Raises:
        UserError: the generator has no residual blocks, or no such layer.
    """

    def __init__(self, generator: nn.Module, layers: Sequence[int] = ()) -> None:
        if not isinstance(generator, AnySizeGenerator) or not _blocks(generator.model):
            raise UserError("patches are read in generators of residual blocks alone; pass --netG resnet_9blocks")
        self._generator, trunk = generator, list(generator.model.children())
        if unknown := [layer for layer in layers if layer >= len(trunk)]:
            raise UserError(f"--nce_layers {unknown[0]}: the generator has the layers 0 to {len(trunk) - 1}")
        chosen = layers or paper_layers(generator.model)
        self.layers = tuple(sorted({_behind_rectifier(trunk, layer) for layer in chosen}))
        widths = _widths(generator.model)
        self.widths = [widths[layer] for layer in self.layers]

    def maps(self, images: Tensor) -> Iterator[Tensor]:
        """Yield the maps of N x C x H x W one by one; what comes next may overwrite one."""
        x = padded(images, self._generator.pads_to, self._generator.least)
        for place, layer in enumerate(self._generator.model.children()):
            x = layer(x)
            if place in self.layers:
                yield x
            if place == self.layers[-1]:
                return


def paper_layers(trunk: nn.Module) -> tuple[int, ...]:
    """Return where the paper reads: padded pixels, both convolutions that halve, the first and the fifth block.

    Where there are fewer blocks, the last of them.
    """
    halving = [place for place, layer in enumerate(trunk.children()) if getattr(layer, "stride", 1) == (2, 2)][:2]
    blocks = _blocks(trunk)[:5]
    return (0, *halving, *dict.fromkeys([blocks[0], blocks[-1]]))


class PatchSampler(nn.ModuleDict):
    """F: for each map that patches are read from, a perceptron of two layers, then vectors of length 1.

    Its weights have the official names, ``mlp_0.0.weight`` ...

    Args:
        widths: channels of the maps.
        nc: units of both layers.
    """

    def __init__(self, widths: Sequence[int], nc: int) -> None:
        layers = ([nn.Linear(width, nc), nn.ReLU(), nn.Linear(nc, nc)] for width in widths)
        super().__init__({f"mlp_{number}": nn.Sequential(*three) for number, three in enumerate(layers)})

    def forward(self, patches: Tensor, number: int) -> Tensor:
        """Turn N x P x C, of one of the maps, into N x P x nc."""
        with full_precision(patches):
            return unit_length(self[f"mlp_{number}"](patches))


def unit_length(patches: Tensor) -> Tensor:
    """Scale vectors, the last dimension, to length 1."""
    lengths: Tensor = torch.linalg.vector_norm(patches, dim=-1, keepdim=True)
    return patches / (lengths + SMALL)


def draw_places(features: Tensor, count: int) -> Tensor:
    """Draw different points of N x C x H x W, each ``row * W + column``; all points where there are no more."""
    points = features.shape[2] * features.shape[3]
    return torch.randperm(points, device=features.device)[:count]


def read_patches(features: Tensor, places: Tensor, mirrored: Tensor | None = None) -> Tensor:
    """Return the vectors at points of N x C x H x W, the same in all images, in at least float32: N x P x C.

    Args:
        places: as ``draw_places`` returns them.
        mirrored: N x 1 x 1 x 1, true for maps to be read as if turned over, left to right.
    """
    width = features.shape[3]
    rows, columns = places // width, (places % width).expand(len(features), -1)  # P, N x P
    if mirrored is not None:
        columns = torch.where(mirrored[:, 0, 0], width - 1 - columns, columns)
    images = torch.arange(len(features), device=features.device)[:, None]
    patches = features[images, :, rows, columns]  # this way of indexing keeps no map: the next layer may overwrite it
    return patches if patches.dtype == torch.float64 else patches.float()


def full_precision(like: Tensor) -> AbstractContextManager[object]:
    """Return what keeps the type of ``--precision`` out of a computation beside a tensor."""
    return nullcontext() if like.device.type == "meta" else torch.autocast(like.device.type, enabled=False)


def _blocks(trunk: nn.Module) -> list[int]:
    return [place for place, layer in enumerate(trunk.children()) if isinstance(layer, ResnetBlock)]


def _widths(trunk: nn.Module) -> list[int]:
    """Return the channels behind every layer."""
    first = next(layer for layer in trunk.modules() if isinstance(layer, nn.Conv2d))
    widths = [first.in_channels]
    for layer in trunk.children():
        made = [part.out_channels for part in layer.modules() if isinstance(part, nn.Conv2d | nn.ConvTranspose2d)]
        widths.append(made[-1] if made else widths[-1])
    return widths[1:]


def _behind_rectifier(trunk: Sequence[nn.Module], layer: int) -> int:
    """Return the place of the rectifier right behind a norm; of any other layer its own."""
    is_norm = isinstance(trunk[layer], nn.InstanceNorm2d | nn.BatchNorm2d | nn.SyncBatchNorm)
    return layer + 1 if is_norm and isinstance(trunk[layer + 1], nn.ReLU) else layer
