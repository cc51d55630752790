"""LPIPS: how different two images look to a network (Zhang et al. 2018), version 0.1 with AlexNet."""

import re
from types import MappingProxyType

import torch
from torch import Tensor

from metrics.base import METRICS, PairMetric
from metrics.images import in_color
from metrics.weights import ALEXNET, FLAG, published_weights
from options.errors import UserError
from options.evaluation import EvaluationSettings
from util.determinism import RandomState

SLICE_OF_LAYER = MappingProxyType({0: 1, 3: 2, 6: 3, 8: 4, 10: 5})  # torchmetrics cuts AlexNet behind each ReLU


@METRICS.register("lpips")
class PerceptualDistance(PairMetric):
    """Learned perceptual distance; its heads come with torchmetrics.

    Raises:
        UserError: there are no weights of AlexNet.
    """

    needs = "pairs"
    scores = MappingProxyType({"lpips": "lower"})
    least_side = 31  # what AlexNet's pools leave a pixel of

    def __init__(self, settings: EvaluationSettings, device: torch.device) -> None:
        super().__init__(settings, device)
        from torchmetrics.functional.image.lpips import _NoTrainLpips  # the public class downloads AlexNet

        self.weights = published_weights(ALEXNET, settings.metric_weights)
        with RandomState(torch.device("cpu")).replayed():  # the first weights of a layer are random, and replaced
            network = _NoTrainLpips(net="alex", pnet_rand=True)
        try:
            network.net.load_state_dict(_sliced(self.weights.tensors))
        except RuntimeError as error:
            raise UserError(
                f"{self.weights.path} does not hold {ALEXNET.what}; remove it, or name another folder with {FLAG}"
            ) from error
        self.network = network.to(device)

    def measure(self, fake: Tensor, real: Tensor) -> Tensor:
        """Return a distance for each image."""
        distances: Tensor = self.network(in_color(fake, "lpips"), in_color(real, "lpips"), normalize=True)
        return distances.reshape(-1)

    def about(self) -> dict[str, object]:
        """Return the weights of AlexNet; those of the heads go with the version of torchmetrics."""
        return {"alexnet": self.weights.about()}


def _sliced(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename AlexNet's features, from ``features.3.weight`` or ``3.weight``, and drop the classifier."""
    renamed = {}
    for name, value in weights.items():
        if match := re.fullmatch(r"(?:features\.)?(\d+)\.(weight|bias)", name):
            layer = int(match[1])
            renamed[f"slice{SLICE_OF_LAYER.get(layer, 0)}.{layer}.{match[2]}"] = value
    return renamed
