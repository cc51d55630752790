"""Small stand-ins for what the documents take for granted: data sets, files, and trained runs."""

import runpy
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import PROJECT
from tests.images import PHASES, an_image, write, write_aligned

IMAGES, VIDEOS, WEIGHTS = (".jpg", ".png", ".tif"), (".mp4",), (".pth",)
SIZE = "--load_size 36 --crop_size 32"
TINY = f"--ngf 4 --ndf 4 {SIZE} --n_epochs 1 --n_epochs_decay 0 --print_freq 2 --display_freq 2"
HERE = "--gpu_ids -1 --num_threads 0 --display_id 0"  # no worker processes, no dashboard


def folder_of_images(folder: Path) -> None:
    for number in range(2):
        write(an_image(number), folder / f"{number}.jpg")


def two_sides(root: Path) -> None:
    """Write ``trainA``, ``trainB`` ... with equal names, which serve as pairs and without."""
    for number, (phase, count) in enumerate(PHASES.items()):
        for index in range(count):
            for side in (0, 1):
                write(an_image(10 * number + index + 100 * side), root / f"{phase}{'AB'[side]}" / f"{index}.png")


def scans(root: Path) -> None:
    """Write two sides of one channel, 16 bits deep."""
    two_sides(root)
    for path in root.rglob("*.png"):
        levels = np.asarray(Image.open(path).convert("L")).astype(np.uint16)
        Image.fromarray(levels * 16).save(path)


def side_by_side(root: Path) -> None:
    write_aligned(root)


DATA: Mapping[str, Callable[[Path], None]] = {
    "datasets/horse2zebra": two_sides,
    "datasets/facades": side_by_side,
    "datasets/mine": two_sides,
    "datasets/ct": scans,
    "my_horses": folder_of_images,
    "photos": folder_of_images,
    "more": folder_of_images,
}

# A run's flags, and its data.
RUNS: Mapping[str, tuple[str, str]] = {
    "horse2zebra": ("--model cycle_gan --netG resnet_1blocks", "datasets/horse2zebra"),
    "zebras": ("--model cut --netG resnet_2blocks --netF_nc 8", "datasets/horse2zebra"),
    "facades": ("--model pix2pix --netG unet_32 --direction BtoA", "datasets/facades"),
}


class Store:
    """Makes each stand-in at the first wish, and gives copies of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch

    def lend(self, word: str, to: Path) -> Iterator[str]:
        """Put what a word of a command names into a folder where it is missing; yields the names of what was."""
        name = word.removeprefix("./").rstrip("/")
        run = name.removeprefix("checkpoints/").split("/")[0]
        if run in RUNS:
            yield from self.lend(RUNS[run][1], to)
            yield from self._copy(f"checkpoints/{run}", to)
        for data in DATA:
            if name == data or name.startswith(data + "/"):
                yield from self._copy(data, to)
        path = to / name
        if path.suffix in (*IMAGES, *VIDEOS, *WEIGHTS) and path.parent == to and not path.exists():
            self._write(path)
            yield name

    def _copy(self, name: str, to: Path) -> Iterator[str]:
        if not (self.folder / name).exists():
            self._make(name)
        if not (to / name).exists():
            shutil.copytree(self.folder / name, to / name)
            yield name

    def _make(self, name: str) -> None:
        if name in DATA:
            DATA[name](self.folder / name)
            return
        flags, data = RUNS[Path(name).name]
        list(self.lend(data, self.folder))
        with self.monkeypatch.context() as patch:
            patch.chdir(self.folder)
            words = f"--name {Path(name).name} --dataroot ./{data} {flags} {TINY} {HERE}"
            runpy.run_path(str(PROJECT / "train.py"))["main"](words.split())

    def _write(self, path: Path) -> None:
        if path.suffix in IMAGES:
            write(an_image(1), path)
        elif path.suffix in WEIGHTS:
            list(self._copy("checkpoints/horse2zebra", self.folder))
            shutil.copyfile(self.folder / "checkpoints/horse2zebra/latest_net_G_A.pth", path)
        else:
            from tests.inference.video.videos import moving, write_video

            write_video(path, moving(4))
