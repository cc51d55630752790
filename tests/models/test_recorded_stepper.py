"""--compile step through the stepper: what it reports, saves and takes up again is that of steps taken as they are."""

import pytest
import torch
from torch import Tensor

from models.optimizers import recordable_adam
from models.registry import create_model
from models.stepper import Stepper
from models.training import Training
from tests.recording import CpuCapture
from tests.same_runs import differences
from tests.small import ALONE, random_batch, small_options, train_steps
from util.progress import Progress
from util.snapshot import Snapshot

STEPS = 7


def built(model: str, flags: str, *, recorded: bool) -> Training:
    """Build a training with the Adam of recordings, whether it records or not."""
    opt = small_options(model, flags)
    torch.manual_seed(0)
    net = create_model(opt)
    stepper = Stepper(net, opt.optim, ALONE)
    stepper.optimizers = {
        phase.name: recordable_adam(stepper._parameters(phase.networks), opt.optim, ALONE.device)
        for phase in stepper.phases
    }
    if recorded:
        stepper.record(CpuCapture())
    return Training(opt, net, stepper, Progress(epoch_size=STEPS))


def trained(training: Training, steps: int) -> list[dict[str, float]]:
    history = []
    for _ in range(steps):
        if training.progress.seen_in_epoch == STEPS:
            training.progress.next_epoch()
        training.stepper.set_learning_rate(training.progress)
        history += train_steps(training.model, training.stepper, training.progress, 1)
    return history


CASES = [
    ("cycle_gan", "--pool_size 2 --no_dropout"),
    ("pix2pix", "--dropout"),
    ("cut", "--num_patches 9 --flip_equivariance"),
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("stop", [2, 5, STEPS, STEPS + 2])
def test_a_saved_training_goes_on_either_way(case: tuple[str, str], stop: int) -> None:
    flags = f"{case[1]} --n_epochs 1 --n_epochs_decay 3 --lr 0.002"
    whole = built(case[0], flags, recorded=False)
    expected = trained(whole, 2 * STEPS)
    for kinds in ((True, True), (True, False), (False, True)):
        first, second = (built(case[0], flags, recorded=kind) for kind in kinds)
        history = trained(first, stop)
        trained(second, 5)  # recorded already: the state must replace what the recording knows
        second.restore(Snapshot().take(first.state()), "memory")
        assert history + trained(second, 2 * STEPS - stop) == expected
        assert differences(Snapshot().take(second.state()), Snapshot().take(whole.state())) == []


def test_losses_are_kept_until_somebody_looks() -> None:
    training = built("pix2pix", "", recorded=True)
    losses: list[dict[str, Tensor]] = []
    for _ in range(STEPS):
        batch = random_batch(training.opt, seed=training.progress.images_seen)
        losses.append(training.stepper.step(batch, training.progress).losses)
        training.progress.advance(1)
    assert len({float(found["G_L1"]) for found in losses}) == STEPS
    training.stepper.check_losses()
    assert training.stepper.is_between_steps(training.progress)
