"""The table of generators: each is a line here, and one in ``networks.recognise`` to know its files by."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from networks.adalin import AdaLINGenerator
from networks.any_size import AnySizeGenerator
from networks.encdec import EncoderDecoder
from networks.johnson import JohnsonGenerator
from networks.resnet import ResnetGenerator
from networks.unet import UnetGenerator
from options.errors import UserError
from options.schema import NetOptions
from util.registry import Registry, did_you_mean

SMALLEST = 32  # pixels a side of what becomes one point
Build = Callable[[int, NetOptions, int, int], AnySizeGenerator]


@dataclass(frozen=True)
class GeneratorKind:
    """Generators that differ in a number, which their names contain.

    Attributes:
        build: makes one of the number, the flags and the channels of input and output; weights are not initialised.
        about: what it is and whose, in a few words.
        usual: the numbers in use, the best known first.
        does_without: flags that have no effect on it.
        recomputable: its blocks can be computed a second time instead of remembered, ``networks.resnet``.
    """

    build: Build
    about: str
    usual: tuple[int, ...]
    does_without: tuple[str, ...] = ()
    recomputable: bool = False


def _blocks(make: Callable[..., AnySizeGenerator]) -> Build:
    return lambda number, opt, *channels: make(*channels, blocks=number, **_flags(opt))


def _halvings(make: Callable[..., AnySizeGenerator]) -> Build:
    return lambda number, opt, *channels: make(*channels, num_downs=number.bit_length() - 1, **_flags(opt))


def _flags(opt: NetOptions) -> dict[str, object]:
    return {"ngf": opt.ngf, "norm": opt.norm, "dropout": not opt.no_dropout, "upsampling": opt.upsampling}


def _adalin(number: int, opt: NetOptions, *channels: int) -> AdaLINGenerator:
    return AdaLINGenerator(*channels, ngf=opt.ngf, blocks=number, dropout=not opt.no_dropout)


# A name ends in "blocks", or N is the side of the image that becomes one point.
GENERATORS: Registry[GeneratorKind] = Registry("generator")
for _name, _kind in {
    "resnet_<N>blocks": GeneratorKind(_blocks(ResnetGenerator), "ResNet (CycleGAN)", (9, 6), recomputable=True),
    "unet_<N>": GeneratorKind(_halvings(UnetGenerator), "U-Net (pix2pix)", (256, 128)),
    "encdec_<N>": GeneratorKind(_halvings(EncoderDecoder), "a U-Net without skips (pix2pix)", (256,)),
    "adalin_<N>blocks": GeneratorKind(
        _adalin, "N blocks, then N with AdaLIN (U-GAT-IT)", (4,), ("upsampling",), recomputable=True
    ),
    "johnson_<N>blocks": GeneratorKind(
        _blocks(JohnsonGenerator), "Johnson et al.'s, blocks without padding", (5,), recomputable=True
    ),
}.items():
    GENERATORS.register(_name)(_kind)


def generator_family(name: str) -> tuple[str, int]:
    """Split a generator's name: ``resnet_9blocks`` is ("resnet", 9), ``unet_256`` is ("unet", 256).

    Raises:
        UserError: no such generator.
    """
    pattern, number = _found(name)
    return pattern.split("_<N>")[0], number


def generator_kind(name: str) -> GeneratorKind:
    """Return the line of the table that a generator's name belongs to.

    Raises:
        UserError: no such generator.
    """
    return GENERATORS[_found(name)[0]]


def named_generators() -> Iterator[str]:
    """Yield the names in use, such as ``unet_256``."""
    for pattern in GENERATORS:
        yield from (pattern.replace("<N>", str(number)) for number in GENERATORS[pattern].usual)


def _found(name: str) -> tuple[str, int]:
    """Return the pattern that fits a name, and the number in the name."""
    for pattern in GENERATORS:
        if match := re.fullmatch(pattern.replace("<N>", r"(0|[1-9]\d*)"), name):
            _check(name, pattern, int(match[1]))
            return pattern, int(match[1])
    known = ", ".join(GENERATORS)
    raise UserError(f"unknown generator {name!r}{did_you_mean(name, named_generators())}; known: {known}")


def _check(name: str, pattern: str, number: int) -> None:
    example = pattern.replace("<N>", str(GENERATORS[pattern].usual[0]))
    if pattern.endswith("blocks"):
        if number == 0:
            raise UserError(f"--netG {name}: it needs a block at least; pass --netG {example}, for example")
    elif number < SMALLEST or number & (number - 1):
        raise UserError(f"--netG {name}: the size is a power of two from {SMALLEST}, such as {example}")
