"""Several processes, started by torchrun on the CPU, stop together and go on together, also when one of them dies.

KILLS=10 kills one of two ten times at random moments, in as many runs.
"""

import os
import random
import re
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.stepper import Stepper
from tests.conftest import RunCli
from tests.images import write_unaligned
from tests.launching import torchrun, training_processes
from tests.same_runs import assert_same_run, state_of

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="/proc tells who is who")]

FLAGS = (
    "--model cycle_gan --netG resnet_1blocks --pool_size 3 --no_html --gpu_ids -1 --n_epochs 6 --n_epochs_decay 0 "
    "--save_latest_freq 6 --print_freq 2 --timeout 20 --norm syncbatch --dropout"
)
SHORT = ("--pool_size", 0, "--save_latest_freq", 10000, "--print_freq", 1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 11 images a side, for all runs."""
    folder = tmp_path_factory.mktemp("place")
    write_unaligned(folder / "images", phases={"train": 11})
    return folder


@pytest.fixture
def words(place: Path, tiny: list[str], monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The flags of a run, all but its name."""
    monkeypatch.chdir(place)
    return ["--dataroot", "images", *tiny, *FLAGS.split(), "--name"]


def killed(words: list[object], name: str, rank: int, reports: Sequence[int], seconds: float = 0.0) -> str:
    """Train, kill a process of that rank after so many reports since each start, and return what was said."""
    run = torchrun(*words, name, launcher=("--standalone", "--max-restarts=3"))
    assert run.stdout
    said, left = [], list(reports)
    for line in run.stdout:
        said.append(line)
        if line.startswith("The number of training images"):  # a start
            seen = 0
        if line.startswith("(epoch"):
            seen += 1
            if left and seen == left[0]:
                del left[0]
                time.sleep(seconds)
                os.kill(training_processes(run)[rank], signal.SIGKILL)
                seen = -1000  # until the next start
    assert run.wait() == 0, "".join(said)
    assert not left
    return "".join(said)


@pytest.fixture
def whole(words: list[object]) -> str:
    """A run that was not disturbed."""
    if not Path("checkpoints/whole").exists():
        run = torchrun(*words, "whole")
        said = run.communicate(timeout=100)[0]
        assert run.returncode == 0, said
    return "whole"


@pytest.mark.parametrize(("rank", "reports"), [(1, (15, 1)), (0, (2,))])
def test_a_run_whose_process_is_killed_ends_as_one_that_was_not(
    rank: int, reports: tuple[int, ...], words: list[object], whole: str
) -> None:
    name = f"killed_{rank}"
    said = killed(words, name, rank, reports)
    named = said.count(f"process {1 - rank}: process {rank} (")  # by the other one, unless torchrun ends that first
    assert len(reports) - 1 <= named <= len(reports)
    assert said.count("continuing from") == (2 if len(reports) == 2 else 0), "before the first save it starts afresh"
    assert_same_run(name, whole)
    assert {len(pool["images"]) for pool in state_of(name)["others"][0]["model"].values()} == {3}


@pytest.mark.skipif("KILLS" not in os.environ, reason="takes minutes: KILLS=10 runs it")
def test_kills_at_random_moments_change_nothing(words: list[object], whole: str) -> None:
    draw = random.Random(0)
    for number in range(int(os.environ.get("KILLS", "0"))):
        killed(words, f"killed{number}", draw.randrange(2), [draw.randrange(1, 30)], draw.random() / 5)
        assert_same_run(f"killed{number}", whole)


def test_a_process_that_is_silent_ends_the_others(words: list[object]) -> None:
    run = torchrun(*words, "silent", "--timeout", 4)
    assert run.stdout
    stopped = 0
    said = []
    for line in run.stdout:
        said.append(line)
        if line.startswith("(epoch") and not stopped:
            stopped = training_processes(run)[1]
            os.kill(stopped, signal.SIGSTOP)
            started = time.monotonic()
        if "another process has ended, or was silent" in line:
            assert time.monotonic() - started < 15
            os.kill(stopped, signal.SIGKILL)
    assert run.wait() != 0
    text = "".join(said)
    assert "train.py: error: process 0: another process has ended, or was silent for --timeout seconds" in text
    assert "Traceback" not in text.partition("another process")[0]


def test_a_refused_start_is_not_taken_for_a_failure(words: list[object], whole: str) -> None:
    before = Path("checkpoints/whole/latest_state.pth").read_bytes()
    run = torchrun(*words, whole, launcher=("--standalone", "--max-restarts=1"))
    said = run.communicate(timeout=100)[0]
    assert run.returncode != 0
    assert said.count("holds a run already") == 2
    assert Path("checkpoints/whole/latest_state.pth").read_bytes() == before


def test_a_stopped_run_of_two_processes_ends_as_one_that_was_not(words: list[object], whole: str) -> None:
    words = [*words, "stopped", "--resume", "auto"]
    stopped = torchrun(*words)
    assert stopped.stdout
    for line in stopped.stdout:
        if line.startswith("(epoch: 1"):
            stopped.send_signal(signal.SIGTERM)
            break
    said = stopped.communicate(timeout=100)[0]
    assert stopped.returncode != 0
    found = re.search(
        r"everything learned in (\d+) images is saved; to go on:\s+torchrun --nproc_per_node=2 train.py", said
    )
    assert found, said
    assert state_of("stopped")["progress"]["images_seen"] == int(found[1]) < 60
    again = torchrun(*words)
    said = again.communicate(timeout=100)[0]
    assert again.returncode == 0, said
    assert "continuing from" in said
    assert_same_run("stopped", whole)


def test_a_run_of_one_process_goes_on_in_two_though_the_rest_of_the_epoch_is_odd(
    words: list[object], run_cli: RunCli, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)  # ``run_cli`` has left it
    words = [*words, "odd", *SHORT, "--n_epochs", 2]
    step = Stepper.step

    def stopping(self: Stepper, batch: object, progress: object) -> object:
        if progress.images_seen == 5:  # type: ignore[attr-defined]
            signal.raise_signal(signal.SIGTERM)
        return step(self, batch, progress)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Stepper, "step", stopping)
        assert run_cli("train", words).code == 143
    assert state_of("odd")["progress"]["images_seen"] == 6
    both = torchrun(*words, "--continue_train")
    said = both.communicate(timeout=100)[0]
    assert both.returncode == 0, said
    assert "(epoch: 1, iters: 11" in said, "five left: two steps of both, and one in which one stands in"
    assert state_of("odd")["progress"]["epoch"] == 3


@pytest.mark.parametrize("flags", [["--on_bad_image", "stop"], ["--on_bad_image", "skip", "--num_threads", "1"]])
def test_an_image_that_one_of_two_processes_cannot_read_concerns_both(
    flags: list[str], words: list[object], place: Path
) -> None:
    name = flags[1]
    bad = Path(shutil.copytree(place / "images", place / name)) / "trainA" / "a3.png"
    bad.write_bytes(bad.read_bytes()[:200])
    run = torchrun(*words, name, *SHORT, "--n_epochs", 1, "--dataroot", name, *flags)
    said = run.communicate(timeout=100)[0]
    assert f"cannot read the image {bad.relative_to(place)}" in said
    if "stop" in flags:
        assert run.returncode != 0
        assert "another process could not load its images" in said
    else:
        assert run.returncode == 0, said
        assert state_of(name)["progress"]["images_seen"] == 11
