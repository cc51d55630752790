"""``--model test``: one generator of a trained run, applied to a plain folder of images."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor, nn

from data.batch import Batch
from models.base import Phase, TranslationModel
from models.registry import MODELS
from models.trained_run import generator_files
from networks.factory import build_generator
from options.errors import UserError
from options.flag import Settings, flag

log = logging.getLogger(__name__)


class Translation(NamedTuple):
    """Input and output, N x C x H x W in [-1, 1]."""

    real: Tensor
    fake: Tensor


@dataclass(frozen=True, kw_only=True)
class SingleSideOptions(Settings):
    """One direction.

    Which generator translates a plain folder.
    """

    model_suffix: str = flag(
        "",
        "which generator: _A is <epoch>_net_G_A.pth. _B for the way back of a CycleGAN",
        metavar="SUFFIX",
        otherwise="G, or else G_A",
        essential=True,
    )


@MODELS.register("test")
class SingleSideModel(TranslationModel[Translation]):
    """Translate; there is nothing to train."""

    Flags = SingleSideOptions
    defaults = {"dataset_mode": "single"}

    needs_target = False

    def build_networks(self) -> dict[str, nn.Module]:
        """Build the generator."""
        net = self.opt.net
        return {"G": build_generator(net, net.input_nc, net.output_nc)}

    def forward(self, batch: Batch) -> Translation:
        """Translate A."""
        return Translation(batch.A, self.networks["G"](batch.A))

    def phases(self) -> list[Phase]:
        """Return none."""
        return []

    def visuals(self, out: Translation) -> dict[str, Tensor]:
        """Show input and output."""
        return {"real": out.real, "fake": out.fake}

    def file_names(self, network: str) -> tuple[str, ...]:
        """Look for the one that ``--model_suffix`` names."""
        return generator_files(self.own.model_suffix)

    @classmethod
    def check_options(cls, values: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        """Refuse data sets with two sides."""
        if (values["input_nc"], values["output_nc"]) == (1, 2):
            log.warning("1 channel becomes 2: if this is a colorization run, pass --model colorization")
        if values["dataset_mode"] != "single":
            raise UserError(f"--model test reads --dataset_mode single, not {values['dataset_mode']}; leave it out")
