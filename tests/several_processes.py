"""What ``test_several_processes`` runs in each process; a module of its own so that a spawned process can import it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from data.batch import Batch
from models.divergence import refuse_bad_weights
from models.ema import Averages
from models.registry import create_model
from models.stepper import Stepper
from models.validation import Validation
from options.errors import DivergedError
from tests.small import random_batch, small_options
from util.distributed import World
from util.progress import Progress

MODELS: Mapping[str, str] = {
    "cycle_gan": "--pool_size 0 --lr 0.001",
    "pix2pix": "--no_dropout --lr 0.001",
    "cut": "--num_patches 9999 --lr 0.001 --init_type normal",  # all places: processes draw different ones
}
NORMS = ("instance", "syncbatch", "none")
CASES: Mapping[str, tuple[str, str]] = {
    f"{model} {norm}": (model, f"{flags} --norm {norm}") for model, flags in MODELS.items() for norm in NORMS
}
STEPS = 10


def trained(case: str, world: World, images: int) -> dict[str, Any]:
    """Train on this process's share of batches of so many images; return weights, last gradients and all losses.

    In float64: Adam turns rounding noise in the gradient of an unused bias into whole steps.
    """
    model_name, flags = CASES[case]
    opt = small_options(model_name, flags)
    model = create_model(opt).double()
    stepper, progress = Stepper(model, opt.optim, world), Progress()
    losses = []
    for step in range(STEPS):
        batch = share(random_batch(opt, images, seed=step), world)
        parts = stepper.step(batch, progress).losses
        progress.advance(images)
        losses.append(world.mean(torch.stack(list(parts.values()))).tolist())
    # Adam does not see the scale of gradients, so these are compared as well
    gradients = {key: parameter.grad for key, parameter in model.networks.named_parameters()}
    return {"weights": model.networks.state_dict(), "gradients": gradients, "losses": losses}


def share(batch: Batch, world: World) -> Batch:
    """Return every n-th image; at least one, with the weight that the loader gives it."""
    counted = len(range(world.rank, batch.size, world.size))
    part = slice(world.rank, None, world.size) if counted else slice(0, 1)
    weight = counted * world.size / batch.size
    return Batch(batch.A[part].double(), batch.target[part].double(), ("a",), ("b",), weight=weight)


def measured(dataroot: str, world: World, *, norm: str, steps: int) -> float:
    """Return the score of a validation after so many steps."""
    flags = f"--dataroot {dataroot} --lr_policy plateau --load_size 32 --crop_size 32 --num_threads 0 --lr 0.01"
    opt = small_options("pix2pix", f"{flags} --norm {norm}")
    model = create_model(opt)
    stepper, progress = Stepper(model, opt.optim, world), Progress()
    for step in range(steps):
        batch = random_batch(opt, world.size, seed=step)
        part = slice(world.rank, None, world.size)
        stepper.step(batch._replace(A=batch.A[part], B=batch.target[part]), progress)
        progress.advance(world.size)
    return Validation(opt, model, world).measure(model, Averages(model.networks, 0), Progress())["l1"]


def rates(world: World) -> dict[str, float]:
    """Return the learning rate of the first epoch by ``--scale_lr``."""
    found = {}
    for how in ("none", "linear", "sqrt"):
        opt = small_options("pix2pix", f"--lr 0.001 --scale_lr {how}")
        found[how] = Stepper(create_model(opt), opt.optim, world).set_learning_rate(Progress())
    return found


def complaint(world: World, *, changed: int) -> str:
    """Return what is said at a save if one process has another weight in its discriminator; "" if nothing is."""
    model = create_model(small_options("pix2pix"))
    if world.rank == changed:
        with torch.no_grad():
            next(model.networks["D"].parameters()).view(-1)[3] += 1e-6
    try:
        refuse_bad_weights(model, world, 7)
    except DivergedError as error:
        return str(error)
    return ""


def work(rank: int, size: int, folder: str, dataroot: str) -> None:
    """Do everything as process ``rank`` and write what came of it."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=size)
    try:
        world = World(rank, size, torch.device("cpu"))
        results: dict[str, Any] = {case: trained(case, world, 2 * size) for case in CASES}
        results |= {f"{case}, uneven": trained(case, world, size + 1) for case in CASES}
        results["cycle_gan instance, one idle"] = trained("cycle_gan instance", world, size - 1)
        results["validation"] = measured(dataroot, world, norm="instance", steps=0)
        results["validation after batch norm"] = measured(dataroot, world, norm="batch", steps=3)
        results["rates"] = rates(world)
        results["complaints"] = [complaint(world, changed=changed) for changed in (-1, size - 1)]
        torch.save(results, Path(folder, f"rank{rank}.pt"))
    finally:
        dist.destroy_process_group()
