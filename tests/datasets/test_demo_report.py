"""What ``make demo`` does, in small: draw, train, test, report."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import demo_report, make_demo_dataset
from tests.conftest import RunCli
from tests.datasets.conftest import Refusal


def write_results(folder: Path, *, put_on: str, taken_off: str) -> None:
    """One held-out creature: gray, with a black stripe on one half of the image."""
    images = {"plain": np.full((8, 8, 3), 200, np.uint8)}
    images["striped"] = images["plain"].copy()
    images["striped"][:, :4] = 0
    for label, kind in {"real_A": "plain", "fake_B": put_on, "real_B": "striped", "fake_A": taken_off}.items():
        Image.fromarray(images[kind]).save(folder / f"c_{label}.png")


def test_a_perfect_translation_has_no_error_and_doing_nothing_has_all(tmp_path: Path) -> None:
    write_results(tmp_path, put_on="striped", taken_off="plain")
    assert demo_report.measure(tmp_path) == (0, 0, 200, 0)
    write_results(tmp_path, put_on="plain", taken_off="striped")
    assert demo_report.measure(tmp_path) == (200, 200, 200, 0)


def test_what_changes_elsewhere_is_told_apart(tmp_path: Path) -> None:
    write_results(tmp_path, put_on="striped", taken_off="plain")
    Image.fromarray(np.full((8, 8, 3), 190, np.uint8)).save(tmp_path / "c_fake_B.png")
    errors = demo_report.measure(tmp_path)
    assert (errors.stripes_on, errors.elsewhere) == (190, 5)  # 10 levels in one of two directions


def test_the_demo_from_drawing_to_report(
    run_cli: RunCli, tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "datasets" / "creatures"
    assert make_demo_dataset.main([str(root), "--size", "36", "--train", "2", "--test", "2"]) == 0
    flags = ["--dataroot", root, "--name", "creatures", "--netG", "resnet_1blocks", *tiny]
    assert run_cli("train", flags).code == 0
    assert run_cli("test", ["--name", "creatures"]).code == 0
    assert demo_report.main([]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 5
    for page in (Path("results/creatures/test_latest/index.html"), Path("checkpoints/creatures/web/index.html")):
        assert page.is_file()
        assert str(page) in lines[2]


def test_without_results_the_report_says_what_to_run(tmp_path: Path, refusal: Refusal) -> None:
    assert "run make demo" in refusal(demo_report.main(["--results_dir", str(tmp_path)]))


def test_a_damaged_result_is_named(tmp_path: Path, refusal: Refusal) -> None:
    images = tmp_path / "creatures" / "test_latest" / "images"
    images.mkdir(parents=True)
    write_results(images, put_on="striped", taken_off="plain")
    (images / "c_fake_B.png").write_bytes(b"no image")
    message = refusal(demo_report.main(["--results_dir", str(tmp_path)]))
    assert f"cannot read {images / 'c_fake_B.png'} (" in message
    assert "run test.py again" in message
