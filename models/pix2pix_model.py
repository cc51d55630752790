"""pix2pix: translation learned from pairs (Isola et al. 2017): a conditional GAN plus L1.

The losses of the paper's table 1: ``--lambda_GAN 0`` is L1 alone, ``--lambda_L1 0`` is cGAN, ``--no_conditional_D``
makes a GAN of the cGAN.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from data.batch import Batch
from models.base import Loss, Phase, TranslationModel
from models.flag_checks import check_lambdas
from models.losses import discriminator_loss, gan_loss, penalty
from models.registry import MODELS
from networks.factory import build_discriminator, build_generator
from options.errors import UserError
from options.flag import Settings, flag


class Pair(NamedTuple):
    """Input, target and translation, N x C x H x W in [-1, 1]."""

    real_A: Tensor
    real_B: Tensor
    fake_B: Tensor


@dataclass(frozen=True, kw_only=True)
class Pix2PixOptions(Settings):
    """Pix2pix.

    The weights of its losses, and what its discriminator sees.
    """

    lambda_L1: float = flag(
        100.0,
        "weight of the L1 loss. Less makes sharper images, further from the pair",
        metavar="WEIGHT",
        least=0,
        essential=True,
    )
    lambda_GAN: float = flag(
        1.0,
        "weight of the adversarial loss; 0: no discriminator. L1 alone gives blurred images",
        metavar="WEIGHT",
        least=0,
    )
    no_conditional_D: bool = flag(
        False, "the discriminator sees the result alone. Results then need not fit the input", fixed=True
    )


@MODELS.register("pix2pix")
class Pix2PixModel(TranslationModel[Pair]):
    """G makes B from A; D judges A and B together."""

    Flags = Pix2PixOptions
    defaults = {"norm": "batch", "netG": "unet_256", "dataset_mode": "aligned"}
    train_defaults = {"pool_size": 0, "gan_mode": "vanilla"}
    loss_names = ("G_GAN", "G_L1", "D_real", "D_fake")

    def build_networks(self) -> dict[str, nn.Module]:
        """Build G and, for training against one, D."""
        net = self.opt.net
        networks = {"G": build_generator(net, net.input_nc, net.output_nc)}
        if self.is_train and self.own.lambda_GAN:
            given = 0 if self.own.no_conditional_D else net.input_nc
            networks["D"] = build_discriminator(net, given + net.output_nc)
        return networks

    def forward(self, batch: Batch) -> Pair:
        """Translate A."""
        return Pair(batch.A, batch.target, self.networks["G"](batch.A))

    def phases(self) -> list[Phase]:
        """Update D first, then G against the new D."""
        judge = [Phase("D", ("D",), self.loss_D)] if "D" in self.networks else []
        return [*judge, Phase("G", ("G",), self.loss_G)]

    def judged(self, out: Pair, B: Tensor) -> Tensor:
        """Return what D is shown for a real or made B: with A in front, unless ``--no_conditional_D``."""
        return B if self.own.no_conditional_D else torch.cat([out.real_A, B], 1)

    def loss_D(self, out: Pair) -> Loss:
        """Half of: calling the fake pair real, calling the real pair fake."""
        mode, judge = self.opt.optim.gan_mode, self.networks["D"]
        fake = self.judged(out, out.fake_B.detach())
        real = self.judged(out, out.real_B)
        loss = discriminator_loss(mode, judge, real=real, fake=fake, name="D", batched=self.batched, fake_first=True)
        return loss.plus(penalty(mode, judge, real=real, fake=fake, name="D"))

    def loss_G(self, out: Pair) -> Loss:
        """Fool D and stay near the target (equation 4)."""
        parts = {"G_L1": F.l1_loss(out.fake_B, out.real_B) * self.own.lambda_L1}
        if "D" in self.networks:
            verdict = self.networks["D"](self.judged(out, out.fake_B))
            parts["G_GAN"] = gan_loss(self.opt.optim.gan_mode, verdict, real=True) * self.own.lambda_GAN
        return Loss(out.fake_B.new_zeros(()), {}).plus(parts)

    def visuals(self, out: Pair) -> dict[str, Tensor]:
        """Show input, translation, target."""
        return {"real_A": out.real_A, "fake_B": out.fake_B, "real_B": out.real_B}

    def translations(self, out: Pair) -> dict[str, tuple[Tensor, Tensor]]:
        """Return the translation and the target."""
        return {"G": (out.fake_B, out.real_B)}

    @classmethod
    def check_options(cls, values: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        """Refuse an image pool, which pix2pix does not use, and a discriminator's flags where there is none."""
        super().check_options(values, given)
        check_lambdas(values, given, "lambda_GAN", "lambda_L1")
        if given.get("pool_size", 0) > 0:
            raise UserError(f"--pool_size {given['pool_size']} has no effect on pix2pix; leave it out")
