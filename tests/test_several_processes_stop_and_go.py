"""Several processes, started by torchrun on the CPU, stop together and go on together."""

import os
import re
import signal
from pathlib import Path

import pytest

from models.stepper import Stepper
from tests.conftest import RunCli
from tests.images import an_image, write
from tests.launching import torchrun
from tests.same_runs import assert_same_run, state_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

FLAGS = (
    "--model cycle_gan --netG resnet_1blocks --pool_size 0 --no_html --gpu_ids -1 --n_epochs 2 --save_latest_freq 10000"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """11 training images a side."""
    for number in range(11):
        for side in "AB":
            write(an_image(number + 20 * ord(side)), tmp_path / "images" / f"train{side}" / f"{number}.png")
    return tmp_path / "images"


def test_a_stopped_run_of_two_processes_ends_as_one_that_was_not(
    root: Path, tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--dataroot", root, *tiny, *FLAGS.split(), "--resume", "auto", "--name"]
    whole = torchrun(*words, "whole")
    said = whole.communicate(timeout=100)[0]
    assert whole.returncode == 0, said
    stopped = torchrun(*words, "stopped")
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
    assert state_of("stopped")["progress"]["images_seen"] == int(found[1]) < 20
    again = torchrun(*words, "stopped")
    said = again.communicate(timeout=100)[0]
    assert again.returncode == 0, said
    assert "continuing from" in said
    assert_same_run("stopped", "whole")


def test_a_run_of_one_process_goes_on_in_two_though_the_rest_of_the_epoch_is_odd(
    root: Path, tiny: list[str], run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--dataroot", root, *tiny, *FLAGS.split(), "--name", "run"]
    step = Stepper.step

    def stopping(self: Stepper, batch: object, progress: object) -> object:
        if progress.images_seen == 5:  # type: ignore[attr-defined]
            signal.raise_signal(signal.SIGTERM)
        return step(self, batch, progress)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Stepper, "step", stopping)
        assert run_cli("train", words).code == 143
    assert state_of("run")["progress"]["images_seen"] == 6
    both = torchrun(*words, "--continue_train")
    said = both.communicate(timeout=100)[0]
    assert both.returncode == 0, said
    assert "(epoch: 1, iters: 11" in said, "five left: two steps of both, and one in which one stands in"
    assert state_of("run")["progress"]["epoch"] == 3


@pytest.mark.parametrize("flags", [["--on_bad_image", "stop"], ["--on_bad_image", "skip", "--num_threads", "1"]])
def test_an_image_that_one_of_two_processes_cannot_read_concerns_both(
    flags: list[str], root: Path, tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bad = root / "trainA" / "3.png"
    bad.write_bytes(bad.read_bytes()[:200])
    words = ["--dataroot", root, *tiny, *FLAGS.split(), "--name", "run", "--n_epochs", 1, *flags]
    run = torchrun(*words)
    said = run.communicate(timeout=100)[0]
    assert f"cannot read the image {bad}" in said
    if "stop" in flags:
        assert run.returncode != 0
        assert "another process could not load its images" in said
    else:
        assert run.returncode == 0, said
        assert state_of("run")["progress"]["images_seen"] == 11
