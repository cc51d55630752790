"""Losses that are no numbers: the run stops, or leaves that step out, and keeps what was good."""

import math
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from data.batch import Batch
from models.stepper import MOST_SKIPPED, Stepper
from options.errors import DivergedError
from tests.conftest import Finished, RunCli
from tests.models.test_snapshot import plain, tensors
from tests.refusals import refused
from tests.same_runs import LAYOUT, losses_of, state_of
from tests.small import pool_states, random_batch, train_steps, trained_models, training
from util.progress import Progress

RUN = Path("checkpoints", "run")
NAN, INF = float("nan"), float("inf")
Train = Callable[..., Finished]
Spoil = Callable[..., None]


@pytest.fixture
def train(request: pytest.FixtureRequest, run_cli: RunCli, tiny: list[str]) -> Train:
    """Train for an epoch of three images, in order, and save at its end alone; words change that."""

    def run(model: str, flags: str = "") -> Finished:
        root = request.getfixturevalue(LAYOUT.get(model, "aligned_root"))
        words = ["--dataroot", root, "--model", model, "--netG", "resnet_1blocks", *tiny, "--no_html", "--name", "run"]
        return run_cli("train", [*words, "--serial_batches", *flags.split()])

    return run


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Spoil:
    """Put ``value`` into an image of the steps that begin after so many images; no number ends that."""
    step = Stepper.step

    def spoiled(*seen: int, value: float = NAN) -> None:
        def bad_step(self: Stepper, batch: Batch, progress: Progress) -> Any:
            if progress.images_seen in seen:
                batch.A[0, 0, 3, 4] = value
            return step(self, batch, progress)

        monkeypatch.setattr(Stepper, "step", bad_step)

    return spoiled


def saved() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in RUN.glob("*.pth") if path.name != "diverged_state.pth"}


def finite(state: Any) -> bool:
    return all(bool(tensor.isfinite().all()) for tensor in tensors([state["networks"], state["optimizers"]]))


@pytest.mark.parametrize("model", trained_models())
def test_a_loss_that_is_no_number_stops_the_run_and_spares_every_file(model: str, train: Train, spoil: Spoil) -> None:
    assert train(model).code == 0
    before = saved()
    spoil(4)
    done = train(model, "--continue_train --n_epochs 2")
    sentence = refused(done, r"the loss \w+ is nan after 4 images, at \S*1\.png", "lower --lr", "--continue_train")
    assert sentence.count(".png") == (2 if model in ("cycle_gan", "cut") else 1)
    assert [event[2] for event in losses_of("run")] == [1, 2, 3, 4, 5]
    assert None in losses_of("run")[-1][4].values()  # the report that tells why it ended
    assert saved() == before
    assert len(before) > 2
    diverged = torch.load(RUN / "diverged_state.pth", weights_only=True)
    assert not finite(diverged)
    assert diverged["progress"]["images_seen"] == 5
    assert "diverged_state.pth" in done.stdout


def test_every_image_of_the_batch_is_named(train: Train, spoil: Spoil) -> None:
    spoil(0, value=INF)
    done = train("pix2pix", "--batch_size 2 --print_freq 2")
    refused(done, r"the loss \w+ is (nan|inf) after 0 images, at \S+pair0\.png, \S+pair1\.png; lower --lr")


@pytest.mark.parametrize("rhythm", ["--print_freq 2", "--print_freq 1000", "--print_freq 1000 --save_latest_freq 5"])
def test_a_report_or_save_later_on_still_names_the_first_bad_step(train: Train, spoil: Spoil, rhythm: str) -> None:
    assert train("pix2pix").code == 0
    before = saved()
    spoil(4)
    done = train("pix2pix", f"--continue_train --n_epochs 3 {rhythm}")
    refused(done, "is nan after 4 images, at .*pair1.png")
    assert saved() == before


def test_a_save_refuses_weights_that_broke_behind_finite_losses(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    assert train("pix2pix").code == 0
    before, step = saved(), Stepper.step

    def breaking(self: Stepper, batch: Batch, progress: Progress) -> Any:
        result = step(self, batch, progress)
        if progress.images_seen == 5:
            with torch.no_grad():
                next(self.model.networks["D"].parameters())[0, 0, 0, 0] = NAN
        return result

    monkeypatch.setattr(Stepper, "step", breaking)
    done = train("pix2pix", "--continue_train --n_epochs 2")
    refused(done, "the weights are no longer finite after 6 images and were not saved; lower --lr")
    assert saved() == before
    assert not finite(torch.load(RUN / "diverged_state.pth", weights_only=True))


def test_broken_weights_are_not_saved_when_a_signal_ends_the_run(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Stepper.step

    def breaking(self: Stepper, batch: Batch, progress: Progress) -> Any:
        signal.raise_signal(signal.SIGTERM)
        next(self.model.networks["D"].parameters()).data[0, 0, 0, 0] = NAN
        return step(self, batch, progress)

    monkeypatch.setattr(Stepper, "step", breaking)
    assert "no longer finite after 1 images and were not saved" in train("pix2pix", "--on_nan skip").stdout
    assert not saved()


def test_a_run_goes_on_from_its_last_save_at_a_lower_rate(train: Train, spoil: Spoil) -> None:
    assert train("pix2pix").code == 0
    spoil(4)
    assert train("pix2pix", "--continue_train --n_epochs 2").code == 2
    spoil()
    done = train("pix2pix", "--continue_train --n_epochs 2 --lr 0.00005")
    assert done.code == 0, done.stderr
    assert "--lr 0.0002 -> 5e-05" in done.stdout
    assert [event[2:4] for event in losses_of("run")][3:] == [(4, 5e-05), (5, 5e-05), (6, 5e-05)]
    assert finite(state_of("run"))


def test_a_run_that_diverged_before_its_first_save_can_be_started_again(train: Train, spoil: Spoil) -> None:
    """There is nothing to go on from and nothing to lose; a batch job with ``--resume auto`` is not to be stuck."""
    spoil(1)
    refused(train("pix2pix", "--resume auto"), "is nan after 1 images")
    spoil()
    done = train("pix2pix", "--resume auto --lr 0.0001")
    assert done.code == 0, done.stderr
    assert [event[:3] for event in losses_of("run")] == [(1, 1, 1), (1, 2, 2), (1, 3, 3)]


def everything(model: Any, stepper: Stepper) -> Any:
    state = {"networks": model.networks.state_dict(), "optimizers": stepper.state_dict(), "own": pool_states(model)}
    return plain(state)


@pytest.mark.parametrize("value", [NAN, INF])
@pytest.mark.parametrize("name", trained_models())
def test_a_skipped_step_leaves_weights_buffers_optimizers_and_pools_alone(name: str, value: float) -> None:
    model, stepper, progress = training(name, "--norm batch --on_nan skip")
    train_steps(model, stepper, progress, 2, count=2)
    before = everything(model, stepper)
    batch = random_batch(model.opt, 2)
    batch.A[1, 0, 2, 3] = value
    stepper.step(batch, progress)
    assert everything(model, stepper) == before
    progress.advance(2)
    history = train_steps(model, stepper, progress, 2, count=2)
    assert all(math.isfinite(loss) for losses in history for loss in losses.values())
    assert everything(model, stepper) != before


@pytest.mark.parametrize("name", ["pix2pix", "cycle_gan"])
def test_the_update_whose_loss_alone_is_bad_is_left_out(name: str) -> None:
    model, stepper, progress = training(name, "--norm instance --on_nan skip")
    train_steps(model, stepper, progress, 2, count=2)
    last = stepper.phases[-1]

    def moved_by_the_last_phase() -> Any:
        networks = {name: plain(model.networks[name].state_dict()) for name in last.networks}
        return networks, plain(stepper.optimizers[last.name].adam.state_dict())

    before = moved_by_the_last_phase()
    stepper.phases[-1] = last._replace(loss=lambda out: (loss := last.loss(out))._replace(total=loss.total * NAN))
    stepper.step(random_batch(model.opt, 2), progress)
    assert moved_by_the_last_phase() == before
    assert all(bool(weights.isfinite().all()) for weights in model.networks.parameters())


def test_a_step_with_a_finite_loss_and_a_gradient_that_is_no_number_is_left_out() -> None:
    model, stepper, progress = training("template", "--on_nan skip")
    before, (phase,) = everything(model, stepper), stepper.phases

    def steep(out: Any) -> Any:
        loss = phase.loss(out)
        return loss._replace(total=loss.total + (0 * loss.total).sqrt())  # the root is infinitely steep at 0

    stepper.phases[0] = phase._replace(loss=steep)
    losses = stepper.step(random_batch(model.opt), progress).losses
    assert all(bool(value.isfinite()) for value in losses.values())
    assert everything(model, stepper) == before


def test_without_bad_steps_skipping_changes_nothing() -> None:
    ends = []
    for flags in ("", "--on_nan skip"):
        model, stepper, progress = training("pix2pix", flags)
        train_steps(model, stepper, progress, 3, count=2)
        ends.append(everything(model, stepper))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("model", trained_models())
def test_a_run_that_skips_a_step_goes_on_to_a_finite_end(model: str, train: Train, spoil: Spoil) -> None:
    spoil(1, 3)
    done = train(model, "--n_epochs 2 --on_nan skip")
    assert done.code == 0, done.stderr
    for seen, path in ((1, "1.png"), (3, "0.png")):
        assert re.search(
            rf"no number after {seen} images, at \S*{path}.*: the rest of this step is skipped", done.stdout
        )
    assert done.stdout.count("the rest of this step is skipped") == 2
    assert finite(state_of("run"))
    assert state_of("run")["progress"]["images_seen"] == 6
    assert not (RUN / "diverged_state.pth").exists()
    bad = [event[2] for event in losses_of("run") if None in event[4].values()]
    assert bad == [2, 4], "JSON has null for what is no number"


def test_a_hundred_bad_steps_in_a_row_end_the_run_which_keeps_its_last_save(train: Train, spoil: Spoil) -> None:
    assert train("template").code == 0
    before = saved()
    spoil(*range(4, 1000))
    rhythm = "--print_freq 1000 --display_freq 1000 --save_epoch_freq 1000"
    done = train("template", f"--continue_train --n_epochs 200 --on_nan skip {rhythm}")
    refused(done, f"nothing could be learned in {MOST_SKIPPED} steps in a row, 103 images .*lower --lr")
    assert done.stdout.count("the rest of this step is skipped") == MOST_SKIPPED
    assert saved() == before
    assert finite(torch.load(RUN / "diverged_state.pth", weights_only=True)), "nothing broken was learned"


def test_a_good_step_in_between_starts_the_count_again() -> None:
    model, stepper, progress = training("template", "--on_nan skip")
    good, bad = random_batch(model.opt), random_batch(model.opt)
    bad.A[0, 0, 0, 0] = NAN
    for batch in [*[bad] * (MOST_SKIPPED - 1), good, *[bad] * (MOST_SKIPPED - 1)]:
        stepper.step(batch, progress)
    with pytest.raises(DivergedError, match=f"{MOST_SKIPPED} steps in a row"):
        stepper.step(bad, progress)
