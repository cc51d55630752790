"""The public door: what goes in, what is refused, what does not matter."""

import json
from pathlib import Path
from types import MappingProxyType

import pytest
import torch
from torch import Tensor

from metrics.base import METRICS, Score, SetMetric
from metrics.evaluation import Evaluation
from metrics.report import Report
from options.errors import UserError
from options.evaluation import EvaluationSettings
from tests.metrics.reports import CPU, of_pairs, of_sets

pytestmark = pytest.mark.usefixtures("small_inception")

SETS = ["fid", "kid", "histogram"]


def images(count: int, seed: int, size: tuple[int, int] = (40, 48), channels: int = 3) -> Tensor:
    return torch.rand(count, channels, *size, generator=torch.Generator().manual_seed(seed))


def names(count: int) -> list[str]:
    return [f"{n}.png" for n in range(count)]


def set_report(settings: EvaluationSettings, fake: Tensor, real: Tensor, batch: int = 100) -> Report:
    return of_sets(SETS, torch.split(fake, batch), torch.split(real, batch), settings)


def values(report: Report) -> list[float]:
    return [score.value for score in report.scores.values()]


def test_batches_do_not_matter_and_a_second_time_gives_the_same(settings: EvaluationSettings) -> None:
    fake, real = images(3, 0), images(4, 1)
    before = torch.get_rng_state()
    first = set_report(settings, fake, real)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(7)
    assert values(set_report(settings, fake, real)) == values(first)
    assert values(set_report(settings, fake, real, batch=1)) == pytest.approx(values(first), rel=1e-5, abs=1e-7)
    assert first.scores["fid"].value > 1e-3


def test_what_a_training_chose_around_it_does_not_matter(settings: EvaluationSettings) -> None:
    fake, real = images(2, 0), images(2, 1)
    plain = set_report(settings, fake, real)
    with torch.autocast("cpu", torch.bfloat16):
        assert values(set_report(settings, fake.requires_grad_(), real)) == values(plain)


def test_a_set_and_itself_are_not_apart(settings: EvaluationSettings) -> None:
    report = set_report(settings, images(4, 0), images(4, 0).flip(0))
    assert abs(report.scores["fid"].value) < 1e-3
    assert values(report)[2:] == [1, 1, 1]


def test_gray_images_are_taken_for_colour_and_sizes_may_differ(settings: EvaluationSettings) -> None:
    gray, real = images(2, 0, channels=1), images(2, 1)
    coloured = gray.expand(-1, 3, -1, -1)
    assert values(set_report(settings, gray, real)) == values(set_report(settings, coloured, real))
    mixed = [[images(1, seed + n, size) for n, size in enumerate([(40, 48), (30, 20)])] for seed in (0, 10)]
    assert of_sets(["fid"], mixed[1], mixed[0], settings).evaluator["image_sizes"] == {"sets 48x40": 1, "sets 20x30": 1}


def test_images_are_rounded_to_8_bits_as_in_their_files(settings: EvaluationSettings) -> None:
    fake, real = images(2, 0), images(2, 1)
    rounded = (fake * 255).round() / 255
    assert values(set_report(settings, rounded, real)) == values(set_report(settings, fake, real))


def test_starting_over_keeps_the_real_set(settings: EvaluationSettings) -> None:
    evaluation = Evaluation([*SETS, "l1"], settings, CPU)
    evaluation.add_real(images(2, 1))
    reports = []
    for seed in (5, 0):
        evaluation.start_over()
        evaluation.add_fake(images(2, seed), names(2))
        evaluation.add_pairs(images(2, seed), images(2, 1), names(2))
        reports.append(evaluation.report())
    assert values(reports[0]) != values(reports[1])
    assert values(reports[1])[:-1] == values(set_report(settings, images(2, 0), images(2, 1)))
    assert reports[1].evaluator["images"] == {"pairs": 2, "fake": 2, "real": 2}


def test_each_entry_of_the_table_says_what_it_needs_and_yields() -> None:
    assert set(METRICS) >= {"fid", "kid", "lpips", "psnr", "ssim", "ms_ssim", "l1", "histogram", "labels", "segmented"}
    for name in METRICS:
        metric = METRICS[name]
        assert metric.needs in ("sets", "pairs", "labelled", "cycles")
        assert metric.scores
        assert set(metric.scores.values()) <= {"lower", "higher"}
    every = [score for name in METRICS for score in METRICS[name].scores]
    assert len(set(every)) == len(every)


class Brightness:
    """Describes an image by its mean."""

    key = "brightness"

    def __init__(self, settings: EvaluationSettings, device: torch.device) -> None:
        pass

    def __call__(self, images: Tensor) -> Tensor:
        return images.mean((1, 2, 3))

    def about(self) -> dict[str, object]:
        return {"brightness": "mean"}


class BrightnessDistance(SetMetric):
    description = Brightness
    scores = MappingProxyType({"brightness": "lower"})

    def compare(self, fake: Tensor, real: Tensor) -> dict[str, Score]:
        return self.named(float((fake.mean() - real.mean()).abs()))


def test_a_metric_with_rows_of_its_own_needs_no_more_than_its_classes(
    settings: EvaluationSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METRICS._table, "brightness", BrightnessDistance)
    evaluation = Evaluation(["brightness"], settings, CPU)
    evaluation.add_fake(torch.full((2, 3, 4, 4), 0.25), names(2))
    evaluation.real_set([], lambda: [torch.full((1, 3, 4, 4), 0.75)])
    report = evaluation.report()
    assert report.scores == {"brightness": Score(0.5, None, "lower")}
    assert report.evaluator["brightness"] == "mean"


def test_needs_and_scores_are_those_of_the_metrics(settings: EvaluationSettings) -> None:
    evaluation = Evaluation(["psnr", "cycle", "histogram"], settings, CPU)
    assert evaluation.needs == {"pairs", "cycles", "sets"}
    assert evaluation.scores == {
        "psnr": "higher",
        "cycle": "lower",
        "histogram_L": "higher",
        "histogram_a": "higher",
        "histogram_b": "higher",
    }


def test_what_nobody_needs_is_ignored(settings: EvaluationSettings) -> None:
    evaluation = Evaluation(["l1"], settings, CPU)
    evaluation.add_pairs(images(2, 0), images(2, 1), names(2))
    evaluation.add_cycles(images(2, 0), images(2, 1), names(2))
    evaluation.add_fake(images(2, 0), names(2))
    evaluation.add_real(images(2, 0))
    evaluation.real_set([], list)
    assert set(evaluation.report().scores) == {"l1"}


def test_few_images_are_warned_of(settings: EvaluationSettings) -> None:
    report = set_report(settings, images(2, 0), images(3, 1))
    assert len(report.warnings) == 1
    assert report.warnings[0].startswith(
        "2 translations against 3 real images: with fewer than 2,000 of either, FID is"
    )
    assert "prefer KID" in report.warnings[0]


def test_the_report_says_what_the_scores_depend_on(settings: EvaluationSettings) -> None:
    report = set_report(settings, images(4, 0), images(3, 1))
    about = report.evaluator
    assert about["torch"] == torch.__version__
    assert about["torchmetrics"]
    assert about["images"] == {"fake": 4, "real": 3}
    assert about["image_sizes"] == {"sets 48x40": 4}
    assert about["resize_mode"] == "clean"
    assert about["inception"]["file"] == "inception_v3_fid_2015-12-05_nofc_torchvision_names.pth"
    assert len(about["inception"]["sha256"]) == 64
    assert about["kid"] == {"subsets": 100, "subset_size": 2, "seed": 2018}
    assert json.loads(json.dumps(report.as_json(), allow_nan=False)) == report.as_json()


def test_the_table_lines_values_up_and_names_the_better_way() -> None:
    report = of_pairs(["l1", "psnr"], torch.full((1, 3, 4, 4), 0.5), torch.zeros(1, 3, 4, 4))
    assert report.table().splitlines() == [
        "metric   value  spread  better",
        "l1         0.5       0  lower",
        "psnr    6.0206       0  higher",
    ]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (["fidd"], "unknown metric 'fidd'; did you mean 'fid'"),
        ([], "no metric is named; known: .*fid"),
    ],
)
def test_unknown_metrics_are_refused(settings: EvaluationSettings, chosen: list[str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        Evaluation(chosen, settings, CPU)


def test_missing_weights_are_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--metric_weights .* is no folder"):
        Evaluation(["fid"], EvaluationSettings(metric_weights=str(tmp_path / "none")), CPU)
    other = tmp_path / "pt_inception-2015-12-05-6726825d.pth"
    torch.save({"weight": torch.zeros(2)}, other)
    with pytest.raises(UserError, match="6726825d.pth does not hold the Inception network of FID; remove it"):
        Evaluation(["fid"], EvaluationSettings(metric_weights=str(tmp_path)), CPU)


def test_too_few_images_are_said(settings: EvaluationSettings) -> None:
    evaluation = Evaluation(["fid"], settings, CPU)
    evaluation.add_fake(images(2, 0), names(2))
    with pytest.raises(UserError, match="fid needs at least 2 real images, and 0 came"):
        evaluation.report()
    with pytest.raises(UserError, match="l1 compares pairs of images, and none came; give some, or leave it out"):
        Evaluation(["l1"], settings, CPU).report()
    with pytest.raises(UserError, match="histogram needs at least 1 translations, and 0 came"):
        Evaluation(["histogram"], settings, CPU).report()


def test_images_that_are_not_numbers_or_have_other_channels_are_refused(settings: EvaluationSettings) -> None:
    evaluation = Evaluation(["fid", "l1"], settings, CPU)
    broken = images(1, 0)
    broken[0, 0, 0, 0] = float("nan")
    with pytest.raises(UserError, match="not finite numbers; look at the training's losses"):
        evaluation.add_fake(broken, ["a"])
    with pytest.raises(UserError, match="not finite numbers"):
        evaluation.add_pairs(images(1, 0), broken, ["a"])
    with pytest.raises(UserError, match="of Inception's features is made for images of 1 or 3 channels, not 4"):
        evaluation.add_fake(images(1, 0, channels=4), ["a"])
    with pytest.raises(AssertionError, match=r"in \[0, 1\]"):
        evaluation.add_fake(images(1, 0) * 2 - 1, ["a"])
