"""What is on the disk after a training was ended by an error, and that it goes on from there."""

import itertools
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import util.checkpoint
from models.optimizers import AnyOrderAdam
from tests.conftest import Finished, RunCli
from tests.same_runs import assert_same_run, state_of
from util.gradient_sum import GradientSum
from util.stop import StopSignals

RUN = Path("checkpoints", "run")
Train = Callable[..., Finished]


@pytest.fixture
def train(run_cli: RunCli, aligned_root: Path, tiny: list[str]) -> Train:
    """Run two epochs of three pairs with batch norm and dropout under a name."""
    basic = ["--dataroot", aligned_root, "--model", "pix2pix", "--netG", "unet_32", *tiny, "--n_epochs", 2, "--no_html"]
    return lambda name, *flags: run_cli("train", [*basic, "--name", name, *flags])


@pytest.mark.parametrize(
    ("place", "act", "call", "flags"),
    [
        ("models.optimizers.AnyOrderAdam.step", AnyOrderAdam.step, 10, ("--save_latest_freq", 2)),
        ("util.gradient_sum.GradientSum.finish", GradientSum.finish, 9, ()),
    ],
    ids=["between two updates", "with new running statistics"],
)
def test_an_error_in_the_fifth_step_leaves_the_state_after_the_fourth_which_continues_bit_exactly(
    place: str,
    act: Callable[..., Any],
    call: int,
    flags: tuple[object, ...],
    train: Train,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert train("whole").code == 0
    calls = itertools.count(1)  # two a step

    def fail(*given: Any, **named: Any) -> Any:
        if next(calls) == call:
            raise RuntimeError("out of memory, say")
        return act(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(place, fail)
        with pytest.raises(RuntimeError):
            train("run", *flags)
    assert state_of("run")["progress"]["images_seen"] == 4
    assert train("run", "--continue_train", "--save_latest_freq", 5000).code == 0
    assert_same_run("run", "whole")


def test_a_numbered_save_that_was_refused_is_written_later(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    assert train("whole", "--save_epoch_freq", 1).code == 0
    write, refusals = util.checkpoint.save_file, iter([True])

    def refuse_once(value: Any, path: Path, **named: Any) -> None:
        if path.name == "1_net_G.pth" and next(refusals, False):
            raise OSError(28, "No space left on device")
        write(value, path, **named)

    monkeypatch.setattr("models.state.save_file", refuse_once)
    done = train("run", "--save_epoch_freq", 1)
    assert done.code == 0
    assert "cannot save latest, 1 to checkpoints/run (No space left on device)" in done.stdout
    assert (RUN / "1_net_G.pth").read_bytes() == Path("checkpoints/whole/1_net_G.pth").read_bytes()


def test_a_signal_ends_the_waiting_for_room_at_the_end(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("models.saver.write_state", refuse)
    wait = StopSignals.wait

    def interrupted(self: StopSignals, seconds: float) -> bool:
        signal.raise_signal(signal.SIGTERM)
        return wait(self, seconds)

    monkeypatch.setattr(StopSignals, "wait", interrupted)
    done = train("run")
    assert done.code == 2
    assert "cannot save to checkpoints/run (No space left on device)" in done.stderr


@pytest.mark.parametrize("error", [MemoryError("too large"), PermissionError(13, "Permission denied")])
def test_a_state_that_cannot_be_read_now_is_not_called_damaged(
    train: Train, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    assert train("run").code == 0

    def fail(*given: Any, **named: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(torch, "load", fail)
        done = train("run", "--continue_train", "--n_epochs", 3)
    assert done.code == 2
    assert "latest_state.pth cannot be read" in done.stderr
    assert not (RUN / "damaged_state.pth").exists()
    assert train("run", "--continue_train", "--n_epochs", 3).code == 0


def test_torn_options_do_not_stop_a_resume_which_knows_them_from_the_state(train: Train) -> None:
    assert train("run").code == 0
    (RUN / "train_opt.json").write_text("")
    assert train("run", "--continue_train", "--n_epochs", 3).code == 0


def test_the_weights_of_an_epoch_help_where_both_states_are_damaged(train: Train) -> None:
    assert train("run", "--save_epoch_freq", 1).code == 0
    for name in ("latest_state.pth", "previous_state.pth"):
        (RUN / name).write_bytes(b"PK")
    assert train("run", "--continue_train").code == 2
    done = train("run", "--continue_train", "--epoch", 1, "--epoch_count", 2)
    assert done.code == 0, done.stderr
    assert "only weights were loaded (1_net_*.pth)" in done.stdout


def test_another_crop_size_goes_through_with_a_pool_of_old_fakes(
    run_cli: RunCli, unaligned_root: Path, tiny: list[str]
) -> None:
    words = ["--dataroot", unaligned_root, "--netG", "resnet_1blocks", *tiny, "--name", "run", "--pool_size", 2]
    assert run_cli("train", [*words, "--batch_size", 2]).code == 0
    smaller = ["--continue_train", "--crop_size", 28, "--load_size", 32, "--batch_size", 3, "--n_epochs", 4]
    done = run_cli("train", [*words, *smaller])
    assert done.code == 0, done.stderr
    assert {image.shape[-1] for image in state_of("run")["model"]["A"]["images"]} == {28}


def test_a_suffix_from_the_source_of_the_networks_finds_its_run_again(
    run_cli: RunCli, trained: Path, unaligned_root: Path, tiny: list[str]
) -> None:
    words = ["--dataroot", unaligned_root, *tiny, "--name", "fine", "--suffix", "{netG}", "--init_from", "cg"]
    for expected in ("starts from", "continuing from"):
        done = run_cli("train", [*words, "--resume", "auto"])
        assert done.code == 0, done.stderr
        assert expected in done.stdout
