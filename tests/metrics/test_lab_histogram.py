"""Colours in common, counted by hand and by scikit-image."""

import pytest
import torch
from torch import Tensor

from tests.metrics.reports import of_sets

WHITE, BLACK = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
CHANNELS = ("histogram_L", "histogram_a", "histogram_b")


def plain(*colours: tuple[float, float, float], side: int = 4) -> Tensor:
    """Images of one colour each."""
    return torch.tensor(colours)[:, :, None, None].expand(-1, -1, side, side)


def values(fake: list[Tensor], real: list[Tensor]) -> list[float]:
    scores = of_sets(["histogram"], fake, real).scores
    return [scores[name].value for name in CHANNELS]


def test_colours_in_common_are_counted_channel_by_channel() -> None:
    # three quarters black against one quarter black: 1/4 + 1/4 in L; a and b are 0 for all grays
    fake, real = plain(BLACK, BLACK, BLACK, WHITE), plain(BLACK, WHITE, WHITE, WHITE)
    assert values([fake], [real]) == pytest.approx([0.5, 1, 1])


def test_colours_of_one_lightness_differ_in_a_and_b() -> None:
    red, its_gray = (1.0, 0.0, 0.0), (0.4981, 0.4981, 0.4981)  # both L = 53.2
    assert values([plain(red)], [plain(its_gray)]) == pytest.approx([1, 0, 0])


def test_an_image_weighs_as_many_pixels_as_it_has() -> None:
    fake = [plain(BLACK, side=3), plain(WHITE, side=1)]  # 9 and 1 pixels
    assert values(fake, [plain(BLACK)])[0] == pytest.approx(0.9)


def test_the_same_set_gives_1_in_any_order_and_batches() -> None:
    images = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert values([images], [images[3:], images[:3]]) == pytest.approx([1, 1, 1])


def test_gray_images_have_no_colour() -> None:
    gray = torch.rand(2, 1, 8, 8)
    assert values([gray], [gray.expand(-1, 3, -1, -1)]) == pytest.approx([1, 1, 1])


def test_lab_is_that_of_scikit_image() -> None:
    color = pytest.importorskip("skimage.color")
    image = (torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1)) * 255).round() / 255
    lab = torch.from_numpy(color.rgb2lab(image[0].permute(1, 2, 0).double().numpy())).reshape(-1, 3)
    fake, real = lab[:128], lab[128:]  # the upper half against the lower
    expected = []
    for channel, (low, high) in enumerate([(-0.5, 100.5), (-128.5, 127.5), (-128.5, 127.5)]):
        counts = [torch.histc(part[:, channel], int(high - low), low, high) / 128 for part in (fake, real)]
        expected.append(float(torch.minimum(*counts).sum()))
    assert values([image[:, :, :8]], [image[:, :, 8:]]) == pytest.approx(expected, abs=1e-6)


def test_the_report_says_what_the_bins_are() -> None:
    report = of_sets(["histogram"], [plain(BLACK)], [plain(BLACK)])
    assert "whole numbers" in report.evaluator["histogram"]
