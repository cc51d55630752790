"""Run folders as a training leaves them, without the training."""

from pathlib import Path

from options.stored import write_options
from tests.small import save_at, training


def make_run(folder: Path, model: str = "cycle_gan", flags: str = "") -> Path:
    """Write what a training has saved before its first step, weights ten times as large so that images differ."""
    folder.mkdir(parents=True)
    built, stepper, progress = training(model, flags)
    for parameter in built.parameters():
        parameter.data.mul_(10)
    write_options(built.opt, folder)
    save_at(folder, built, stepper, progress, "latest")
    return folder
