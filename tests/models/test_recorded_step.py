"""--compile step: recorded steps of every model equal those taken as they are, and what cannot be recorded is refused.

On the CPU a stand-in records; where there is a GPU, CUDA does too.
"""

from functools import cache
from typing import Any

import pytest
import torch

from models.image_pool import ImagePool, Plan
from models.optimizers import recordable_adam
from models.recorded_step import refuse_to_record
from models.registry import create_model
from models.snapshot import Snapshot
from models.step_graph import WARM_UPS, Capture, CudaCapture
from models.stepper import Stepped, Stepper
from models.training import Training
from options.errors import UserError
from tests.recording import CpuCapture, tensors
from tests.same_runs import differences
from tests.small import SIZE, random_batch, small_options
from util.distributed import World
from util.progress import Progress

STEPS = WARM_UPS + 4  # of an epoch
GPU = pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"))
GPU_WORLD = World(0, 1, torch.device("cuda"))


def built(model: str, flags: str, capture: Capture | None = None, *, device: str = "cpu") -> Training:
    """Build a training with the Adam of recordings, whether it records or not."""
    opt, world = small_options(model, flags), World(0, 1, torch.device(device))
    net = create_model(opt).to(world.device)
    stepper = Stepper(net, opt.optim, world)
    for optimizer in stepper.optimizers.values():
        optimizer.adam = recordable_adam(optimizer.parameters, opt.optim, world.device)
    if capture:
        stepper.record(capture)
    return Training(opt, net, stepper, Progress(epoch_size=STEPS))


def take(training: Training, *, count: int = 1, size: int = SIZE) -> Stepped:
    """Take a step on images that depend on the position alone."""
    opt, _, stepper, progress = training
    if progress.seen_in_epoch >= STEPS:
        progress.next_epoch()
    stepper.set_learning_rate(progress)
    batch = random_batch(opt, count, seed=progress.images_seen, size=size)
    stepped = stepper.step(batch.to(stepper.world.device), progress)
    progress.advance(count)
    return stepped


def trained(training: Training, steps: int) -> list[dict[str, float]]:
    return [{name: value.item() for name, value in take(training).losses.items()} for _ in range(steps)]


def assert_same(one: Any, other: Any) -> None:
    assert differences(Snapshot().take(one), Snapshot().take(other)) == []


def compare(model: str, flags: str, shapes: list[dict[str, int]], device: str = "cpu") -> Any:
    """Take the same steps both ways; what they leave and learn must be equal, also when looked at later."""
    capture: Any = CpuCapture() if device == "cpu" else CudaCapture(torch.device(device))
    plain, recorded = built(model, flags, device=device), built(model, flags, capture, device=device)
    kept = []
    for shape in shapes:
        expected, found = take(plain, **shape), take(recorded, **shape)
        assert_same(found.out, expected.out)
        assert not any(tensor.requires_grad for tensor in tensors(found.out))
        kept.append((found[1:], expected[1:]))
    for numbers, others in kept:
        assert_same(numbers, others)
    assert_same(recorded.state(), plain.state())
    return capture


@pytest.fixture
def own_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let image pools draw from a generator of their own, as on a GPU, where dropout has another."""
    plan = ImagePool.plan

    def planned(pool: ImagePool, count: int) -> Plan:
        before = torch.get_rng_state()
        torch.default_generator.manual_seed(torch.initial_seed())  # that of the step
        try:
            return plan(pool, count)
        finally:
            torch.set_rng_state(before)

    monkeypatch.setattr(ImagePool, "plan", planned)


CASES = {
    "dropout and pool": ("cycle_gan", "--dropout --pool_size 2 --lr 0.002"),
    "no identity": ("cycle_gan", "--pool_size 3 --lambda_identity 0"),
    "penalty": ("cycle_gan", "--pool_size 2 --gan_mode wgangp"),
    "short gradients": ("cycle_gan", "--pool_size 2 --clip_grad 0.01"),
    "pix2pix": ("pix2pix", ""),
    "pix2pix with penalty": ("pix2pix", "--gan_mode wgangp --norm instance"),
    "colorization": ("colorization", ""),
}


@pytest.mark.usefixtures("own_draws")
@pytest.mark.parametrize("device", ["cpu", GPU])
@pytest.mark.parametrize("case", CASES)
def test_recorded_steps_equal_those_taken_as_they_are(case: str, device: str) -> None:
    compare(*CASES[case], [{"count": 2}] * STEPS, device)


@pytest.mark.parametrize("device", ["cpu", GPU])
@pytest.mark.parametrize("steps", [WARM_UPS + 1, STEPS])
def test_a_pool_that_fills_while_steps_are_repeated_is_filled_and_saved(steps: int, device: str) -> None:
    compare("cycle_gan", "--pool_size 5", [{}] * steps, device)


@pytest.mark.parametrize("case", [("cycle_gan", "--pool_size 0 --dropout"), ("pix2pix", "")])
def test_each_size_is_recorded_once_and_repeated(case: tuple[str, str]) -> None:
    capture = compare(*case, [{"size": 24 if step % 3 == 1 else 16} for step in range(15)])
    assert (capture.recorded, capture.repeated) == (2, 15 - 2 * WARM_UPS)


@pytest.mark.usefixtures("own_draws")
def test_the_smaller_batch_at_the_end_of_an_epoch_shares_the_pool() -> None:
    shapes = [{"count": 1 if step % 4 == 0 else 2} for step in range(12)]  # as after a resume
    assert compare("cycle_gan", "--pool_size 3 --dropout", shapes).recorded == 1


@cache
def through(model: str, flags: str) -> tuple[list[dict[str, float]], Any]:
    """Return losses and state of a training that was never stopped nor recorded."""
    whole = built(model, flags)
    return trained(whole, 2 * STEPS), Snapshot().take(whole.state())


@pytest.mark.parametrize(
    ("model", "flags"),
    [
        ("cycle_gan", "--pool_size 2 --no_dropout"),
        ("pix2pix", "--dropout"),
        ("cut", "--num_patches 9 --flip_equivariance"),
    ],
)
@pytest.mark.parametrize("stop", [2, 5, STEPS, STEPS + 2])
def test_a_saved_training_goes_on_either_way(model: str, flags: str, stop: int) -> None:
    flags += " --n_epochs 1 --n_epochs_decay 3 --lr 0.002"
    expected, end = through(model, flags)
    for captures in ((CpuCapture(), CpuCapture()), (CpuCapture(), None), (None, CpuCapture())):
        first, second = (built(model, flags, capture) for capture in captures)
        history = trained(first, stop)
        trained(second, 5)  # recorded already: the state must replace what the recording knows
        second.restore(Snapshot().take(first.state()), "memory")
        assert history + trained(second, 2 * STEPS - stop) == expected
        assert_same(second.state(), end)


def test_losses_are_kept_until_somebody_looks() -> None:
    training = built("pix2pix", "", CpuCapture())
    losses = [take(training).losses for _ in range(STEPS)]
    assert len({float(found["G_L1"]) for found in losses}) == STEPS
    training.stepper.check_losses()
    assert training.stepper.is_between_steps(training.progress)


@pytest.mark.parametrize(
    ("world", "flags", "message"),
    [
        (World(1, 2, torch.device("cuda")), "", "for one process, not 2; pass --compile nets"),
        (GPU_WORLD, "--on_nan skip", "cannot record what --on_nan skip .* leave it out, or pass --compile nets"),
        (GPU_WORLD, "--precision fp16", "what --precision fp16 .* pass --precision bf16, or pass --compile nets"),
        (GPU_WORLD, "--accumulate 2 --batch_size 2", "what --accumulate 2 .* leave it out"),
        (GPU_WORLD, "--memory low", "what --memory low .* leave it out"),
        (GPU_WORLD, "--preprocess scale_width", "--preprocess scale_width gives .* --pool_size 0, or --compile nets"),
    ],
)
def test_what_cannot_be_recorded_is_refused(world: World, flags: str, message: str) -> None:
    opt = small_options("cycle_gan", flags)
    with pytest.raises(UserError, match=message):
        refuse_to_record(opt, world, [ImagePool(opt.optim.pool_size)])


@pytest.mark.parametrize("flags", ["", "--preprocess scale_width --pool_size 0", "--gan_mode wgangp --clip_grad 1"])
def test_the_rest_is_not(flags: str) -> None:
    opt = small_options("cycle_gan", flags)
    refuse_to_record(opt, GPU_WORLD, [ImagePool(opt.optim.pool_size)])
