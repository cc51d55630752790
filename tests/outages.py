"""Ways to make the system itself refuse what a training of ``tests.nursery`` wants to write."""

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.nursery import Life

SMALL = 25_000  # bytes: room for reports and options, for no generator and no state


class Outage:
    """The files of a training may not be larger than ``size`` bytes."""

    size = SMALL

    def __init__(self, life: Life, run: Path) -> None:
        self.life, self.run = life, run

    def begin(self) -> None:
        self._limit(self.size)

    def finish(self) -> None:
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        hard = resource.prlimit(self.life.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(self.life.pid, resource.RLIMIT_FSIZE, (size, hard))


class TotalOutage(Outage):
    """Nothing can be written, not even what the training prints."""

    size = 10


class LostFolder(Outage):
    """The share with the run's folder is gone."""

    def begin(self) -> None:
        self.run.rename(self.away)

    def finish(self) -> None:
        self.away.rename(self.run)

    @property
    def away(self) -> Path:
        return self.run.with_name(f"{self.run.name} is away")


class FileInstead(LostFolder):
    """The folder's place is taken."""

    def begin(self) -> None:
        super().begin()
        self.run.write_text("a file")

    def finish(self) -> None:
        self.run.unlink()
        super().finish()


@contextmanager
def small_file_system(folder: Path) -> Iterator[Path]:
    """Mount a file system of two megabytes, or skip the test where that is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip(f"a file system cannot be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    """Leave no room in a file system; return the file that takes it."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:  # it is full
                continue
    return ballast
