"""CUT and FastCUT: translation in one direction, learned without pairs (Park et al. 2020).

G makes B of A. Instead of a way back there is a contrastive loss: from inside G, a patch of the result must be told
from all others of the input as that at the same place.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from data.batch import Batch
from models.abilities import InPieces
from models.base import Loss, Phase, TranslationModel
from models.contrastive import contrast, patch_nce
from models.cut_flags import MODES, CUTOptions, check_cut
from models.flag_checks import check_lambdas
from models.losses import discriminator_loss, gan_loss, penalty
from models.outputs import computed
from models.registry import MODELS
from networks.compute import together
from networks.factory import build_discriminator, build_generator
from networks.init import init_weights
from networks.patch_sampler import Encoder, PatchSampler, unit_length

log = logging.getLogger(__name__)


def turned(images: Tensor, mirrored: Tensor | None) -> Tensor:
    """Turn some images over, left to right: those for which N x 1 x 1 x 1 is true."""
    return images if mirrored is None else torch.where(mirrored, images.flip(3), images)


class Side(NamedTuple):
    """Real images and what G makes of them, N x C x H x W in [-1, 1]; all but ``real`` may not be computed."""

    real: Tensor
    made: Tensor | None = None
    mirrored: Tensor | None = None  # N x 1 x 1 x 1: G was shown, and ``made`` is, the mirror image


class Sides(NamedTuple):
    """``A.made`` is the translation, ``B.made`` what G makes of B, which it should leave alone."""

    A: Side
    B: Side


@MODELS.register("cut")
class CUTModel(TranslationModel[Sides], InPieces[Sides]):
    """A generator, a discriminator, and the network F that compares patches."""

    Flags = CUTOptions
    defaults = {"no_dropout": True, "init_type": "xavier"}
    train_defaults = {"pool_size": 0}
    implied = {"CUT_mode": MODES}
    loss_names = ("G_GAN", "D_real", "D_fake", "G", "NCE", "NCE_Y")

    def build_networks(self) -> dict[str, nn.Module]:
        """Build G and, for training, what the losses need: D, and F."""
        net, own = self.opt.net, self.own
        networks: dict[str, nn.Module] = {"G": build_generator(net, net.input_nc, net.output_nc)}
        if self.is_train and own.lambda_GAN:
            networks["D"] = build_discriminator(net, net.output_nc)
        if self.is_train and own.lambda_NCE:
            self.encoder = Encoder(networks["G"], own.layers)
            log.info("patches are compared behind the layers %s of G", ", ".join(map(str, self.encoder.layers)))
            if own.netF == "mlp_sample":
                networks["F"] = PatchSampler(self.encoder.widths, own.netF_nc)
                init_weights(networks["F"], net.init_type, net.init_gain)
        return networks

    def forward(self, batch: Batch) -> Sides:
        """Translate A and, for the losses, B."""
        A, B = sides = Sides(Side(batch.A), Side(batch.target))
        return Sides(*self._made(A, B)) if self._needs_idt else sides._replace(A=self._made(A)[0])

    def pieces(self, batch: Batch) -> list[Callable[[], Sides]]:
        """Return the translation and the identity: a pass each."""
        A, B = sides = Sides(Side(batch.A), Side(batch.target))
        pieces = [lambda: sides._replace(A=self._made(A)[0]), lambda: sides._replace(B=self._made(B)[0])]
        return pieces if self._needs_idt else pieces[:1]

    @property
    def _needs_idt(self) -> bool:
        return bool(self.is_train and self.training and self.own.nce_idt and self.own.lambda_NCE)

    def _made(self, *sides: Side) -> list[Side]:
        """Add what G makes."""
        if self.is_train and self.training and self.own.flip_equivariance:
            sides = tuple(side._replace(mirrored=torch.rand_like(side.real[:, :1, :1, :1]) < 0.5) for side in sides)
        shown = [turned(side.real, side.mirrored) for side in sides]
        made = together(self.networks["G"], shown, batched=self.batched)
        return [side._replace(made=images) for side, images in zip(sides, made, strict=True)]

    def phases(self) -> list[Phase]:
        """Update D first, then G and F against the new D."""
        judge = [Phase("D", ("D",), self.loss_D)] if "D" in self.networks else []
        return [*judge, Phase("G", ("G", "F") if "F" in self.networks else ("G",), self.loss_G)]

    def loss_D(self, out: Sides) -> Loss:
        """Half of: calling a fake real, calling a real image fake."""
        assert out.A.made is not None
        mode, judge, real, fake = self.opt.optim.gan_mode, self.networks["D"], out.B.real, out.A.made.detach()
        loss = discriminator_loss(mode, judge, real=real, fake=fake, name="D", batched=self.batched, fake_first=True)
        return loss.plus(penalty(mode, judge, real=real, fake=fake, name="D"))

    def loss_G(self, out: Sides) -> Loss:
        """Fool D and keep the patches of the input (equation 5)."""
        parts: dict[str, Tensor] = {}
        total = out.A.real.new_zeros(())
        if "D" in self.networks and out.A.made is not None:
            verdict = self.networks["D"](out.A.made)
            parts["G_GAN"] = gan_loss(self.opt.optim.gan_mode, verdict, real=True) * self.own.lambda_GAN
            total = total + parts["G_GAN"]
        for name, side in (("NCE", out.A), ("NCE_Y", out.B)):
            if side.made is not None and self.own.lambda_NCE:
                parts[name] = self._contrast(side.real, side.made, side.mirrored) * self.own.lambda_NCE
                total = total + parts[name] * (0.5 if self._needs_idt else 1.0)
        return Loss(total, {**parts, "G": total})

    def _contrast(self, real: Tensor, made: Tensor, mirrored: Tensor | None) -> Tensor:
        """Return the contrastive loss, with the settings of the flags."""
        own, encoder = self.own, self.encoder
        loss = partial(patch_nce, temperature=own.nce_T, across_batch=own.nce_includes_all_negatives_from_minibatch)
        return contrast(
            real, made, mirrored=mirrored, encoder=encoder, vectors=self._vectors, patches=own.num_patches, loss=loss
        )

    def _vectors(self, patches: Tensor, number: int) -> Tensor:
        return self.networks["F"](patches, number) if "F" in self.networks else unit_length(patches)

    def visuals(self, out: Sides) -> dict[str, Tensor]:
        """Show input, translation, some B and, in training, what G makes of that."""
        return computed(
            {"real_A": out.A.real, "fake_B": _upright(out.A), "real_B": out.B.real, "idt_B": _upright(out.B)}
        )

    def translations(self, out: Sides) -> dict[str, tuple[Tensor, Tensor]]:
        """Return the translation, and what it imitates."""
        return {} if out.A.made is None else {"G": (out.A.made, out.B.real)}

    @classmethod
    def check_options(cls, values: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        """Refuse what the losses cannot do, and flags without effect."""
        super().check_options(values, given)
        check_lambdas(values, given, "lambda_GAN", "lambda_NCE")
        check_cut(values, given)


def _upright(side: Side) -> Tensor | None:
    return None if side.made is None else turned(side.made, side.mirrored)
