"""Small stand-ins for what the documents take for granted: data sets, files, and trained runs."""

import runpy
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import PROJECT
from tests.docs.small import ADDED, TINY
from tests.images import PHASES, an_image, write, write_aligned

SIDES = (32, 32)  # pixels, as many as the trainings cut out
SUFFIXES = (".jpg", ".png", ".tif", ".mp4", ".pth")  # of files that can be made


def folder_of_images(folder: Path) -> None:
    for number in range(10):
        write(an_image(number), folder / f"{number}.jpg")


def two_sides(root: Path) -> None:
    """Write ``trainA``, ``trainB`` ... with equal names, which serve as pairs and without."""
    for number, (phase, count) in enumerate(PHASES.items()):
        for index in range(count):
            for side in (0, 1):
                write(an_image(10 * number + index + 100 * side, SIDES), root / f"{phase}{'AB'[side]}" / f"{index}.png")


def scans(root: Path) -> None:
    """Write two sides of one channel, 16 bits deep."""
    two_sides(root)
    for path in root.rglob("*.png"):
        levels = np.asarray(Image.open(path).convert("L")).astype(np.uint16)
        Image.fromarray(levels * 16).save(path)


def videos(folder: Path) -> None:
    folder.mkdir()
    write_file(folder / "1.mp4")


def write_file(path: Path) -> None:
    if path.suffix == ".mp4":
        from tests.inference.video.videos import moving, write_video

        write_video(path, moving(4))
    else:
        write(an_image(1), path)


DATA: Mapping[str, Callable[[Path], object]] = {
    "datasets/horse2zebra": two_sides,
    "datasets/facades": partial(write_aligned, size=SIDES),
    "datasets/mine": two_sides,
    "datasets/ct": scans,
    **dict.fromkeys(("photos", "sketches", "more", "horses", "my_horses", "my_zebras"), folder_of_images),
    "videos": videos,
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

    def lend(self, word: str, to: Path) -> None:
        """Put what a word of a command names into a folder, where it is missing."""
        name = word.removeprefix("./").rstrip("/")
        run = name.removeprefix("checkpoints/").split("/")[0]
        if run in RUNS:
            self.lend(RUNS[run][1], to)
            self._copy(f"checkpoints/{run}", to)
        for data in DATA:
            if name == data or name.startswith(data + "/"):
                self._copy(data, to)
        if "/" not in name and name.endswith(SUFFIXES) and not (to / name).exists():
            if name.endswith(".pth"):
                self._copy("checkpoints/horse2zebra", self.folder)
                shutil.copyfile(self.folder / "checkpoints/horse2zebra/latest_net_G_A.pth", to / name)
            else:
                write_file(to / name)

    def _copy(self, name: str, to: Path) -> None:
        if not (self.folder / name).exists():
            self._make(name)
        if not (to / name).exists():
            shutil.copytree(self.folder / name, to / name)

    def _make(self, name: str) -> None:
        if name in DATA:
            DATA[name](self.folder / name)
            return
        flags, data = RUNS[Path(name).name]
        self._copy(data, self.folder)
        with self.monkeypatch.context() as patch:
            patch.chdir(self.folder)
            words = f"--name {Path(name).name} --dataroot ./{data} {flags} {TINY} {ADDED['train.py']}"
            runpy.run_path(str(PROJECT / "train.py"))["main"](words.split())
