"""Networks with random weights under the published names, and the real ones where they are at hand."""

import os
from pathlib import Path

import pytest
import torch
from torch import Tensor

from options.evaluation import EvaluationSettings


@pytest.fixture(scope="session")
def inception_weights() -> dict[str, Tensor]:
    """Weights of torchvision's Inception-v3 without classifier, drawn at random, with norms that fit to them."""
    from torchvision.models import Inception3

    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = Inception3(num_classes=2, aux_logits=False, init_weights=False)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1.0
        with torch.no_grad():
            network(torch.rand(2, 3, 299, 299) * 2 - 1)  # in training mode: norms take the statistics of these images
    return {name: value for name, value in network.state_dict().items() if not name.startswith("fc.")}


@pytest.fixture(scope="session")
def weights_folder(inception_weights: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an Inception and an AlexNet of random weights."""
    from torchvision.models import alexnet

    folder = tmp_path_factory.mktemp("weights")
    torch.save(inception_weights, folder / "inception_v3_fid_2015-12-05_nofc_torchvision_names.pth")
    with torch.random.fork_rng():
        torch.manual_seed(2)
        features = alexnet(weights=None).features.state_dict()
    named = {f"features.{name}": value for name, value in features.items()}
    torch.save(named, folder / "alexnet_imagenet_features_torchvision_names.pth")
    return folder


@pytest.fixture
def settings(weights_folder: Path, tmp_path: Path) -> EvaluationSettings:
    """Settings that need neither a network nor the user's folders."""
    return EvaluationSettings(metric_weights=str(weights_folder), statistics_cache=str(tmp_path / "statistics"))


@pytest.fixture
def small_inception(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Inception see images of 75 pixels, the fewest that it takes, in a sixteenth of the time."""
    monkeypatch.setattr("metrics.resize.SIDE", 75)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images and weights."""
    if "REAL_DATA" not in os.environ:
        pytest.skip("set REAL_DATA to the folder of real images and weights")
    return Path(os.environ["REAL_DATA"])
