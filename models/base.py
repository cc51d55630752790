"""The contract of a model: networks, a forward pass, losses in update order, images.

A model holds maths and names. Files, devices, optimizers and ``backward`` live elsewhere; what only some models can do
is in ``models.abilities``.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Generic, NamedTuple

import torch
from torch import Tensor, nn

from data.batch import Batch
from models.abilities import InPieces
from models.flag_checks import check_generator, check_memory
from models.image_pool import ImagePool
from models.outputs import Out
from networks.compute import PER_SAMPLE, Compute, choose_compute
from networks.factory import generator_family, smallest_input
from networks.fast.layers import hold_weights
from networks.spectral import hold_spectra
from options.errors import UserError
from options.flag import Settings
from options.schema import Options
from util.machine import keep_freed_memory

log = logging.getLogger(__name__)


class Loss(NamedTuple):
    """``total`` is differentiated; ``parts`` are reported under the official names. Both are means over images.

    ``accuracies`` are the shares of right verdicts of the discriminators, for the dashboard alone.
    """

    total: Tensor
    parts: dict[str, Tensor]
    accuracies: Mapping[str, Tensor] = MappingProxyType({})

    def plus(self, parts: Mapping[str, Tensor], accuracies: Mapping[str, Tensor] = MappingProxyType({})) -> "Loss":
        """Return the loss with more parts, which are added to the total one by one, and more accuracies."""
        total = sum(parts.values(), start=self.total)
        return Loss(total, {**self.parts, **parts}, {**self.accuracies, **accuracies})


class Phase(NamedTuple):
    """One optimizer's turn in a step: it moves ``networks`` down ``loss``, all others frozen."""

    name: str
    networks: tuple[str, ...]
    loss: Callable[[Any], Loss]  # Any: the model's own output


class TranslationModel(nn.Module, ABC, Generic[Out]):
    """Base of all models.

    Attributes:
        Flags: dataclass of the model's own flags.
        defaults: shared flags that it gives another default, in training and test.
        train_defaults: the same, in training only.
        implied: flags whose value gives others another default: flag -> value -> their defaults.
        loss_names: order in which losses are reported.
        needs_target: whether it needs B images.
        networks: by checkpoint name: ``G_A`` is saved as ``<epoch>_net_G_A.pth``.
        pools: older fakes, by name, each asked once in a step by the losses, in that order; saved with the training.
    """

    Flags: ClassVar[type[Settings]] = Settings
    defaults: ClassVar[Mapping[str, Any]] = {}
    train_defaults: ClassVar[Mapping[str, Any]] = {}
    implied: ClassVar[Mapping[str, Mapping[Any, Mapping[str, Any]]]] = {}
    loss_names: ClassVar[tuple[str, ...]] = ()
    needs_target: ClassVar[bool] = True

    def __init__(self, opt: Options) -> None:
        super().__init__()
        self.opt = opt
        self.own: Any = opt.own  # an instance of self.Flags
        self.is_train = opt.is_train
        self.compute = Compute(torch.device("cpu"))
        self.pools: dict[str, ImagePool] = {}
        self.networks = nn.ModuleDict(self.build_networks())

    def place(self, device: torch.device) -> "TranslationModel[Out]":
        """Move to a device and compute there as the flags say."""
        unet = generator_family(self.opt.net.netG)[0] == "unet"
        self.compute = choose_compute(self.opt.speed, device, unet=unet)
        penalised = self.is_train and self.opt.optim.gan_mode == "wgangp"
        self.compute.place(self.networks, [name for name in self.networks if penalised and name.startswith("D")])
        if not self.is_train:
            hold_weights(self.networks)
            hold_spectra(self.networks)
        log.info("the networks are computed in %s", self.compute)
        if device.type == "cpu" and not (self.is_train and self.opt.optim.memory != "normal"):
            keep_freed_memory()
        return self.to(device)

    @property
    def batched(self) -> bool:
        """Whether images that do not see each other pass a network in one call: only where that is faster."""
        plain = self.compute.is_reference or self.compute.has_cpu_layers
        return not plain and self.opt.net.norm in PER_SAMPLE

    @abstractmethod
    def build_networks(self) -> dict[str, nn.Module]:
        """Build the networks; without ``self.is_train`` only those that ``forward`` needs."""

    @abstractmethod
    def forward(self, batch: Batch) -> Out:
        """Translate a batch; everything that losses and visuals need is in the result."""

    @abstractmethod
    def phases(self) -> list[Phase]:
        """Return the optimizers' turns, in update order.

        Where a batch is split (``--accumulate``, ``--memory low``), a phase that trains only networks whose names start
        with D is shown outputs without a graph, and any other gets new ones from the networks as they are by then.
        """

    @abstractmethod
    def visuals(self, out: Out) -> dict[str, Tensor]:
        """Return images by official label in display order, N x C x H x W in [-1, 1], C 1 or 3."""

    def translations(self, out: Out) -> dict[str, tuple[Tensor, Tensor]]:
        """Return by generator what it made and the real images that it imitates, N x C x H x W in [-1, 1]."""
        return {}

    def file_names(self, network: str) -> tuple[str, ...]:
        """Return the names under which a network's weights may lie in a run folder, best first."""
        return (network,)

    @classmethod
    def check_options(cls, values: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        """Refuse flags that contradict each other or that this model would ignore.

        Args:
            values: all flags, resolved.
            given: those typed on the command line.

        Raises:
            UserError: naming the flag and what to do.
        """
        check_memory(values, has_pieces=issubclass(cls, InPieces))
        check_generator(values, given)

    def check_batch(self, batch: Batch) -> None:
        """Refuse images that are too small for the discriminator.

        Raises:
            UserError: naming the image, its size and the flags that help.
        """
        net = self.opt.net
        judges = any(name.startswith("D") for name in self.networks)
        if judges and min(batch.A.shape[2:]) < smallest_input(net):
            raise UserError(
                f"{batch.A_paths[0]} reaches the networks with {min(batch.A.shape[2:])} pixels a side, but the "
                f"discriminator needs {smallest_input(net)}; raise --crop_size, or "
                + ("lower --num_D" if net.num_D > 1 else "pass --patch_size 16")
            )
