"""What is kept of a real set, and when it is computed again."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from metrics.evaluation import Evaluation
from metrics.statistics_cache import cache_folder
from options.errors import UserError
from options.evaluation import EvaluationSettings, ResizeMode
from tests.images import an_image, write

CPU = torch.device("cpu")
FAKE = torch.rand(3, 3, 12, 12, generator=torch.Generator().manual_seed(0))
REAL = torch.rand(4, 3, 10, 14, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [write(an_image(n), tmp_path / "real" / f"{n}.png") for n in range(4)]


class Loader:
    """Yields the real set in two batches, and counts how often it was asked to."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> Iterator[Tensor]:
        self.calls += 1
        yield REAL[:1]
        yield REAL[1:]


def scores(settings: EvaluationSettings, files: list[Path], load: Loader, preparation: str = "") -> dict[str, float]:
    evaluation = Evaluation(["histogram"], settings, CPU)
    evaluation.real_set(files, load, preparation=preparation)
    evaluation.add_fake(FAKE, ["1", "2", "3"])
    report = evaluation.report()
    assert report.evaluator["images"] == {"fake": 3, "real": 4}
    return {name: score.value for name, score in report.scores.items()}


def kept(settings: EvaluationSettings) -> list[Path]:
    return sorted(Path(settings.statistics_cache).iterdir())


def test_the_second_evaluation_does_not_look_at_the_real_set(settings: EvaluationSettings, files: list[Path]) -> None:
    load = Loader()
    first = scores(settings, files, load)
    assert scores(settings, files, load) == first
    assert load.calls == 1
    [file] = kept(settings)
    assert file.suffix == ".pth"


def test_another_set_preparation_or_resize_mode_is_computed_anew(
    settings: EvaluationSettings, files: list[Path]
) -> None:
    load = Loader()
    scores(settings, files, load)
    scores(settings, files, load, preparation="256 pixels")
    scores(settings, files[:-1], load)
    os.utime(files[0], (1, 1))  # a file that was written again
    scores(settings, files, load)
    assert load.calls == 4


def test_a_damaged_file_is_computed_again_with_a_warning(
    settings: EvaluationSettings, files: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    load = Loader()
    first = scores(settings, files, load)
    [file] = kept(settings)
    whole = file.read_bytes()
    for damaged in (
        b"",
        whole[: len(whole) // 2],
        whole[: len(whole) // 2] + b"\1" + whole[len(whole) // 2 + 1 :],
        b"text",
    ):
        file.write_bytes(damaged)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert scores(settings, files, load) == first
        assert "is damaged" in caplog.text
        assert file.read_bytes() == whole
    assert load.calls == 5


def test_off_keeps_nothing(files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    load = Loader()
    for _ in range(2):
        scores(EvaluationSettings(statistics_cache="off"), files, load)
    assert load.calls == 2
    assert not (tmp_path / "home").exists()
    assert cache_folder("") == tmp_path / "home" / "hub" / "metric_statistics"


def test_a_folder_that_cannot_be_written_costs_a_warning_only(
    files: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert scores(EvaluationSettings(statistics_cache=str(tmp_path / "file" / "cache")), files, Loader())
    assert "could not be kept" in caplog.text


def test_a_missing_file_is_named(settings: EvaluationSettings, files: list[Path]) -> None:
    files[2].unlink()
    with pytest.raises(UserError, match=r"the image .*2.png of the real set cannot be read"):
        scores(settings, files, Loader())


@pytest.mark.usefixtures("small_inception")
def test_features_are_kept_for_one_resize_mode_and_one_file_of_weights(
    weights_folder: Path, tmp_path: Path, files: list[Path]
) -> None:
    def evaluate(mode: ResizeMode) -> int:
        load = Loader()
        chosen = EvaluationSettings(
            metric_weights=str(weights_folder), statistics_cache=str(tmp_path / "kept"), resize_mode=mode
        )
        evaluation = Evaluation(["fid", "histogram"], chosen, CPU)
        evaluation.real_set(files, load)
        return load.calls

    assert [evaluate("clean"), evaluate("clean"), evaluate("legacy_pytorch")] == [1, 0, 1]
    assert len(list((tmp_path / "kept").iterdir())) == 3  # features twice, histograms once
