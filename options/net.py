"""The flags of the networks, as a frozen dataclass, and what a discriminator's flags come to."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Literal, NamedTuple

from options.errors import UserError
from options.flag import Settings, flag

DISCRIMINATOR = ("netD", "n_layers_D", "patch_size")  # flags that name it together


class Discriminator(NamedTuple):
    """A discriminator's name and its number of layers; 0 for ``pixel``."""

    name: str
    layers: int


PATCHES: Mapping[int, Discriminator] = MappingProxyType(  # by the side of what it sees, in pixels
    {
        1: Discriminator("pixel", 0),
        16: Discriminator("n_layers", 1),
        34: Discriminator("n_layers", 2),
        70: Discriminator("n_layers", 3),
        142: Discriminator("n_layers", 4),
        286: Discriminator("n_layers", 5),
    }
)

_part = partial(flag, scope="networks", fixed=True)  # of networks that exist once a run has begun
_judge = partial(flag, scope="networks")  # fixed as well, but by what the three come to together


@dataclass(frozen=True, kw_only=True)
class NetOptions(Settings):
    """The networks.

    What is built; a test and a resume find these flags in the run. A larger generator can do more and needs more
    memory and time.
    """

    input_nc: int = _part(
        3,
        "channels of the input: 3 colour, 1 gray, 4 with alpha. Any number for TIFF and NPY files with more bands",
        least=1,
    )
    output_nc: int = _part(3, "channels of the output. As --input_nc, for what is made", least=1)
    ngf: int = _part(
        64, "filters in the last layer of the generator. Fewer make it smaller and faster, and able to do less", least=1
    )
    ndf: int = _part(
        64, "filters in the first layer of the discriminator. Fewer make one that is easier to deceive", least=1
    )
    netG: str = _part(
        "resnet_9blocks",
        "generator, such as resnet_9blocks or unet_256. With a number for <N>: resnet_<N>blocks (6 for images of 128 "
        "pixels); unet_<N> for N pixels, which keeps the outlines of pairs; encdec_<N>, that without skips; "
        "adalin_<N>blocks (adalin_4blocks is U-GAT-IT's), for changes of shape; johnson_<N>blocks, small and fast",
        metavar="NAME",
        essential=True,
        aliases=("which_model_netG",),
    )
    netD: str = _judge(
        "basic",
        "discriminator: basic, n_layers or pixel. basic sees 70 pixels a side, pixel judges colours alone",
        metavar="NAME",
        aliases=("which_model_netD",),
        instead_of=("patch_size",),
    )
    n_layers_D: int = _judge(
        3,
        "layers of --netD n_layers. More see more of the image, for large structures",
        least=1,
        instead_of=("patch_size",),
    )
    patch_size: int = _judge(
        0,
        "pixels a side that the discriminator sees, in place of --netD: 1, 16, 34, 70 (basic), 142 or 286. A small "
        "patch is about texture, a large one about shape",
        instead_of=("netD", "n_layers_D"),
    )
    num_D: int = _part(
        1,
        "discriminators of that kind, each sees the images at half the size of the one before. 2 or 3 for images of "
        "512 pixels and more, as in pix2pixHD",
        least=1,
    )
    norm: Literal["instance", "batch", "syncbatch", "none"] = _part(
        "instance",
        "normalisation layer. batch for pix2pix as in the paper; syncbatch shares its statistics between GPUs",
    )
    spectral_norm: Literal["none", "D", "GD"] = _part(
        "none",
        "divide weights by their largest singular value: those of the discriminators, or of all networks. Where a "
        "discriminator becomes too strong, or losses explode",
    )
    upsampling: Literal["transposed", "resize"] = _part(
        "transposed", "how the generator doubles maps. resize, then convolve, where results show checkerboards"
    )
    init_type: Literal["normal", "xavier", "kaiming", "orthogonal"] = _part(
        "normal", "initial weights. Where a training does not get going, xavier is worth a try"
    )
    init_gain: float = _part(
        0.02,
        "scale of the initial weights. 0.02 is DCGAN's; with xavier and orthogonal 1 is usual elsewhere",
        metavar="FACTOR",
        least=0,
    )
    no_dropout: bool = _part(
        False,
        "no dropout in the generator (--dropout: with). Dropout is the only noise that pix2pix has; without, results "
        "are the same every time",
        shorthands={"dropout": False},
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_layers_D != 3 and self.netD != "n_layers":
            raise UserError(
                f"--n_layers_D {self.n_layers_D} has no effect with --netD {self.netD}; add --netD n_layers"
            )
        if self.patch_size and self.patch_size not in PATCHES:
            raise UserError(f"--patch_size {self.patch_size} is none of {', '.join(map(str, PATCHES))}")

    @property
    def discriminator(self) -> Discriminator:
        """Return what ``--netD`` and ``--n_layers_D``, or ``--patch_size``, come to."""
        layers = {"basic": 3, "n_layers": self.n_layers_D}.get(self.netD, 0)
        return PATCHES.get(self.patch_size, Discriminator(self.netD, layers))
