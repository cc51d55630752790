"""Fixtures for all tests: tiny data sets, and the command line run inside the test's process."""

import importlib.util
import logging
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.images import PHASES, write_aligned, write_colour, write_unaligned

if TYPE_CHECKING:
    from tests.nursery import Nursery

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: threads wait for each other where cores are busy

PROJECT = Path(__file__).parents[1]
TINY = (
    "--ngf 4 --ndf 4 --netD n_layers --n_layers_D 1 --load_size 36 --crop_size 32 --num_threads 0 "
    "--display_id 0 --n_epochs 1 --n_epochs_decay 0 --print_freq 1 --display_freq 2"
)


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
    return TINY.split()


@pytest.fixture
def run_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[RunCli]:
    """Run ``train.py``, ``test.py`` or ``export.py`` as typed, on the CPU, in ``tmp_path``.

    ``run_cli("train", ["--dataroot", root, ...])`` returns (code, stdout, stderr). Arguments may be of
    any type. ``--gpu_ids -1`` is added unless a device is named. The log's handlers are restored.
    """
    monkeypatch.chdir(tmp_path)

    def run(program: str, argv: list[object]) -> Finished:
        words = [str(word) for word in argv]
        if program not in ("export", "app", "ablate") and not {"--gpu_ids", "--device"} & set(words):
            words += ["--gpu_ids", "-1"]
        capsys.readouterr()
        code = 0
        try:
            _entry(program).main(words)
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        out, err = capsys.readouterr()
        return Finished(code, out, err)

    with log_restored():
        yield run


@pytest.fixture
def free_port() -> int:
    """A port of this machine at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished CycleGAN run, of one epoch over the images in ``unaligned``; not to be changed."""
    place = tmp_path_factory.mktemp("finished")
    write_unaligned(place / "unaligned")
    words = f"--name cg --dataroot unaligned --netG resnet_1blocks --gpu_ids -1 {TINY}"
    with pytest.MonkeyPatch.context() as patch, log_restored():
        patch.chdir(place)
        _entry("train").main(words.split())
    return place / "checkpoints" / "cg"


@pytest.fixture
def trained(finished_run: Path, run_cli: RunCli, unaligned_root: Path, tmp_path: Path) -> Path:
    """The folder of a finished CycleGAN run named ``cg``, of one epoch over ``unaligned_root``."""
    return Path(shutil.copytree(finished_run, tmp_path / "checkpoints" / "cg"))


@pytest.fixture(scope="session")
def cycle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder ``cg`` of a CycleGAN's run as ``make_run`` writes it; not to be changed."""
    from tests.runs import make_run

    return make_run(tmp_path_factory.mktemp("runs") / "cg")


@pytest.fixture(scope="module")
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Nursery]":
    """A nursery in a folder with images of each domain in ``data``, as many as the module's ``PHASES`` says."""
    from tests.nursery import nursery

    folder = tmp_path_factory.mktemp("nursery")
    write_unaligned(folder / "data", phases=getattr(request.module, "PHASES", PHASES))
    with nursery(folder) as opened:
        yield opened


@contextmanager
def log_restored() -> Iterator[None]:
    """Put the log's handlers back when the body is done."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def _entry(program: str) -> ModuleType:
    """Load an entry point from its file: ``import test`` may find the standard library's."""
    spec = importlib.util.spec_from_file_location(f"entry_point_{program}", PROJECT / f"{program}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
