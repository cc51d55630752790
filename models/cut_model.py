"""CUT and FastCUT: translation in one direction, learned without pairs (Park et al. 2020).

G makes B of A. Instead of a way back there is a contrastive loss: from inside G, a patch of the result must be told
from all others of the input as that at the same place.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from data.batch import Batch
from models.base import Loss, Phase, TranslationModel
from models.contrastive import contrast, patch_nce
from models.losses import accuracies, check_lambdas, gan_loss, gradient_penalty
from models.registry import MODELS
from networks.compute import together
from networks.factory import build_discriminator, build_generator
from networks.init import init_weights
from networks.patch_sampler import Encoder, PatchSampler, unit_length
from options.errors import UserError
from options.flag import at_least, flag

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


MODES: Mapping[str, Mapping[str, Any]] = {
    "CUT": {"lambda_NCE": 1.0, "nce_idt": True, "flip_equivariance": False, "n_epochs": 200, "n_epochs_decay": 200},
    "FastCUT": {"lambda_NCE": 10.0, "nce_idt": False, "flip_equivariance": True, "n_epochs": 150, "n_epochs_decay": 50},
}
WHOLE_BATCH = "nce_includes_all_negatives_from_minibatch"
OF_CONTRAST = {"nce_idt", "nce_layers", "nce_T", WHOLE_BATCH, "num_patches", "netF", "netF_nc", "flip_equivariance"}


@dataclass(frozen=True, kw_only=True)
class CUTOptions:
    """Flags of CUT."""

    CUT_mode: Literal["CUT", "FastCUT"] = flag(
        "CUT",
        "sets defaults; FastCUT: lambda_NCE 10, nce_idt false, flip_equivariance, n_epochs 150, n_epochs_decay 50",
        parse=lambda text: {"cut": "CUT", "fastcut": "FastCUT"}.get(text.lower(), text),
    )
    lambda_GAN: float = flag(1.0, "weight of the adversarial loss; 0 trains without a discriminator")
    lambda_NCE: float = flag(1.0, "weight of the contrastive loss")
    nce_idt: bool = flag(True, "contrastive loss also between B and what G makes of it")
    nce_layers: str = flag("", "where patches are read, as 0,4,7: places in G's model; empty: five, as in the paper")
    nce_T: float = flag(0.07, "temperature of the contrastive loss")
    nce_includes_all_negatives_from_minibatch: bool = flag(False, "other patches are those of the whole batch")
    num_patches: int = flag(256, "patches of each layer and image")
    netF: Literal["mlp_sample", "sample"] = flag(
        "mlp_sample", "patches go through a small network, or stay as they are"
    )
    netF_nc: int = flag(256, "units of that network")
    flip_equivariance: bool = flag(False, "show G half of the images in a mirror, and turn its features back")

    def __post_init__(self) -> None:
        at_least("--num_patches", self.num_patches, 2)
        at_least("--netF_nc", self.netF_nc, 1)
        if self.nce_T <= 0:
            raise UserError(f"--nce_T {self.nce_T} must be above 0; the usual value is 0.07")
        if not re.fullmatch(r"(\d+(,\d+)*)?", self.nce_layers):
            raise UserError(f"--nce_layers {self.nce_layers!r} is no list of places such as 0,4,7,10,14")

    @property
    def layers(self) -> list[int]:
        """The places in ``nce_layers``."""
        return [int(word) for word in self.nce_layers.split(",") if word]


@MODELS.register("cut")
class CUTModel(TranslationModel[Sides]):
    """A generator, a discriminator, and the network F that compares patches."""

    Flags = CUTOptions
    defaults: ClassVar[Mapping[str, Any]] = {"no_dropout": True, "init_type": "xavier"}
    train_defaults: ClassVar[Mapping[str, Any]] = {"pool_size": 0}
    implied: ClassVar[Mapping[str, Mapping[Any, Mapping[str, Any]]]] = {"CUT_mode": MODES}
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
        mode, judge, fake = self.opt.optim.gan_mode, self.networks["D"], out.A.made.detach()
        fake_verdict, real_verdict = together(judge, [fake, out.B.real], batched=self.batched)
        parts = {
            "D_real": gan_loss(mode, real_verdict, real=True),
            "D_fake": gan_loss(mode, fake_verdict, real=False),
        }
        total = 0.5 * (parts["D_fake"] + parts["D_real"])
        if mode == "wgangp":
            parts["D_penalty"] = gradient_penalty(judge, out.B.real, fake)
            total = total + parts["D_penalty"]
        return Loss(total, parts, accuracies(mode, "D", real=real_verdict, fake=fake_verdict))

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
                parts[name] = self._contrast(side.real, side.made, mirrored=side.mirrored) * self.own.lambda_NCE
                total = total + parts[name] * (0.5 if self._needs_idt else 1.0)
        return Loss(total, {**parts, "G": total})

    @property
    def _contrast(self) -> Callable[..., Tensor]:
        own = self.own
        loss = partial(patch_nce, temperature=own.nce_T, across_batch=own.nce_includes_all_negatives_from_minibatch)
        return partial(contrast, encoder=self.encoder, vectors=self._vectors, patches=own.num_patches, loss=loss)

    def _vectors(self, patches: Tensor, number: int) -> Tensor:
        return self.networks["F"](patches, number) if "F" in self.networks else unit_length(patches)

    def visuals(self, out: Sides) -> dict[str, Tensor]:
        """Show input, translation, some B and, in training, what G makes of that."""
        shown = {"real_A": out.A.real, "fake_B": _upright(out.A), "real_B": out.B.real, "idt_B": _upright(out.B)}
        return {label: images for label, images in shown.items() if images is not None}

    def translations(self, out: Sides) -> dict[str, tuple[Tensor, Tensor]]:
        """Return the translation, and what it imitates."""
        return {} if out.A.made is None else {"G": (out.A.made, out.B.real)}

    @classmethod
    def check_options(cls, values: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        """Refuse what the losses cannot do, and flags without effect."""
        super().check_options(values, given)
        check_lambdas(values, given, "lambda_GAN", "lambda_NCE")
        mode = values["CUT_mode"]
        others = [
            f"--{name} {values[name]}"
            for name, value in MODES[mode].items()
            if values.get(name, value) != value and name not in given
        ]
        if others and "CUT_mode" in given and not values.get("continue_train"):
            raise UserError(
                f"--CUT_mode {mode} means something else than the preset's {', '.join(others)}; leave it out, type "
                "these flags as well, or choose a preset of that mode"
            )
        idle = sorted(OF_CONTRAST & set(given)) if not values["lambda_NCE"] else []
        channels = f"--input_nc {values['input_nc']} and --output_nc {values['output_nc']}"
        one_pass = not (values["nce_idt"] and values["lambda_NCE"])
        for refused, words in (
            (idle, f"--{''.join(idle[:1])} has no effect with --lambda_NCE 0; leave it out"),
            (given.get("pool_size", 0) > 0, "--pool_size has no effect on cut; leave it out"),
            (values["input_nc"] != values["output_nc"], f"cut needs channels of one number, not {channels}"),
            (values.get("memory") == "low" and one_pass, "--memory low has no effect without --nce_idt; leave it out"),
            (
                values.get("accumulate", 1) > 1 and values[WHOLE_BATCH],
                f"--accumulate takes apart what --{WHOLE_BATCH} needs",
            ),
            (
                "netF_nc" in given and values["netF"] == "sample",
                "--netF_nc has no effect with --netF sample; leave it out",
            ),
        ):
            if refused:
                raise UserError(words)


def _upright(side: Side) -> Tensor | None:
    return None if side.made is None else turned(side.made, side.mirrored)
