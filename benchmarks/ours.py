"""Our side of a comparison: a step as in ``train.py``, a translation as in ``test.py``, and the operations of both."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from data.batch import Batch
from models.registry import create_model
from models.stepper import Stepped, Stepper, seed_step
from options.cli import parse_test, parse_train
from util.device import choose_device
from util.distributed import World
from util.progress import Progress

NOWHERE = torch.device("meta")  # shapes without numbers


class Steps:
    """Steps as ``train.py`` takes them, one after the other on the same images.

    Args:
        flags: of ``train.py``.
        world: of several processes; unless given, this one alone.
    """

    def __init__(self, flags: Sequence[str], A: Tensor, B: Tensor, world: World | None = None) -> None:
        self.opt = parse_train(flags)
        self.world = world or World(0, 1, choose_device(self.opt.run))
        self.model = create_model(self.opt).place(self.world.device)
        self.stepper = Stepper(self.model, self.opt.optim, self.world, seed=self.opt.run.seed)
        self.progress, self._given = Progress(epoch_size=1000), (A, B)

    def step(self) -> Stepped:
        """Take a step, the copy to the device included."""
        self.last = self.stepper.step(self.batch(), self.progress)  # kept, as train.py does
        self.progress.advance(len(self._given[0]))
        return self.last

    def batch(self) -> Batch:
        """Return the images on the device."""
        return _batch(*self._given).to(self.world.device)


def translation(flags: Sequence[str], A: Tensor) -> tuple[Callable[[], object], str]:
    """Return a function that translates images with a fresh network, and the precision."""
    opt = parse_test(flags)
    device = choose_device(opt.run)
    model = create_model(opt).place(device)
    model.train(not opt.result.eval)

    @torch.no_grad()
    def translate() -> dict[str, Tensor]:
        batch = _batch(A).to(device)
        model.check_batch(batch)
        seed_step(opt.run.seed, 0, 0)
        with model.compute.kernels(), model.compute.forward():
            return model.visuals(model(batch))

    return translate, model.compute.precision


def operations(work: Callable[[], object]) -> int:
    """Return the floating point operations of a call: convolutions and matrix products, 2 for a multiply-add."""
    with FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


def operations_of_step(flags: Sequence[str], size: int, batch_size: int) -> int:
    """Return the floating point operations of a training step of the reference, without computing it."""
    opt = parse_train(flags)
    model = create_model(opt).to(NOWHERE)  # not placed: that is the reference
    stepper, (A, B) = Stepper(model, opt.optim, World(0, 1, NOWHERE)), _shapes(size, batch_size)
    return operations(lambda: stepper.step(_batch(A, B), Progress()))


def operations_of_translation(flags: Sequence[str], size: int, batch_size: int) -> int:
    """Return the floating point operations of a translation by the reference, without computing it."""
    model, (A, _) = create_model(parse_test(flags)).to(NOWHERE), _shapes(size, batch_size)
    with torch.no_grad():
        return operations(lambda: model(_batch(A)))


def _shapes(size: int, batch_size: int) -> list[Tensor]:
    return [torch.empty(batch_size, 3, size, size, device=NOWHERE) for _ in range(2)]


def _batch(A: Tensor, B: Tensor | None = None) -> Batch:
    return Batch(A, B, ("A",) * len(A), ("B",) * len(A))
