"""Describe each image by what Inception says of it: the features that FID, KID, precision and recall are taken on."""

import torch
from torch import Tensor

from metrics.images import in_color, levels
from metrics.resize import resized_for_inception
from metrics.weights import FLAG, INCEPTION, published_weights
from options.errors import UserError
from options.evaluation import EvaluationSettings

CHUNK = 32  # images that go through the network at once


class InceptionFeatures:
    """The 2048 numbers before Inception's classifier, of images rounded to 8 bits as files are.

    Raises:
        UserError: there are no weights.
    """

    def __init__(self, settings: EvaluationSettings, device: torch.device) -> None:
        from metrics.inception import fid_inception

        self.mode, self.device = settings.resize_mode, device
        self.weights = published_weights(INCEPTION, settings.metric_weights)
        try:
            network = fid_inception(self.weights.tensors).to(device)
        except RuntimeError as error:
            raise UserError(
                f"{self.weights.path} does not hold {INCEPTION.what}; remove it, or name another folder with {FLAG}"
            ) from error
        if device.type == "cpu":
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # 1.3x as fast, equal to 1e-5
        self.network = network
        self.key = f"inception {self.mode} {self.weights.sha256}"

    def __call__(self, images: Tensor) -> Tensor:
        """Return N x 2048."""
        small = levels(in_color(images, "a metric of Inception's features"))
        parts = torch.split(small.to(self.device), CHUNK)
        return torch.cat([self.network(resized_for_inception(part, self.mode)).cpu() for part in parts])

    def about(self) -> dict[str, object]:
        """Return how images are resized, and the weights."""
        return {"resize_mode": self.mode, "inception": self.weights.about()}
