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
from tests.runs import make_run

SMALL = ("--load_size", 36, "--crop_size", 32)
PIX2PIX = "--netG resnet_1blocks --norm instance --load_size 32 --crop_size 32"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A pix2pix run that has learned nothing."""
    return make_run(tmp_path / "checkpoints" / "pairs", "pix2pix", PIX2PIX)


def error_of(made: Path, real: Path, side: str) -> float:
    """The mean absolute difference of the images of ``test.py``, from its files."""
    differences = []
    for path in sorted(made.glob("*_fake_B.png")):
        a = np.asarray(Image.open(path).convert("RGB"), np.float64)
        b = np.asarray(Image.open(made / path.name.replace("fake_B", side)).convert("RGB"), np.float64)
        differences.append(np.abs(a - b).mean() / 255)
    return float(np.mean(differences))


def test_a_runs_scores_are_those_of_the_files_that_test_writes(run: Path, aligned_root: Path, run_cli: RunCli) -> None:
    done = run_cli("test", ["--name", "pairs", "--dataroot", aligned_root, "--metrics", "l1,ssim"])
    assert done.code == 0, done.stderr
    folder = Path("results/pairs/test_latest")
    expected = error_of(folder / "images", aligned_root, "real_B")
    with_images = json.loads((folder / "metrics.json").read_text())
    assert with_images["scores"]["l1"]["value"] == pytest.approx(expected, abs=1e-6)
    assert re.search(r"l1 +0\.\d+ .*lower", done.stdout)
    done = run_cli("evaluate", ["pairs", "--dataroot", aligned_root, "--metrics", "l1,ssim", "--output", "own.json"])
    assert done.code == 0, done.stderr
    assert json.loads(Path("own.json").read_text())["scores"] == with_images["scores"]
    done = run_cli(
        "evaluate",
        [folder / "images", "--dataroot", aligned_root, "--metrics", "l1", "--output", "folder.json"],
    )
    refused_size = done.code == 2  # the files of 32 pixels against real ones of 40 x 36
    assert refused_size
    assert "32" in done.stderr


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
    refused_sentence(
        run_cli("evaluate", [*words, "--metrics", "l1"]), "l1 cannot be measured.*made 0.png has no partner"
    )


def test_a_plain_folder_can_be_the_real_set(tmp_path: Path, run_cli: RunCli) -> None:
    for name, color in (("made", (200, 10, 10)), ("real", (200, 10, 10))):
        (tmp_path / name).mkdir()
        Image.new("RGB", (20, 20), color).save(tmp_path / name / f"{name}.png")
    done = run_cli("evaluate", [tmp_path / "made", "--dataroot", tmp_path / "real", "--metrics", "histogram"])
    assert done.code == 0, done.stderr
    written = json.loads((tmp_path / "made_metrics.json").read_text())
    assert written["scores"]["histogram_a"]["value"] == pytest.approx(1)


def test_cycle_gan_has_scores_both_ways_and_an_image_of_each(
    tmp_path: Path, unaligned_root: Path, run_cli: RunCli
) -> None:
    make_run(tmp_path / "checkpoints" / "cg", "cycle_gan", "--netG resnet_1blocks --load_size 32 --crop_size 32")
    done = run_cli("evaluate", ["cg", "--dataroot", unaligned_root, "--metrics", "cycle,histogram"])
    assert done.code == 0, done.stderr
    written = json.loads(Path("results/cg/test_latest/metrics.json").read_text())
    assert {"cycle_G_A", "cycle_G_B", "histogram_L_G_A", "histogram_L_G_B"} <= set(written["scores"])
    assert list(written["generators"]["G_A"]["per_image"]["cycle"]) == sorted(
        path.name for path in (unaligned_root / "testA").iterdir()
    )
    with Image.open("results/cg/test_latest/metrics_best_and_worst.jpg") as shown:
        assert min(shown.size) > 300
    assert "Generator G_A" in done.stdout


def test_the_smaller_side_counts_once(tmp_path: Path, unaligned_root: Path, run_cli: RunCli) -> None:
    make_run(tmp_path / "checkpoints" / "cg", "cycle_gan", "--netG resnet_1blocks --load_size 32 --crop_size 32")
    extra = unaligned_root / "testB"
    for number in range(3):
        Image.new("RGB", (40, 36), (10, 200, 0)).save(extra / f"extra{number}.png")
    assert run_cli("evaluate", ["cg", "--dataroot", unaligned_root, "--metrics", "histogram"]).code == 0
    written = json.loads(Path("results/cg/test_latest/metrics.json").read_text())
    counts = {name: one["evaluator"]["images"] for name, one in written["generators"].items()}
    assert counts == {"G_A": {"fake": 2, "real": 5}, "G_B": {"fake": 5, "real": 2}}


def test_colorization_is_measured_in_rgb(tmp_path: Path, colour_root: Path, run_cli: RunCli) -> None:
    make_run(tmp_path / "checkpoints" / "co", "colorization", PIX2PIX)
    done = run_cli("test", ["--name", "co", "--model", "colorization", "--dataroot", colour_root, "--metrics", "l1"])
    assert done.code == 0, done.stderr
    folder = Path("results/co/test_latest")
    made = [np.asarray(Image.open(path), np.float64) for path in sorted((folder / "images").glob("*_fake_B_rgb.png"))]
    real = [np.asarray(Image.open(path), np.float64) for path in sorted((folder / "images").glob("*_real_B_rgb.png"))]
    expected = np.mean([np.abs(a - b).mean() / 255 for a, b in zip(made, real, strict=True)])
    written = json.loads((folder / "metrics.json").read_text())
    assert written["scores"]["l1"]["value"] == pytest.approx(expected, abs=1e-6)


def refused_sentence(done: object, words: str) -> None:
    code, out, err = done  # type: ignore[misc]
    assert code == 2, err
    assert "Traceback" not in out + err
    sentence = err.strip().splitlines()[-1]
    assert sentence.startswith("evaluate.py: error: ")
    assert re.search(words, sentence), sentence


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
    refused_sentence(run_cli("evaluate", words.format(pairs=aligned_root).split()), sentence)


def test_it_works_in_one_process(run: Path, aligned_root: Path, tmp_path: Path) -> None:
    """Each of several would measure a part of the images."""
    words = ["pairs", "--dataroot", aligned_root, "--metrics", "l1", "--gpu_ids", "-1", "--output", "out.json"]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    command = [*launch, PROJECT / "evaluate.py", *words]
    done = subprocess.run(list(map(str, command)), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "evaluate.py works in one process, not 2; start it without torchrun" in done.stderr
    assert not (tmp_path / "out.json").exists()


def test_scores_outlive_an_image_that_cannot_be_written(
    run: Path, aligned_root: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(image: object) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("inference.evaluating.result.jpeg", full)
    done = run_cli("evaluate", ["pairs", "--dataroot", aligned_root, "--metrics", "l1", "--output", "own.json"])
    refused_sentence(done, "own_best_and_worst.jpg.*No space left.*the scores are in own.json")
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
