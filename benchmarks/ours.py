"""Our side of a comparison: a step as in ``train.py``, a translation as in ``test.py``, and the operations of both."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from benchmarks.ceiling import operations
from data.batch import Batch
from models.registry import create_model
from models.stepper import Stepper, seed_step
from options.cli import parse_test, parse_train
from util.distributed import World, choose_device
from util.progress import Progress

NOWHERE = torch.device("meta")  # shapes without numbers


def training_step(flags: Sequence[str], A: Tensor, B: Tensor) -> tuple[Callable[[], object], str]:
    """Return a function that trains our model by one step, and the precision."""
    opt = parse_train(flags)
    world = World(0, 1, choose_device(opt.run))
    model = create_model(opt).place(world.device)
    stepper, progress = Stepper(model, opt.optim, world, seed=opt.run.seed), Progress()
    last: list[Any] = []

    def step() -> None:
        last[:] = stepper.step(_batch(A, B).to(world.device), progress)  # kept, as train.py does
        progress.advance(len(A))

    return step, model.compute.precision


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
