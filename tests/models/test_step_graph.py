"""A step that is recorded and repeated does what it would have done anew, on whatever it is given."""

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn

from models.step_graph import MOST_RECORDINGS, WARM_UPS, Learned, StepGraph
from tests.recording import CpuCapture, NothingWaits
from tests.same_runs import differences
from tests.small import weights

CPU = torch.device("cpu")


class Learner:
    """A layer with dropout that learns to be zero."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.layer = nn.Linear(3, 3)

    def __call__(self, inputs: Sequence[Tensor]) -> Learned:
        out = nn.functional.dropout(self.layer(inputs[0] * inputs[1].mean()), 0.5)
        loss = out.square().mean()
        self.layer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for parameter in self.layer.parameters():
                assert parameter.grad is not None
                parameter.sub_(0.1 * parameter.grad)
        return Learned(torch.stack([loss.detach()]), out.detach())


def inputs(step: int, *, width: int = 2) -> list[Tensor]:
    generator = torch.Generator().manual_seed(step)
    return [torch.randn(4, 3, generator=generator), torch.rand(4, width, generator=generator)]


def test_recording_alone_takes_no_step() -> None:
    learner, capture = Learner(), CpuCapture()
    before, draws = weights(learner.layer), torch.get_rng_state()
    capture.record(lambda: learner(inputs(0)))
    assert differences(weights(learner.layer), before) == []
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
    assert differences(weights(learner.layer), weights(plain.layer)) == []
    assert capture.recorded == MOST_RECORDINGS
    assert capture.repeated == 2 * MOST_RECORDINGS


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
