"""LPIPS beside the package ``lpips``."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from metrics.evaluation import Evaluation
from options.errors import UserError
from options.evaluation import EvaluationSettings
from tests.metrics.reports import CPU, of_pairs


def images(count: int, size: tuple[int, int], seed: int, channels: int = 3) -> Tensor:
    return torch.rand(count, channels, *size, generator=torch.Generator().manual_seed(seed))


def distances(settings: EvaluationSettings, fake: Tensor, real: Tensor) -> dict[str, float]:
    return of_pairs(["lpips"], fake, real, settings).per_image["lpips"]


def reference_distances(folder: Path, fake: Tensor, real: Tensor, heads: str = "") -> Tensor:
    """What the package ``lpips`` says, with the same AlexNet.

    Args:
        heads: file of them in the folder; those of the package unless given.
    """
    lpips = pytest.importorskip("lpips")
    network = lpips.LPIPS(net="alex", pnet_rand=True, pretrained=not heads, verbose=False)
    if heads:
        network.load_state_dict(torch.load(folder / heads, weights_only=True), strict=False)
    file = folder / "alexnet_imagenet_features_torchvision_names.pth"
    weights = {name.removeprefix("features."): value for name, value in torch.load(file, weights_only=True).items()}
    for part in (network.net.slice1, network.net.slice2, network.net.slice3, network.net.slice4, network.net.slice5):
        part.load_state_dict({name: weights[name] for name in part.state_dict()})
    with torch.no_grad():
        result: Tensor = network(fake, real, normalize=True)
    return result.reshape(-1)


@pytest.mark.parametrize("size", [(64, 64), (31, 50)])
def test_distances_are_those_of_the_package_lpips(
    settings: EvaluationSettings, weights_folder: Path, size: tuple[int, int]
) -> None:
    fake, real = images(3, size, 0), images(3, size, 1)
    ours = torch.tensor(list(distances(settings, fake, real).values()))
    assert ours.min() > 0
    torch.testing.assert_close(ours, reference_distances(weights_folder, fake, real), rtol=1e-4, atol=1e-7)


def test_equal_images_have_none_and_gray_is_a_colour(settings: EvaluationSettings) -> None:
    gray = images(1, (40, 40), 0, channels=1)
    assert distances(settings, gray, gray) == {"0.png": 0.0}
    coloured = distances(settings, gray.expand(-1, 3, -1, -1), images(1, (40, 40), 1))
    assert distances(settings, gray, images(1, (40, 40), 1)[:, :1]) != coloured


def test_building_it_draws_no_random_numbers(settings: EvaluationSettings) -> None:
    before = torch.get_rng_state()
    Evaluation(["lpips"], settings, CPU)
    assert torch.equal(torch.get_rng_state(), before)


def test_images_too_small_for_alexnet_are_refused(settings: EvaluationSettings) -> None:
    with pytest.raises(UserError, match="lpips needs images of at least 31x31 pixels, not 40x30"):
        distances(settings, images(1, (30, 40), 0), images(1, (30, 40), 1))


def test_images_of_two_channels_are_refused(settings: EvaluationSettings) -> None:
    with pytest.raises(UserError, match="lpips is made for images of 1 or 3 channels, not 2; leave it out"):
        distances(settings, images(1, (40, 40), 0, channels=2), images(1, (40, 40), 1, channels=2))


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(3)}, tmp_path / "alexnet-owt-7be5be79.pth")
    with pytest.raises(UserError, match=r"alexnet-owt-7be5be79.pth does not hold the AlexNet of LPIPS; remove it"):
        Evaluation(["lpips"], EvaluationSettings(metric_weights=str(tmp_path)), CPU)


def test_the_report_names_the_weights(settings: EvaluationSettings) -> None:
    report = of_pairs(["lpips"], images(1, (40, 40), 0), images(1, (40, 40), 1), settings)
    about = report.evaluator["alexnet"]
    assert about["file"] == "alexnet_imagenet_features_torchvision_names.pth"
    assert len(about["sha256"]) == 64
