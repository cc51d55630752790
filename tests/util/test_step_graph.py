"""A step that is recorded and repeated does what it would have done anew, on whatever it is given."""

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn

from tests.recording import CpuCapture, NothingWaits
from util.step_graph import MOST_RECORDINGS, WARM_UPS, CudaCapture, Learned, StepGraph

CPU = torch.device("cpu")
STEPS = WARM_UPS + 3


class Learner:
    """A layer with dropout that learns to be zero; ``rate`` is changed in place."""

    def __init__(self, device: torch.device = CPU) -> None:
        torch.manual_seed(0)
        self.layer = nn.Linear(3, 3).to(device)
        self.rate = torch.tensor(0.1, device=device)
        self.runs = 0  # of this Python

    def __call__(self, inputs: Sequence[Tensor]) -> Learned:
        self.runs += 1
        out = nn.functional.dropout(self.layer(inputs[0] * inputs[1].mean()), 0.5)
        loss = out.square().mean()
        self.layer.zero_grad()
        loss.backward()
        with torch.no_grad():
            for parameter in self.layer.parameters():
                parameter -= self.rate * parameter.grad
        return Learned(torch.stack([loss.detach()]), out.detach())


def inputs(step: int, *, count: int = 4, width: int = 2) -> list[Tensor]:
    generator = torch.Generator().manual_seed(step)
    return [torch.randn(count, 3, generator=generator), torch.rand(count, width, generator=generator)]


def assert_equal_weights(one: Learner, other: Learner) -> None:
    for mine, theirs in zip(one.layer.parameters(), other.layer.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def compare(device: torch.device, capture: object, *, steps: int = STEPS) -> None:
    """Take steps as they are and recorded ones; a seed before each, another rate at each."""
    plain, recorded = Learner(device), Learner(device)
    graph = StepGraph(recorded, capture, device)  # type: ignore[arg-type]
    kept = []
    for step in range(steps):
        given = [tensor.to(device) for tensor in inputs(step)]
        for learner, take in ((plain, plain), (recorded, graph)):
            learner.rate.fill_(0.1 / (step + 1))
            torch.manual_seed(step)
            kept.append(take(given))
        assert torch.equal(kept[-1].shown, kept[-2].shown)
    for one, other in zip(kept[::2], kept[1::2], strict=True):  # numbers are there to keep
        assert torch.equal(one.numbers, other.numbers)
    assert len({float(left.numbers[0]) for left in kept}) == steps
    assert_equal_weights(plain, recorded)
    assert recorded.runs == WARM_UPS + 1 < plain.runs


def test_recorded_steps_equal_those_taken_as_they_are() -> None:
    capture = CpuCapture()
    compare(CPU, capture)
    assert (capture.warmed, capture.recorded, capture.repeated) == (WARM_UPS, 1, STEPS - WARM_UPS)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_recorded_steps_equal_those_taken_as_they_are_on_a_gpu() -> None:
    device = torch.device("cuda")
    compare(device, CudaCapture(device))


def test_recording_alone_takes_no_step() -> None:
    learner, capture = Learner(), CpuCapture()
    before = [parameter.clone() for parameter in learner.layer.parameters()]
    draws = torch.get_rng_state()
    capture.record(lambda: learner(inputs(0)))
    for parameter, old in zip(learner.layer.parameters(), before, strict=True):
        assert torch.equal(parameter, old)
    assert torch.equal(torch.get_rng_state(), draws)


def test_each_shape_has_a_recording_up_to_a_bound() -> None:
    learner, plain, capture = Learner(), Learner(), CpuCapture()
    graph = StepGraph(learner, capture, CPU)
    widths = range(2, 2 + MOST_RECORDINGS + 2)
    for step in range(WARM_UPS + 2):
        for width in widths:
            given = inputs(step, width=width)
            for take in (plain, graph):
                torch.manual_seed(step)
                take(given)
    assert_equal_weights(plain, learner)
    assert capture.recorded == MOST_RECORDINGS
    assert capture.repeated == 2 * MOST_RECORDINGS


def test_smaller_batches_are_taken_as_they_are() -> None:
    learner, plain, capture = Learner(), Learner(), CpuCapture()
    graph = StepGraph(learner, capture, CPU)
    for step in range(3 * STEPS):
        for take in (plain, graph):
            torch.manual_seed(step)
            take(inputs(step, count=1 if step % 3 == 2 else 4))
    assert_equal_weights(plain, learner)
    assert capture.recorded == 1
    assert learner.runs == WARM_UPS + 1 + STEPS


def test_a_new_recording_knows_weights_that_moved() -> None:
    learner, plain = Learner(), Learner()
    graph = StepGraph(learner, CpuCapture(), CPU)
    for step in range(2 * STEPS):
        if step == STEPS:
            for each in (learner, plain):
                each.layer = nn.Linear(3, 3)
                each.layer.weight.data.fill_(0.5)
                each.layer.bias.data.fill_(0.5)
            graph.forget()
        for take in (plain, graph):
            torch.manual_seed(step)
            take(inputs(step))
    assert_equal_weights(plain, learner)


@pytest.mark.parametrize(
    "asks",
    [
        lambda given: given.sum().item(),
        lambda given: bool((given > 0).any()),
        lambda given: given[given > 0],
        lambda given: given.nonzero(),
        lambda given: given + torch.tensor(2.0),
    ],
)
def test_a_step_that_talks_with_the_host_is_noticed(asks: Callable[[Tensor], object]) -> None:
    with NothingWaits(), pytest.raises(AssertionError, match="would wait|copies from the host"):
        asks(inputs(0)[0])
