"""Networks by name: ``resnet_9blocks``, ``unet_256``, ``basic`` ..."""

import re
from collections.abc import Callable

from torch import nn

from networks.encdec import EncoderDecoder
from networks.init import init_weights
from networks.patchgan import PatchDiscriminator, PixelDiscriminator
from networks.resnet import ResnetGenerator
from networks.unet import UnetGenerator
from options.errors import UserError
from options.schema import NetOptions
from util.registry import Registry, did_you_mean

NAMED_GENERATORS = ("resnet_9blocks", "resnet_6blocks", "unet_256", "unet_128", "encdec_256")
SMALLEST_UNET = 32
DISCRIMINATORS: Registry[Callable[[int, NetOptions], nn.Module]] = Registry("discriminator")


def generator_family(name: str) -> tuple[str, int]:
    """Split a generator's name: ``resnet_9blocks`` is ("resnet", 9), ``unet_256`` is ("unet", 256).

    Raises:
        UserError: no such generator.
    """
    if match := re.fullmatch(r"resnet_([1-9]\d*)blocks", name):
        return "resnet", int(match[1])
    if match := re.fullmatch(r"(unet|encdec)_(\d+)", name):
        family, size = match[1], int(match[2])
        if size < SMALLEST_UNET or size & (size - 1):
            raise UserError(f"--netG {name}: the size is a power of two from {SMALLEST_UNET}, such as {family}_256")
        return family, size
    raise UserError(
        f"unknown generator {name!r}{did_you_mean(name, NAMED_GENERATORS)}; known: resnet_<N>blocks, "
        "unet_<N>, encdec_<N> (N a power of two)"
    )


def check_network_names(generator: str, discriminator: str) -> None:
    """Raise ``UserError`` if either network does not exist."""
    generator_family(generator)
    DISCRIMINATORS[discriminator]


def smallest_input(opt: NetOptions) -> int:
    """Return the least side of an image, in pixels, from which the discriminator's last maps do not vanish."""
    layers = opt.discriminator.layers
    return 3 * 2**layers if layers else 1 + (opt.norm != "none")  # norms need more than one pixel


def build_generator(opt: NetOptions, input_nc: int, output_nc: int) -> nn.Module:
    """Build an initialised generator between the given numbers of channels."""
    family, number = generator_family(opt.netG)
    dropout = not opt.no_dropout
    net: nn.Module
    if family == "resnet":
        net = ResnetGenerator(input_nc, output_nc, ngf=opt.ngf, blocks=number, norm=opt.norm, dropout=dropout)
    else:
        build = UnetGenerator if family == "unet" else EncoderDecoder
        downs = number.bit_length() - 1
        net = build(input_nc, output_nc, ngf=opt.ngf, num_downs=downs, norm=opt.norm, dropout=dropout)
    init_weights(net, opt.init_type, opt.init_gain)
    return net


def build_discriminator(opt: NetOptions, input_nc: int) -> nn.Module:
    """Build an initialised discriminator that sees ``input_nc`` channels."""
    net = DISCRIMINATORS[opt.discriminator.name](input_nc, opt)
    init_weights(net, opt.init_type, opt.init_gain)
    return net


def _patches(input_nc: int, opt: NetOptions) -> nn.Module:
    return PatchDiscriminator(input_nc, ndf=opt.ndf, n_layers=opt.discriminator.layers, norm=opt.norm)


DISCRIMINATORS.register("basic")(_patches)
DISCRIMINATORS.register("n_layers")(_patches)


@DISCRIMINATORS.register("pixel")
def _pixel(input_nc: int, opt: NetOptions) -> nn.Module:
    return PixelDiscriminator(input_nc, ndf=opt.ndf, norm=opt.norm)
