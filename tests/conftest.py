"""Fixtures for all tests: tiny data sets, and the command line run inside the test's process."""

import importlib.util
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from tests.images import write_aligned, write_colour, write_unaligned

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: threads wait for each other where cores are busy

PROJECT = Path(__file__).parents[1]


class Finished(NamedTuple):
    """What a command left behind."""

    code: int  # 0, or the code of its exit
    stdout: str
    stderr: str


RunCli = Callable[..., Finished]


@pytest.fixture
def unaligned_root(tmp_path: Path) -> Path:
    """3 train, 2 val and 2 test images of 40x36 pixels in ``trainA``, ``trainB`` ..."""
    return write_unaligned(tmp_path / "unaligned")


@pytest.fixture
def aligned_root(tmp_path: Path) -> Path:
    """3 train, 2 val and 2 test pairs of 80x36 pixels, A left and B right."""
    return write_aligned(tmp_path / "aligned")


@pytest.fixture
def colour_root(tmp_path: Path) -> Path:
    """3 train, 2 val and 2 test colour images of 40x36 pixels."""
    return write_colour(tmp_path / "colour")


@pytest.fixture
def tiny() -> list[str]:
    """Flags of ``train.py`` for one epoch of the smallest training; the generator is not among them."""
    text = (
        "--ngf 4 --ndf 4 --netD n_layers --n_layers_D 1 --load_size 36 --crop_size 32 --num_threads 0 "
        "--display_id 0 --n_epochs 1 --n_epochs_decay 0 --print_freq 1 --display_freq 2"
    )
    return text.split()


@pytest.fixture
def run_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[RunCli]:
    """Run ``train.py``, ``test.py`` or ``export.py`` as typed, on the CPU, in ``tmp_path``.

    ``run_cli("train", ["--dataroot", root, ...])`` returns (code, stdout, stderr). Arguments may be of
    any type. ``--gpu_ids -1`` is added unless a device is named. The log's handlers are restored.
    """
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(program: str, argv: list[object]) -> Finished:
        words = [str(word) for word in argv]
        if program not in ("export", "app") and not {"--gpu_ids", "--device"} & set(words):
            words += ["--gpu_ids", "-1"]
        capsys.readouterr()
        code = 0
        try:
            _entry(program).main(words)
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        out, err = capsys.readouterr()
        return Finished(code, out, err)

    yield run
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def trained(run_cli: RunCli, unaligned_root: Path, tiny: list[str], tmp_path: Path) -> Path:
    """The folder of a finished CycleGAN run named ``cg``, of one epoch."""
    assert run_cli("train", ["--name", "cg", "--dataroot", unaligned_root, "--netG", "resnet_1blocks", *tiny]).code == 0
    return tmp_path / "checkpoints" / "cg"


def _entry(program: str) -> ModuleType:
    """Load an entry point from its file: ``import test`` may find the standard library's."""
    spec = importlib.util.spec_from_file_location(f"entry_point_{program}", PROJECT / f"{program}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
