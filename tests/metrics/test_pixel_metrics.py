"""L1, PSNR, SSIM and MS-SSIM beside their formulas."""

import math

import pytest
import torch
from torch import Tensor

from metrics.evaluation import Evaluation
from options.errors import UserError
from options.evaluation import EvaluationSettings
from tests.metrics.reports import CPU, of_pairs


def noise(count: int, side: int, seed: int = 0, channels: int = 3) -> Tensor:
    coarse = torch.rand(count, channels, side // 8 + 1, side // 8 + 1, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, (side, side), mode="bilinear")


def value(name: str, fake: Tensor, real: Tensor) -> float:
    return of_pairs([name], fake, real).scores[name].value


def test_l1_is_the_mean_difference_in_values_from_0_to_1() -> None:
    fake, real = torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 4)
    fake[0] = 0.5  # image 0: 0.5 everywhere
    fake[1, 0, 0, 0] = 1.0  # image 1: 1 in one of 48 values
    result = of_pairs(["l1"], fake, real)
    assert result.scores["l1"].value == pytest.approx((0.5 + 1 / 48) / 2)
    assert result.scores["l1"].spread == pytest.approx((0.5 - 1 / 48) / 2)
    assert result.per_image["l1"] == pytest.approx({"0.png": 0.5, "1.png": 1 / 48})


def test_psnr_is_the_formula_image_by_image() -> None:
    real = torch.zeros(2, 3, 8, 8)
    fake = torch.tensor([0.1, 0.01])[:, None, None, None].expand_as(real)
    result = of_pairs(["psnr"], fake, real)
    assert result.per_image["psnr"] == pytest.approx({"0.png": 20.0, "1.png": 40.0}, rel=1e-5)
    assert result.scores["psnr"].value == pytest.approx(30, rel=1e-5)


def test_psnr_of_equal_images_is_infinite_and_the_json_valid() -> None:
    result = of_pairs(["psnr"], noise(2, 16), noise(2, 16))
    assert result.scores["psnr"].value == math.inf
    assert result.scores["psnr"].spread is None
    plain = result.as_json()
    assert plain["scores"]["psnr"] == {"value": None, "spread": None, "better": "higher", "text": "inf"}
    assert plain["per_image"]["psnr"] == {"0.png": None, "1.png": None}


def test_ssim_of_plain_images_is_the_luminance_term() -> None:
    a, b, c1 = 0.4, 0.7, 0.01**2  # Wang et al. 2004, equation 6
    fake, real = torch.full((1, 3, 32, 32), a), torch.full((1, 3, 32, 32), b)
    assert value("ssim", fake, real) == pytest.approx((2 * a * b + c1) / (a * a + b * b + c1), rel=1e-3)


def test_ssim_is_that_of_scikit_image() -> None:
    metrics = pytest.importorskip("skimage.metrics")
    fake, real = noise(1, 64), (noise(1, 64) + 0.1 * torch.rand(1, 3, 64, 64)).clamp(0, 1)
    theirs = metrics.structural_similarity(
        fake[0].numpy(), real[0].numpy(), channel_axis=0, data_range=1, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False,
    )  # fmt: skip
    assert value("ssim", fake, real) == pytest.approx(theirs, rel=1e-4)


def test_ms_ssim_of_plain_images_is_the_luminance_term_of_the_smallest_scale() -> None:
    a, b, c1 = 0.4, 0.7, 0.01**2  # contrast and structure are 1; Wang et al. 2003, equation 7
    fake, real = torch.full((1, 1, 176, 176), a), torch.full((1, 1, 176, 176), b)
    expected = ((2 * a * b + c1) / (a * a + b * b + c1)) ** 0.1333
    assert value("ms_ssim", fake, real) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("name", "published"), [("ssim", 0.9219), ("ms_ssim", 0.9628)])
def test_the_examples_of_torchmetrics_come_out(name: str, published: float) -> None:
    fake = torch.rand(3, 3, 256, 256, generator=torch.Generator().manual_seed(0))  # theirs have another seed
    assert value(name, fake, fake * 0.75) == pytest.approx(published, abs=1e-3)


@pytest.mark.parametrize(("name", "best"), [("l1", 0.0), ("ssim", 1.0), ("ms_ssim", 1.0)])
def test_equal_images_have_the_best_value(name: str, best: float) -> None:
    images = noise(2, 176)
    assert value(name, images, images) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("name", ["l1", "psnr", "ssim", "ms_ssim"])
def test_more_noise_is_worse_and_batches_do_not_matter(name: str) -> None:
    real = noise(3, 176)
    strength = torch.tensor([0.02, 0.1, 0.3])[:, None, None, None]
    fake = (real + strength * (torch.rand(real.shape, generator=torch.Generator().manual_seed(5)) - 0.5)).clamp(0, 1)
    result, one_by_one = of_pairs([name], fake, real), of_pairs([name], fake, real, batch=1)
    values = list(result.per_image[name].values())
    assert values == sorted(values, reverse=result.scores[name].better == "higher")
    assert one_by_one.per_image[name] == pytest.approx(result.per_image[name], rel=1e-5)
    assert one_by_one.scores[name].value == pytest.approx(result.scores[name].value, rel=1e-5)


def test_images_of_several_channels_have_pixel_metrics() -> None:
    real = noise(1, 32, channels=5)
    assert set(of_pairs(["l1", "psnr", "ssim"], real * 0.9, real).scores) == {"l1", "psnr", "ssim"}


def test_cycles_are_measured_as_l1_in_a_score_of_their_own() -> None:
    evaluation = Evaluation(["cycle", "l1"], EvaluationSettings(), CPU)
    assert evaluation.needs == {"cycles", "pairs"}
    evaluation.add_pairs(torch.full((1, 3, 4, 4), 0.5), torch.zeros(1, 3, 4, 4), ["a"])
    evaluation.add_cycles(torch.full((1, 3, 4, 4), 0.25), torch.zeros(1, 3, 4, 4), ["a"])
    scores = evaluation.report().scores
    assert (scores["cycle"].value, scores["l1"].value) == (0.25, 0.5)


@pytest.mark.parametrize(("name", "least"), [("ssim", 11), ("ms_ssim", 176)])
def test_images_may_be_as_small_as_the_window_and_no_smaller(name: str, least: int) -> None:
    assert value(name, noise(1, least), noise(1, least)) == pytest.approx(1)
    with pytest.raises(
        UserError, match=rf"{name} needs images of at least {least}x{least} pixels, not {least - 1}x{least - 1}"
    ):
        value(name, noise(1, least - 1), noise(1, least - 1))


def test_a_metric_that_images_are_too_small_for_is_left_out_beside_others() -> None:
    result = of_pairs(["l1", "ms_ssim"], noise(2, 64), noise(2, 64), batch=1)
    assert set(result.scores) == {"l1"}
    assert result.warnings == ["ms_ssim needs images of at least 176x176 pixels, not 64x64: it was left out"]


def test_images_that_are_all_too_small_are_refused() -> None:
    with pytest.raises(UserError, match="needs images of at least .* ask for another metric"):
        of_pairs(["ssim", "ms_ssim"], noise(1, 8), noise(1, 8))


def test_partners_of_other_shapes_and_names_that_come_twice_are_refused() -> None:
    evaluation = Evaluation(["l1"], EvaluationSettings(), CPU)
    words = "the translation is 48x48 with 3 channels and its partner 44x44 with 3 channels; resize one"
    with pytest.raises(UserError, match=words):
        evaluation.add_pairs(noise(1, 48), noise(1, 44), ["a"])
    evaluation.add_pairs(noise(1, 48), noise(1, 48), ["a"])
    with pytest.raises(UserError, match="two images are called a; give each a name of its own"):
        evaluation.add_pairs(noise(1, 48), noise(1, 48), ["a"])
    with pytest.raises(UserError, match="two images are called b"):
        evaluation.add_pairs(noise(2, 48), noise(2, 48), ["b", "b"])
