"""``--compile step``: a whole training step as one recording, and what cannot be recorded."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import torch
from torch import Tensor

from data.batch import Batch
from models.image_pool import ImagePool
from models.outputs import detached
from models.step_graph import Capture, Learned, StepGraph
from options.errors import UserError
from options.schema import Options
from util.distributed import World

Result = tuple[Any, dict[str, Tensor], dict[str, Tensor]]  # the model's output, losses, accuracies


class Shown(NamedTuple):
    """The model's output, and the names of the numbers."""

    out: Any
    losses: tuple[str, ...]
    accuracies: tuple[str, ...]


class RecordedStep:
    """Takes steps with a recording; what the host draws for the image pools it draws before each.

    Args:
        learn: takes a step on a batch that is on the device; see ``StepGraph`` for what it may not do. Its losses and
            accuracies are scalars and always the same ones.
        pools: that ``learn`` asks, each once, in this order.
    """

    def __init__(
        self, learn: Callable[[Batch], Result], pools: Iterable[ImagePool], capture: Capture, device: torch.device
    ) -> None:
        self._learn = learn
        self._pools = [pool for pool in pools if pool.size]
        self._pins = device.type == "cuda" and bool(self._pools)
        self._graph = StepGraph(self._learned, capture, device)

    def __call__(self, batch: Batch) -> Result:
        """Take a step.

        Returns:
            The output, without gradients, in memory that the next step overwrites; losses and accuracies to keep.
        """
        plans = [pool.plan(batch.size) for pool in self._pools]
        rows = torch.tensor(plans, dtype=torch.int64)  # pools x 2 x N
        images = [batch.A] if batch.B is None else [batch.A, batch.B]
        numbers, shown = self._graph([*images, rows.pin_memory() if self._pins else rows])
        for pool, plan in zip(self._pools, plans, strict=True):
            pool.settle(plan)
        values = numbers.unbind()
        losses = dict(zip(shown.losses, values, strict=False))
        return shown.out, losses, dict(zip(shown.accuracies, values[len(losses) :], strict=True))

    def forget(self) -> None:
        """Record anew: for when a state was loaded."""
        self._graph.forget()

    def _learned(self, inputs: Sequence[Tensor]) -> Learned:
        A, *target, rows = inputs
        with ExitStack() as stack:
            for pool, plan in zip(self._pools, rows.unbind(), strict=True):
                stack.enter_context(pool.following(plan))
            out, losses, accuracies = self._learn(Batch(A, target[0] if target else None, (), ()))
        numbers = torch.stack([value.detach().float() for value in (*losses.values(), *accuracies.values())])
        # without a graph: that of a step before would tie the recording to the stream of that step
        return Learned(numbers, Shown(detached(out), tuple(losses), tuple(accuracies)))


def refuse_to_record(opt: Options, world: World, pools: Iterable[ImagePool] = ()) -> None:
    """Refuse what a recording of a step cannot hold.

    Raises:
        UserError: naming the flag, and what to do.
    """
    if world.size > 1:
        raise UserError(f"--compile step is for one process, not {world.size}; pass --compile nets")
    for unfit, flag, instead in (
        (opt.optim.on_nan == "skip", "--on_nan skip", "leave it out"),
        (opt.speed.precision == "fp16", "--precision fp16", "pass --precision bf16"),
        (opt.optim.accumulate > 1, f"--accumulate {opt.optim.accumulate}", "leave it out"),
        (opt.optim.memory != "normal", f"--memory {opt.optim.memory}", "leave it out"),
    ):
        if unfit:
            raise UserError(
                f"--compile step cannot record what {flag} does between the parts of a step; {instead}, or pass "
                "--compile nets"
            )
    if not opt.data.fixed_size and any(pool.size for pool in pools):
        raise UserError(
            f"--compile step keeps older fakes of one size, and --preprocess {opt.data.preprocess} gives images of "
            "several; pass --preprocess resize_and_crop, --pool_size 0, or --compile nets"
        )
