"""The official Cityscapes folders from a small tree of that shape."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets.prepare_cityscapes_dataset import main
from tests.datasets.conftest import Refusal
from tests.images import an_image, write

FRAMES = {
    "train": ["aachen/aachen_000000", "aachen/aachen_000010", "zurich/zurich_000001"],
    "val": ["bonn/bonn_000002"],
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Photos and label colours of 512x256, beside the other files that the archives hold."""
    for phase, frames in FRAMES.items():
        for seed, frame in enumerate(frames):
            write(an_image(seed, (512, 256)), tmp_path / f"leftImg8bit/{phase}/{frame}_leftImg8bit.png")
            labels = an_image(100 + seed, (512, 256))
            write(labels.convert("RGBA"), tmp_path / f"gtFine/{phase}/{frame}_gtFine_color.png")
            write(labels.convert("L"), tmp_path / f"gtFine/{phase}/{frame}_gtFine_labelIds.png")
    return tmp_path


def run(tree: Path, *more: str) -> int:
    given = [f"--gtFine_dir={tree / 'gtFine'}", f"--leftImg8bit_dir={tree / 'leftImg8bit'}"]
    return main([*given, f"--output_dir={tree / 'out'}", *more])


def near(path: Path, seed: int, *, left: int = 0) -> bool:
    """Tell whether 256 columns of a file show an image of the tree, shrunk by an area mean."""
    shown = np.asarray(Image.open(path), dtype=float)[:, left : left + 256]
    wanted = np.asarray(an_image(seed, (512, 256)), dtype=float).reshape(256, 256, 2, 3).mean(axis=2)
    return bool(np.abs(shown - wanted).mean() < 5)


@pytest.mark.parametrize("processes", ["1", "2"])
def test_photos_are_a_and_labels_b_numbered_in_order(
    tree: Path, capsys: pytest.CaptureFixture[str], processes: str
) -> None:
    assert run(tree, "--processes", processes) == 0
    assert "train 3, test 1" in capsys.readouterr().out
    out = tree / "out"
    made = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))
    train = [
        f"{folder}/{i}{end}.jpg"
        for folder, end in (("train", ""), ("trainA", "_A"), ("trainB", "_B"))
        for i in range(3)
    ]
    assert made == sorted([*train, "test/0.jpg", "testA/0_A.jpg", "testB/0_B.jpg"])
    for number in range(3):
        pair = out / "train" / f"{number}.jpg"
        assert Image.open(pair).size == (512, 256)
        assert near(pair, number)
        assert near(pair, 100 + number, left=256)
        assert near(out / "trainA" / f"{number}_A.jpg", number)
        assert near(out / "trainB" / f"{number}_B.jpg", 100 + number)


def test_missing_images_and_partners_are_told(tree: Path, refusal: Refusal) -> None:
    (tree / "gtFine/train/zurich/zurich_000001_gtFine_color.png").unlink()
    assert "zurich_000001_gtFine_color.png" in refusal(run(tree))
    message = refusal(run(tree, f"--gtFine_dir={tree}"))
    assert f"--gtFine_dir {tree} holds no train/<city>/*_gtFine_color.png" in message
    assert not (tree / "out").exists()
