"""Small models on the CPU for unit tests: options as typed, random batches, copies of weights."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from data.batch import Batch
from models.base import TranslationModel
from models.registry import MODELS, create_model
from models.saver import Saver
from models.stepper import Stepper
from models.training import Training
from options.cli import parse_train
from options.schema import Options
from tests.recorded import images
from util.distributed import World
from util.progress import Progress

ALONE = World(0, 1, torch.device("cpu"))
SIZE = 16
NETS = "--netG resnet_1blocks --ngf 4 --ndf 4 --netD n_layers --n_layers_D 1"


def small_options(model: str, flags: str = "") -> Options:
    return parse_train(["--dataroot", "unused", "--model", model, *NETS.split(), *flags.split()])


def random_batch(opt: Options, count: int = 1, *, seed: int = 0, size: int = SIZE) -> Batch:
    A = images(seed, count, opt.net.input_nc, size, size)
    B = images(seed + 1000, count, opt.net.output_nc, size, size)
    return Batch(A, B, ("a.png",) * count, ("b.png",) * count)


def trained_models() -> list[str]:
    """Names of the models that have something to train."""
    return [name for name, kind in MODELS._table.items() if _learns(name, kind)]


def _learns(name: str, kind: type[TranslationModel[Any]]) -> bool:
    try:
        return bool(kind(small_options(name)).phases())
    except SystemExit:  # it refuses to be trained
        return False


def training(model: str, flags: str = "") -> tuple[TranslationModel[Any], Stepper, Progress]:
    opt = small_options(model, flags)
    built = create_model(opt)
    return built, Stepper(built, opt.optim, ALONE, seed=opt.run.seed), Progress(epoch_size=100)


def train_steps(
    model: TranslationModel[Any], stepper: Stepper, progress: Progress, steps: int, *, count: int = 1, size: int = SIZE
) -> list[dict[str, float]]:
    """Take steps, each on images that depend on the progress alone; return the losses."""
    history = []
    for _ in range(steps):
        batch = random_batch(model.opt, count, seed=progress.images_seen, size=size)
        losses = stepper.step(batch, progress).losses
        progress.advance(count)
        history.append({name: value.item() for name, value in losses.items()})
    return history


def weights(net: nn.Module) -> dict[str, Tensor]:
    """Return a copy of everything that a checkpoint holds."""
    return {key: value.clone() for key, value in net.state_dict().items()}


def pool_states(model: TranslationModel[Any]) -> dict[str, Any]:
    """Return what a state holds of the image pools."""
    return {name: pool.state_dict() for name, pool in model.pools.items()}


def save_at(folder: Path, model: TranslationModel[Any], stepper: Stepper, progress: Progress, *prefixes: str) -> None:
    """Write a training to ``folder``."""
    saver = Saver(Training(model.opt, model, stepper, progress), folder)
    saver.save(*prefixes)
    saver.finish()
