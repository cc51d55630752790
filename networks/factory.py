"""Networks by name: ``resnet_9blocks``, ``unet_256``, ``basic`` ..."""

from collections.abc import Callable

from torch import nn

from networks.generators import generator_family as generator_family
from networks.generators import generator_kind
from networks.init import init_weights
from networks.multiscale import MultiscaleDiscriminator
from networks.patchgan import PatchDiscriminator, PixelDiscriminator
from networks.spectral import normalise_spectra
from options.schema import NetOptions
from util.registry import Registry

DISCRIMINATORS: Registry[Callable[[int, NetOptions], nn.Module]] = Registry("discriminator")


def check_network_names(generator: str, discriminator: str) -> None:
    """Raise ``UserError`` if either network does not exist."""
    generator_kind(generator)
    DISCRIMINATORS[discriminator]


def smallest_input(opt: NetOptions) -> int:
    """Return the least side of an image, in pixels, from which the discriminators' last maps do not vanish."""
    layers = opt.discriminator.layers
    least = 3 * 2**layers if layers else 1 + (opt.norm != "none")  # norms need more than one pixel
    for _ in range(opt.num_D - 1):
        least = 2 * least - 1  # halving rounds up
    return least


def build_generator(opt: NetOptions, input_nc: int, output_nc: int) -> nn.Module:
    """Build an initialised generator between the given numbers of channels.

    Raises:
        UserError: no such generator, or not with these flags.
    """
    net = generator_kind(opt.netG).build(generator_family(opt.netG)[1], opt, input_nc, output_nc)
    init_weights(net, opt.init_type, opt.init_gain)
    if opt.spectral_norm == "GD":
        normalise_spectra(net)
    return net


def build_discriminator(opt: NetOptions, input_nc: int) -> nn.Module:
    """Build an initialised discriminator, or ``num_D`` at as many scales, that sees ``input_nc`` channels."""
    judges = [DISCRIMINATORS[opt.discriminator.name](input_nc, opt) for _ in range(opt.num_D)]
    net = judges[0] if opt.num_D == 1 else MultiscaleDiscriminator(judges)
    init_weights(net, opt.init_type, opt.init_gain)
    if opt.spectral_norm != "none":
        normalise_spectra(net)
    return net


@DISCRIMINATORS.register("n_layers")
@DISCRIMINATORS.register("basic")  # the first in messages
def _patches(input_nc: int, opt: NetOptions) -> nn.Module:
    return PatchDiscriminator(input_nc, ndf=opt.ndf, n_layers=opt.discriminator.layers, norm=opt.norm)


@DISCRIMINATORS.register("pixel")
def _pixel(input_nc: int, opt: NetOptions) -> nn.Module:
    return PixelDiscriminator(input_nc, ndf=opt.ndf, norm=opt.norm)
