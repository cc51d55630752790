"""--compile step: recorded steps of every model equal those taken as they are, and what cannot be recorded is refused.

On the CPU a stand-in records; where there is a GPU, CUDA does too.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from data.batch import Batch
from models.optimizers import recordable_adam
from models.recorded_step import RecordedStep, refuse_to_record
from models.registry import create_model
from models.stepper import only_trainable, seed_step
from options.errors import UserError
from tests.recording import CpuCapture
from tests.small import SIZE, random_batch, small_options
from util.distributed import World
from util.image_pool import ImagePool, Plan
from util.step_graph import WARM_UPS, CudaCapture

CPU = torch.device("cpu")
STEPS = WARM_UPS + 4
GPU = pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"))


class Run:
    """A small training; steps are taken as they are, or recorded."""

    def __init__(self, model: str, flags: str, *, recorded: bool, device: torch.device = CPU) -> None:
        self.opt = small_options(model, flags)
        torch.manual_seed(0)
        self.model = create_model(self.opt).to(device)
        self.device = device
        self.pools: dict[str, ImagePool] = getattr(self.model, "pools", {})
        self.adams = {
            phase.name: recordable_adam(self._parameters(phase.networks), self.opt.optim, device)
            for phase in self.model.phases()
        }
        self.capture: Any = CpuCapture() if device.type == "cpu" else CudaCapture(device)
        self.step = RecordedStep(self.learn, self.pools.values(), self.capture, device) if recorded else None
        self.seen = 0  # images

    def learn(self, batch: Batch) -> tuple[Any, dict[str, Tensor], dict[str, Tensor]]:
        out = self.model(batch)
        losses: dict[str, Tensor] = {}
        accuracies: dict[str, Tensor] = {}
        for phase in self.model.phases():
            with only_trainable(self.model.networks, phase.networks):
                loss = phase.loss(out)
                self.adams[phase.name].zero_grad()
                loss.total.backward()
                if self.opt.optim.clip_grad:
                    nn.utils.clip_grad_norm_(self._parameters(phase.networks), self.opt.optim.clip_grad)
                self.adams[phase.name].step()
                losses |= {name: value.detach() for name, value in loss.parts.items()}
                accuracies |= loss.accuracies
        return out, losses, accuracies

    def take(self, *, count: int = 1, size: int = SIZE) -> tuple[Any, Mapping[str, Tensor], Mapping[str, Tensor]]:
        """Take a step on images that depend on the position alone; the rate depends on it too."""
        for adam in self.adams.values():
            adam.param_groups[0]["lr"].fill_(0.002 if self.seen < 5 else 0.001)
        seed_step(0, 0, self.seen)
        OwnDraws.restart()
        batch = random_batch(self.opt, count, seed=self.seen, size=size).to(self.device)
        left = (self.step or self.learn)(batch)
        self.seen += count
        return left

    def state(self) -> dict[str, Any]:
        """Return copies of all that a training is."""
        return {
            "networks": {key: value.clone() for key, value in self.model.networks.state_dict().items()},
            "moments": {name: copied(adam.state_dict()["state"]) for name, adam in self.adams.items()},
            "pools": {side: copied(pool.state_dict()) for side, pool in self.pools.items()},
            "seen": self.seen,
        }

    def load(self, state: dict[str, Any]) -> None:
        self.model.networks.load_state_dict(state["networks"])
        for name, adam in self.adams.items():
            rate = adam.param_groups[0]["lr"]
            adam.load_state_dict({**adam.state_dict(), "state": copied(state["moments"][name])})
            adam.param_groups[0]["lr"] = rate
        for side, pool in self.pools.items():
            pool.load_state_dict(state["pools"][side], self.device)
        self.seen = state["seen"]
        if self.step:
            self.step.forget()

    def _parameters(self, names: tuple[str, ...]) -> list[nn.Parameter]:
        return [parameter for name in names for parameter in self.model.networks[name].parameters()]


class OwnDraws:
    """Lets image pools draw from a generator of their own, as on a GPU, where dropout has another."""

    position = torch.get_rng_state()
    plan = ImagePool.plan

    @classmethod
    def restart(cls) -> None:
        cls.position = torch.get_rng_state()

    @classmethod
    def planned(cls, pool: ImagePool, count: int) -> Plan:
        before = torch.get_rng_state()
        torch.set_rng_state(cls.position)
        try:
            return cls.plan(pool, count)
        finally:
            cls.position = torch.get_rng_state()
            torch.set_rng_state(before)


@pytest.fixture(autouse=True)
def own_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImagePool, "plan", lambda pool, count: OwnDraws.planned(pool, count))


def copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = [part for pair in value.items() for part in pair]
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def assert_same(one: Any, other: Any) -> None:
    for mine, theirs in zip(leaves(one), leaves(other), strict=True):
        assert torch.equal(mine, theirs) if isinstance(mine, Tensor) else mine == theirs


def compare(plain: Run, recorded: Run, shapes: list[dict[str, int]]) -> None:
    """Take the same steps; what they leave and what they learned must be equal, also when looked at later."""
    kept = []
    for shape in shapes:
        expected, found = plain.take(**shape), recorded.take(**shape)
        assert_same(found[0], expected[0])
        assert not any(value.requires_grad for value in leaves(found[0]) if isinstance(value, Tensor))
        kept.append((found[1:], expected[1:]))
    for numbers, others in kept:
        assert_same(numbers, others)
    assert_same(recorded.state(), plain.state())


CASES = {
    "dropout and pool": ("cycle_gan", "--dropout --pool_size 2 --lr 0.002"),
    "no identity": ("cycle_gan", "--pool_size 3 --lambda_identity 0"),
    "penalty": ("cycle_gan", "--pool_size 2 --gan_mode wgangp"),
    "short gradients": ("cycle_gan", "--pool_size 2 --clip_grad 0.01"),
    "pix2pix": ("pix2pix", ""),
    "pix2pix with penalty": ("pix2pix", "--gan_mode wgangp --norm instance"),
    "colorization": ("colorization", ""),
}


@pytest.mark.parametrize("device", ["cpu", GPU])
@pytest.mark.parametrize("case", CASES)
def test_recorded_steps_equal_those_taken_as_they_are(case: str, device: str) -> None:
    plain, recorded = (Run(*CASES[case], recorded=kind, device=torch.device(device)) for kind in (False, True))
    compare(plain, recorded, [{"count": 2}] * STEPS)


def test_a_step_is_recorded_once_and_repeated() -> None:
    run = Run("cycle_gan", "--pool_size 2", recorded=True)
    for _ in range(STEPS):
        run.take()
    assert (run.capture.recorded, run.capture.repeated) == (1, STEPS - WARM_UPS)


@pytest.mark.parametrize("device", ["cpu", GPU])
def test_a_pool_that_fills_while_steps_are_repeated_is_filled_and_saved(device: str) -> None:
    plain, recorded = (
        Run("cycle_gan", "--pool_size 5", recorded=kind, device=torch.device(device)) for kind in (False, True)
    )
    for step in range(10):
        compare(plain, recorded, [{}])
        assert len(recorded.pools["A"].images) == min(step + 1, 5)


@pytest.mark.parametrize("case", ["dropout and pool", "pix2pix"])
@pytest.mark.parametrize("first", [1, WARM_UPS + 2])
def test_a_resume_goes_on_exactly(case: str, first: int) -> None:
    whole = Run(*CASES[case], recorded=True)
    for step in range(2 * STEPS):
        if step == first:
            state = whole.state()
        whole.take()
    again = Run(*CASES[case], recorded=True)
    for _ in range(WARM_UPS + 2):  # recordings of other weights, which the state replaces
        again.take(size=SIZE)
    again.load(state)
    for _ in range(2 * STEPS - first):
        again.take()
    assert_same(again.state(), whole.state())
    assert again.capture.repeated > 2


@pytest.mark.parametrize("case", [("cycle_gan", "--pool_size 0 --dropout"), ("pix2pix", "")])
def test_another_size_has_its_own_recording(case: tuple[str, str]) -> None:
    plain, recorded = Run(*case, recorded=False), Run(*case, recorded=True)
    compare(plain, recorded, [{"size": 24 if step % 3 == 1 else 16} for step in range(15)])
    assert recorded.capture.recorded == 2


def test_the_smaller_batch_at_the_end_of_an_epoch_shares_the_pool() -> None:
    plain, recorded = (Run("cycle_gan", "--pool_size 3 --dropout", recorded=kind) for kind in (False, True))
    compare(plain, recorded, [{"count": 1 if step % 4 == 0 else 2} for step in range(12)])  # as after a resume
    assert recorded.capture.recorded == 1


GPU_WORLD = World(0, 1, torch.device("cuda"))


@pytest.mark.parametrize(
    ("world", "flags", "message"),
    [
        (World(0, 1, CPU), "", "--compile step needs an NVIDIA GPU, not cpu; pass --compile nets"),
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
