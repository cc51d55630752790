"""``evaluate.py`` and ``test.py --metrics``: the scores of runs and of folders, as a user asks for them."""

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import PROJECT, RunCli
from tests.images import an_image, write
from tests.measuring import CYCLE, PAIRS
from tests.refusals import refused
from tests.runs import make_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A pix2pix run that has learned nothing."""
    return make_run(tmp_path / "checkpoints" / "pairs", "pix2pix", PAIRS)


def error_of(made: Path, label: str = "") -> float:
    """The mean absolute difference of the images of ``test.py``, from its files."""
    differences = []
    for path in made.glob(f"*_fake_B{label}.png"):
        a = np.asarray(Image.open(path).convert("RGB"), np.float64)
        b = np.asarray(Image.open(made / path.name.replace("fake_B", "real_B")).convert("RGB"), np.float64)
        differences.append(np.abs(a - b).mean() / 255)
    return float(np.mean(differences))


def test_a_runs_scores_are_those_of_the_files_that_test_writes(run: Path, aligned_root: Path, run_cli: RunCli) -> None:
    done = run_cli("test", ["--name", "pairs", "--dataroot", aligned_root, "--metrics", "l1,ssim"])
    assert done.code == 0, done.stderr
    folder = Path("results/pairs/test_latest")
    with_images = json.loads((folder / "metrics.json").read_text())
    assert with_images["scores"]["l1"]["value"] == pytest.approx(error_of(folder / "images"), abs=1e-6)
    assert re.search(r"l1 +0\.\d+ .*lower", done.stdout)
    done = run_cli("evaluate", ["pairs", "--dataroot", aligned_root, "--metrics", "l1,ssim", "--output", "own.json"])
    assert done.code == 0, done.stderr
    assert json.loads(Path("own.json").read_text())["scores"] == with_images["scores"]


def test_a_folder_of_the_real_images_is_perfect(aligned_root: Path, tmp_path: Path, run_cli: RunCli) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    for path in (aligned_root / "test").iterdir():
        with Image.open(path) as pair:
            pair.crop((pair.width // 2, 0, pair.width, pair.height)).save(folder / f"{path.stem}_fake_B.png")
    done = run_cli("evaluate", [folder, "--dataroot", aligned_root, "--metrics", "l1,ssim,psnr,histogram"])
    assert done.code == 0, done.stderr
    written = json.loads((tmp_path / "copies_metrics.json").read_text())
    scores = {name: score["value"] for name, score in written["scores"].items()}
    assert scores["l1"] == 0
    assert scores["ssim"] == pytest.approx(1)
    assert scores["histogram_L"] == pytest.approx(1)
    assert written["scores"]["psnr"] == {"value": None, "spread": None, "better": "higher", "text": "inf"}
    assert (tmp_path / "copies_metrics_best_and_worst.jpg").exists()
    assert written["about"]["phase"] == "test"


def test_with_direction_b_to_a_the_real_images_are_a(aligned_root: Path, tmp_path: Path, run_cli: RunCli) -> None:
    folder = tmp_path / "left"
    folder.mkdir()
    for path in (aligned_root / "test").iterdir():
        with Image.open(path) as pair:
            pair.crop((0, 0, pair.width // 2, pair.height)).save(folder / f"{path.stem}.png")
    for direction, same in (("BtoA", True), ("AtoB", False)):
        words = [folder, "--dataroot", aligned_root, "--metrics", "l1", "--direction", direction]
        assert run_cli("evaluate", words).code == 0
        value = json.loads((tmp_path / "left_metrics.json").read_text())["scores"]["l1"]["value"]
        assert (value == 0) is same


def test_images_without_partners_are_compared_as_a_set(unaligned_root: Path, tmp_path: Path, run_cli: RunCli) -> None:
    folder = tmp_path / "others"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (20, 20), (100, 0, 20 * number)).save(folder / f"made {number}.png")
    words = [folder, "--dataroot", unaligned_root]
    assert run_cli("evaluate", [*words, "--metrics", "histogram"]).code == 0
    written = json.loads((tmp_path / "others_metrics.json").read_text())
    assert set(written["scores"]) == {"histogram_L", "histogram_a", "histogram_b"}
    refused(run_cli("evaluate", [*words, "--metrics", "l1"]), "l1 cannot be measured.*made 0.png has no partner")


def test_cycle_gan_has_scores_both_ways_and_an_image_of_each_and_the_smaller_side_counts_once(
    tmp_path: Path, unaligned_root: Path, run_cli: RunCli
) -> None:
    make_run(tmp_path / "checkpoints" / "cg", "cycle_gan", CYCLE)
    for number in range(3):
        write(an_image(number), unaligned_root / "testB" / f"extra{number}.png")
    done = run_cli("evaluate", ["cg", "--dataroot", unaligned_root, "--metrics", "cycle,histogram"])
    assert done.code == 0, done.stderr
    written = json.loads(Path("results/cg/test_latest/metrics.json").read_text())
    assert {"cycle_G_A", "cycle_G_B", "histogram_L_G_A", "histogram_L_G_B"} <= set(written["scores"])
    assert list(written["generators"]["G_A"]["per_image"]["cycle"]) == ["a0.png", "a1.png"]
    counts = {name: one["evaluator"]["images"] for name, one in written["generators"].items()}
    assert counts == {"G_A": {"cycles": 2, "fake": 2, "real": 5}, "G_B": {"cycles": 5, "fake": 5, "real": 2}}
    with Image.open("results/cg/test_latest/metrics_best_and_worst.jpg") as shown:
        assert min(shown.size) > 300
    assert "Generator G_A" in done.stdout


def test_colorization_is_measured_in_rgb(tmp_path: Path, colour_root: Path, run_cli: RunCli) -> None:
    make_run(tmp_path / "checkpoints" / "co", "colorization", PAIRS)
    done = run_cli("test", ["--name", "co", "--model", "colorization", "--dataroot", colour_root, "--metrics", "l1"])
    assert done.code == 0, done.stderr
    folder = Path("results/co/test_latest")
    written = json.loads((folder / "metrics.json").read_text())
    assert written["scores"]["l1"]["value"] == pytest.approx(error_of(folder / "images", "_rgb"), abs=1e-6)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--dataroot x", "say first what to measure"),
        ("nothing --dataroot {pairs}", "there is no run .*nothing"),
        ("pairs --dataroot {pairs} --metrics nice", "unknown metric 'nice'"),
        ("pairs --dataroot nowhere --metrics l1", "nowhere"),
        ("pairs --dataroot {pairs} --metrics labels", "--palette"),
        ("pairs --dataroot {pairs} --metrics lpips --metric_weights nowhere", "nowhere"),
        ("pairs --dataroot {pairs} --no_such_flag", "unknown flag '--no_such_flag'"),
        ("pairs --dataroot {pairs} --model test --metrics l1", "has no real images of the other side"),
        ("pairs --dataroot {pairs} --metrics l1 --name pairs", "--name.*RUN.*first word"),
        ("pairs --dataroot {pairs} --metrics l1 --suffix x", "--suffix.*RUN.*first word"),
        ("checkpoints/pairs --dataroot {pairs} --checkpoints_dir other", "--checkpoints_dir.*leave it out"),
        ("pairs --dataroot {pairs} --metrics l1 --label fake_B", "--label.*folder of images.*pairs is a run"),
        ("pairs --dataroot {pairs} --metrics l1 --output checkpoints", "--output checkpoints is a folder"),
        ("{pairs}/test --dataroot {pairs} --metrics histogram --label fake_B", r"ends in _fake_B"),
        ("{pairs}/test --dataroot {pairs} --metrics cycle", "no way back"),
    ],
)
def test_a_mistake_is_one_sentence(words: str, sentence: str, run: Path, aligned_root: Path, run_cli: RunCli) -> None:
    refused(run_cli("evaluate", words.format(pairs=aligned_root).split()), sentence)


def test_images_that_are_all_damaged_are_told(run: Path, aligned_root: Path, run_cli: RunCli) -> None:
    for path in (aligned_root / "test").iterdir():
        path.write_bytes(b"hello")
    done = run_cli("evaluate", ["pairs", "--dataroot", aligned_root, "--metrics", "l1", "--on_bad_image", "skip"])
    refused(done, "none of the images could be translated; the messages above say why")


@pytest.mark.parametrize("program", ["evaluate", "test"])
def test_it_works_in_one_process(program: str) -> None:
    """Each of several would measure, or write, a part of the images."""
    one_of_two = os.environ | {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1"}  # as torchrun starts it
    command = [sys.executable, str(PROJECT / f"{program}.py"), "pairs", "--dataroot", "x"]
    done = subprocess.run(command, env=one_of_two, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"{program}.py works in one process, not 2; start it without torchrun" in done.stderr


def test_scores_outlive_an_image_that_cannot_be_written(
    run: Path, aligned_root: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(image: object) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("inference.evaluating.result.jpeg", full)
    done = run_cli("evaluate", ["pairs", "--dataroot", aligned_root, "--metrics", "l1", "--output", "own.json"])
    refused(done, "own_best_and_worst.jpg.*No space left.*the scores are in own.json")
    assert json.loads(Path("own.json").read_text())["scores"]["l1"]["value"] > 0


@pytest.mark.skipif("REAL_DATA" not in os.environ, reason="needs real images and weights")
def test_the_official_outputs_have_the_scores_of_pytorch_fid(run_cli: RunCli) -> None:
    data = Path(os.environ["REAL_DATA"])
    done = run_cli(
        "evaluate",
        [
            data / "official_outputs" / "horse2zebra_pretrained",
            *("--dataroot", data / "horse2zebra", "--metrics", "fid", "--resize_mode", "legacy_pytorch"),
            *("--metric_weights", data / "metric_weights", "--output", "out.json", "--statistics_cache", "cache"),
        ],
    )
    assert done.code == 0, done.stderr
    assert json.loads(Path("out.json").read_text())["scores"]["fid"]["value"] == pytest.approx(90.5762, rel=1e-3)
