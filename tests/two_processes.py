"""What ``test_stepper`` runs in each of two processes; a module of its own so that a spawned process can import it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from data.batch import Batch
from models.registry import create_model
from models.stepper import Stepper
from models.validation import Validation
from tests.small import random_batch, small_options
from util.distributed import World
from util.progress import Progress

CASES: Mapping[str, tuple[str, str]] = {
    "pix2pix": ("pix2pix", "--norm instance --no_dropout --lr 0.001"),
    "cycle_gan": ("cycle_gan", "--pool_size 0 --lr 0.001"),
}
STEPS = 2
BOTH = 2  # images of a step over all processes


def trained(case: str, world: World) -> dict[str, Any]:
    """Train on this process's share of each batch; return weights, last gradients and all losses.

    In float64: Adam turns rounding noise in the gradient of an unused bias into whole steps.
    """
    model_name, flags = CASES[case]
    opt = small_options(model_name, flags)
    model = create_model(opt).double()
    stepper, progress = Stepper(model, opt.optim, world), Progress()
    losses = []
    for step in range(STEPS):
        batch = share(random_batch(opt, BOTH, seed=step), world)
        parts = stepper.step(batch, progress).losses
        progress.advance(BOTH)
        losses.append(world.mean(torch.stack(list(parts.values()))).tolist())
    # Adam does not see the scale of gradients, so these are compared as well
    gradients = {key: parameter.grad for key, parameter in model.networks.named_parameters()}
    return {"weights": model.networks.state_dict(), "gradients": gradients, "losses": losses}


def share(batch: Batch, world: World) -> Batch:
    part = slice(world.rank, None, world.size)
    return batch._replace(A=batch.A[part].double(), B=batch.target[part].double())


def measured(dataroot: str, world: World, *, norm: str, steps: int) -> float:
    """Return the validation figure that ``--lr_policy plateau`` would use after so many steps."""
    flags = f"--dataroot {dataroot} --lr_policy plateau --load_size 32 --crop_size 32 --num_threads 0 --lr 0.01"
    opt = small_options("pix2pix", f"{flags} --norm {norm}")
    model = create_model(opt)
    stepper, progress = Stepper(model, opt.optim, world), Progress()
    for step in range(steps):
        batch = random_batch(opt, BOTH, seed=step)
        part = slice(world.rank, None, world.size)
        stepper.step(batch._replace(A=batch.A[part], B=batch.target[part]), progress)
        progress.advance(BOTH)
    return Validation(opt, world).measure(model)


def work(rank: int, folder: str, dataroot: str) -> None:
    """Do everything as process ``rank`` of two and write what came of it."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    try:
        world = World(rank, 2, torch.device("cpu"))
        results: dict[str, Any] = {case: trained(case, world) for case in CASES}
        results["validation"] = measured(dataroot, world, norm="instance", steps=0)
        results["validation after batch norm"] = measured(dataroot, world, norm="batch", steps=3)
        torch.save(results, Path(folder, f"rank{rank}.pt"))
    finally:
        dist.destroy_process_group()
