"""``--metrics`` where the data are not as tidy as they might be."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import RunCli
from tests.images import an_image, write
from tests.measuring import PAIRS
from tests.refusals import refused
from tests.runs import make_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A pix2pix run that has learned nothing."""
    return make_run(tmp_path / "checkpoints" / "pairs", "pix2pix", f"--no_dropout {PAIRS}")


def measured(folder: str = "results/pairs/test_latest") -> dict[str, float]:
    return json.loads(Path(folder, "metrics.json").read_text())["per_image"]["l1"]  # type: ignore[no-any-return]


def test_a_damaged_image_is_left_out_and_the_others_keep_their_scores(
    run: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    for number in range(5):
        write(an_image(number, (64, 32)), tmp_path / "data" / "test" / f"{number}.png")
    flags = ["--name", "pairs", "--dataroot", tmp_path / "data", "--metrics", "l1,histogram"]
    assert run_cli("test", flags).code == 0
    whole = measured()
    bad = tmp_path / "data" / "test" / "1.png"
    bad.write_bytes(bad.read_bytes()[:60])
    refused(run_cli("test", flags), "1.png")
    done = run_cli("test", [*flags, "--on_bad_image", "skip"])
    assert done.code == 0, done.stderr
    rest = measured()
    assert set(rest) == {"0.png", "2.png", "3.png", "4.png"}
    assert all(rest[name] == pytest.approx(whole[name]) for name in rest)
    assert Path("results/pairs/test_latest/metrics_best_and_worst.jpg").exists()


def test_images_of_one_name_in_different_folders_are_told_apart(run: Path, tmp_path: Path, run_cli: RunCli) -> None:
    rows = []
    for number, folder in enumerate(("x", "y")):
        for side in "ab":
            write(Image.new("RGB", (32, 32), (50 * number, 100, 0)), tmp_path / folder / side / "1.png")
        rows.append(f"{tmp_path}/{folder}/a/1.png,{tmp_path}/{folder}/b/1.png,test")
    listed = tmp_path / "lists" / "pairs.csv"
    listed.parent.mkdir()
    listed.write_text("\n".join(["a,b,phase", *rows]) + "\n")
    done = run_cli("test", ["--name", "pairs", "--dataroot", listed, "--metrics", "l1"])
    assert done.code == 0, done.stderr
    assert len(measured()) == 2


def test_one_input_with_several_targets_is_measured_against_each(run: Path, tmp_path: Path, run_cli: RunCli) -> None:
    for name, level in (("a", 0), ("b1", 100), ("b2", 200)):
        Image.new("RGB", (32, 32), (level, level, level)).save(tmp_path / f"{name}.png")
    listed = tmp_path / "pairs.csv"
    listed.write_text("a,b,phase\na.png,b1.png,test\na.png,b2.png,test\n")
    assert run_cli("test", ["--name", "pairs", "--dataroot", listed, "--metrics", "l1"]).code == 0
    assert len(set(measured().values())) == 2


@pytest.mark.parametrize("size", [1, 3])
def test_batches_of_any_size_give_the_same_scores_where_the_networks_do(
    size: int, run: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    for number in range(5):
        write(an_image(number, (64, 32)), tmp_path / "data" / "test" / f"{number}.png")
    flags = ["--name", "pairs", "--dataroot", tmp_path / "data", "--metrics", "l1"]
    assert run_cli("test", [*flags, "--batch_size", size]).code == 0
    scores = measured()
    assert run_cli("test", [*flags, "--batch_size", 5]).code == 0
    assert {name: pytest.approx(value, abs=1e-4) for name, value in scores.items()} == measured()
