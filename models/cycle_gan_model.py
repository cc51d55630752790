"""CycleGAN: translation learned without pairs (Zhu et al. 2017).

G_A: A -> B and G_B: B -> A, each judged by a discriminator of the domain it makes (D_A judges B).
Everything is written for one direction and used twice.

The losses of the paper's tables 4 and 5: ``--lambda_GAN 0`` is the cycle alone, ``--lambda_A 0 --lambda_B 0`` the GAN
alone, ``--lambda_B 0`` the GAN and the forward cycle, ``--lambda_A 0`` the GAN and the backward one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from data.batch import Batch
from models.abilities import InPieces, TranslatesBack
from models.base import Loss, Phase, TranslationModel
from models.flag_checks import check_lambdas
from models.image_pool import ImagePool
from models.losses import discriminator_loss, gan_loss, penalty
from models.outputs import computed
from models.registry import MODELS
from networks.compute import together
from networks.factory import build_discriminator, build_generator
from options.errors import UserError
from options.flag import Settings, flag


class Half(NamedTuple):
    """One direction: real -> fake -> rec, and ``idt``, what the generator makes of ``target``.

    None stands for what was not computed: in a piece of the whole, or where no loss needs it.
    """

    real: Tensor
    target: Tensor  # real images of the domain that fake imitates
    fake: Tensor | None = None
    rec: Tensor | None = None
    idt: Tensor | None = None


class Cycle(NamedTuple):
    """Both directions: ``A`` holds what G_A makes of A, ``B`` what G_B makes of B."""

    A: Half
    B: Half


def given_images(batch: Batch) -> Cycle:
    """Return both directions before anything is computed."""
    return Cycle(Half(batch.A, batch.target), Half(batch.target, batch.A))


@dataclass(frozen=True, kw_only=True)
class CycleGANOptions(Settings):
    """CycleGAN.

    The weights of its losses.
    """

    lambda_A: float = flag(
        10.0, "weight of the cycle loss A -> B -> A. Less lets images change more", metavar="WEIGHT", least=0
    )
    lambda_B: float = flag(
        10.0,
        "weight of the cycle loss B -> A -> B. Other than --lambda_A where one way is easier",
        metavar="WEIGHT",
        least=0,
    )
    lambda_identity: float = flag(
        0.5,
        "weight of the identity loss, relative to the cycle's. It keeps colours; 0 lets them change, and is faster",
        metavar="WEIGHT",
        least=0,
        essential=True,
        aliases=("identity",),
    )
    lambda_GAN: float = flag(
        1.0,
        "weight of the adversarial losses; 0: no discriminators. To see what they are good for",
        metavar="WEIGHT",
        least=0,
    )


@MODELS.register("cycle_gan")
class CycleGANModel(TranslationModel[Cycle], InPieces[Cycle], TranslatesBack[Cycle]):
    """Two generators, two discriminators, and pools of older fakes."""

    Flags = CycleGANOptions
    defaults = {"no_dropout": True}
    loss_names = ("D_A", "G_A", "cycle_A", "idt_A", "D_B", "G_B", "cycle_B", "idt_B")

    def build_networks(self) -> dict[str, nn.Module]:
        """Build both generators and, for training against them, both discriminators."""
        net = self.opt.net
        self.pools = {side: ImagePool(self.opt.optim.pool_size) for side in "AB"}
        networks = {
            "G_A": build_generator(net, net.input_nc, net.output_nc),
            "G_B": build_generator(net, net.output_nc, net.input_nc),
        }
        if self.is_train and self.own.lambda_GAN:
            networks["D_A"] = build_discriminator(net, net.output_nc)
            networks["D_B"] = build_discriminator(net, net.input_nc)
        return networks

    def forward(self, batch: Batch) -> Cycle:
        """Translate both ways and back."""
        given = given_images(batch)
        return Cycle(self._half("G_A", "G_B", given.A), self._half("G_B", "G_A", given.B))

    def _half(self, there: str, back: str, half: Half) -> Half:
        if self._needs_idt and self.batched:
            fake, idt = together(self.networks[there], [half.real, half.target], batched=True)
            return half._replace(fake=fake, rec=self.networks[back](fake), idt=idt)
        half = self._round_trip(there, back, half)  # before idt: dropout is drawn in this order
        return self._identity(there, half) if self._needs_idt else half

    def _round_trip(self, there: str, back: str, half: Half) -> Half:
        fake = self.networks[there](half.real)
        return half._replace(fake=fake, rec=self.networks[back](fake))

    def _identity(self, there: str, half: Half) -> Half:
        return half._replace(idt=self.networks[there](half.target))

    @property
    def _needs_idt(self) -> bool:
        return self.is_train and self.training and self.own.lambda_identity > 0

    def pieces(self, batch: Batch) -> list[Callable[[], Cycle]]:
        """Return each direction's round trip and identity, in the order of ``forward``: two passes or one each."""
        given = given_images(batch)
        pieces: list[Callable[[], Cycle]] = [
            lambda: given._replace(A=self._round_trip("G_A", "G_B", given.A)),
            lambda: given._replace(A=self._identity("G_A", given.A)),
            lambda: given._replace(B=self._round_trip("G_B", "G_A", given.B)),
            lambda: given._replace(B=self._identity("G_B", given.B)),
        ]
        return pieces if self._needs_idt else pieces[::2]

    def separate(self, out: Cycle) -> list[Cycle]:
        """Return each direction alone: both pools draw random numbers."""
        return [out._replace(B=out.B._replace(fake=None)), out._replace(A=out.A._replace(fake=None))]

    def phases(self) -> list[Phase]:
        """Update both generators, then both discriminators on the fakes made before that."""
        judge = [Phase("D", ("D_A", "D_B"), self.loss_D)] if "D_A" in self.networks else []
        return [Phase("G", ("G_A", "G_B"), self.loss_G), *judge]

    def loss_G(self, out: Cycle) -> Loss:
        """Fool D, come back (equation 2), and leave the target domain alone (section 5.2)."""
        weights = {"A": self.own.lambda_A, "B": self.own.lambda_B}
        parts: dict[str, Tensor] = {}
        for side, other, half in (("A", "B", out.A), ("B", "A", out.B)):
            if half.fake is not None and f"D_{side}" in self.networks:
                verdict = self.networks[f"D_{side}"](half.fake)
                parts[f"G_{side}"] = gan_loss(self.opt.optim.gan_mode, verdict, real=True) * self.own.lambda_GAN
            if half.rec is not None:
                parts[f"cycle_{side}"] = F.l1_loss(half.rec, half.real) * weights[side]
            idt_weight = weights[other] * self.own.lambda_identity
            parts[f"idt_{side}"] = (
                half.real.new_zeros(()) if half.idt is None else F.l1_loss(half.idt, half.target) * idt_weight
            )
        return Loss(out.A.real.new_zeros(()), {}).plus(parts)

    def loss_D(self, out: Cycle) -> Loss:
        """Half of: calling an old or new fake real, calling a real image fake; for both domains."""
        mode, loss = self.opt.optim.gan_mode, Loss(out.A.real.new_zeros(()), {})
        for name, pool, half in (("D_A", self.pools["A"], out.A), ("D_B", self.pools["B"], out.B)):
            if half.fake is not None:
                judge, real, fake = self.networks[name], half.target, pool.query(half.fake.detach())
                own = discriminator_loss(mode, judge, real=real, fake=fake, name=name, batched=self.batched)
                extra = penalty(mode, judge, real=real, fake=fake, name=name)
                loss = loss.plus({name: own.total, **extra}, own.accuracies)
        return loss

    def visuals(self, out: Cycle) -> dict[str, Tensor]:
        """Show each direction in a row: real, fake, back again, and in training the identity image."""
        first = {"real_A": out.A.real, "fake_B": out.A.fake, "rec_A": out.A.rec, "idt_B": out.B.idt}  # G_B applied to A
        second = {"real_B": out.B.real, "fake_A": out.B.fake, "rec_B": out.B.rec, "idt_A": out.A.idt}
        return computed({**first, **second})

    def translations(self, out: Cycle) -> dict[str, tuple[Tensor, Tensor]]:
        """Return the fakes of both directions, and what they are compared with."""
        halves = {"G_A": out.A, "G_B": out.B}
        return {name: (half.fake, half.target) for name, half in halves.items() if half.fake is not None}

    def cycles(self, out: Cycle) -> dict[str, tuple[Tensor, Tensor]]:
        """Return what came back in both directions."""
        halves = {"G_A": out.A, "G_B": out.B}
        return {name: (half.rec, half.real) for name, half in halves.items() if half.rec is not None}

    @classmethod
    def check_options(cls, values: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        """Refuse the identity loss between domains of different channels, and losses without a discriminator."""
        super().check_options(values, given)
        check_lambdas(values, given, "lambda_GAN", "lambda_A", "lambda_B")
        if values.get("lambda_identity", 0) > 0 and values["input_nc"] != values["output_nc"]:
            raise UserError(
                f"--lambda_identity needs --input_nc equal to --output_nc, not {values['input_nc']} and "
                f"{values['output_nc']}; pass --lambda_identity 0"
            )
