"""A model to copy: change it, add its import to ``models/__init__.py``, pass ``--model``. It learns B by L1 alone."""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from data.batch import Batch
from models.base import Loss, Phase, TranslationModel
from models.pix2pix_model import Pair  # a NamedTuple: what losses and images need
from models.registry import MODELS
from networks.factory import build_generator
from options.flag import Settings, flag


@dataclass(frozen=True, kw_only=True)
class TemplateOptions(Settings):  # the model's own flags
    """The template.

    The weight of its loss.
    """

    lambda_regression: float = flag(1.0, "weight of the regression loss. More learns faster", metavar="WEIGHT", least=0)


@MODELS.register("template")  # the name for --model
class TemplateModel(TranslationModel[Pair]):
    """Networks, forward, losses, images: nothing else is needed."""

    Flags = TemplateOptions
    defaults = {"dataset_mode": "aligned"}  # shared flags to change

    def build_networks(self) -> dict[str, nn.Module]:
        """Name the networks: "G" is saved as ``<epoch>_net_G.pth``."""
        return {"G": build_generator(self.opt.net, self.opt.net.input_nc, self.opt.net.output_nc)}

    def forward(self, batch: Batch) -> Pair:
        """Compute what losses and images need."""
        return Pair(batch.A, batch.target, self.networks["G"](batch.A))

    def phases(self) -> list[Phase]:
        """List who is trained by which loss, in order."""
        return [Phase("G", ("G",), self.loss_G)]

    def loss_G(self, out: Pair) -> Loss:
        """Return what to minimise, and what to print."""
        regression = F.l1_loss(out.fake_B, out.real_B) * self.own.lambda_regression
        return Loss(regression, {"G": regression})

    def visuals(self, out: Pair) -> dict[str, Tensor]:
        """Name the images to show."""
        return {"real_A": out.real_A, "fake_B": out.fake_B, "real_B": out.real_B}

    def translations(self, out: Pair) -> dict[str, tuple[Tensor, Tensor]]:
        """Name what is to be judged, and what it should look like."""
        return {"G": (out.fake_B, out.real_B)}
