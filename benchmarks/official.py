"""The official code in the place of ours, in a process of its own: nothing of ours must be imported after it."""

import atexit
import importlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

FOR_NOTHING = "wandb"  # a package that the official code imports even where it is not used


def training_step(folder: Path, flags: Sequence[str], A: Tensor, B: Tensor) -> Callable[[], object]:
    """Return a function that trains the official code's model by one step."""
    opt = options_of(folder, flags)
    model = importlib.import_module("models").create_model(opt)
    model.setup(opt)

    def step() -> None:
        model.set_input({"A": A, "B": B, "A_paths": ["A"], "B_paths": ["B"]})
        model.optimize_parameters()

    return step


def translation(folder: Path, flags: Sequence[str], A: Tensor) -> Callable[[], object]:
    """Return a function that translates as the official test.py does, with random weights that it finds in a file."""
    opt = options_of(folder, flags, "test")
    model = importlib.import_module("models").create_model(opt)
    run = Path(opt.checkpoints_dir) / opt.name
    torch.save(model.netG.state_dict(), run / f"{opt.epoch}_net_G.pth")
    model.setup(opt)
    if opt.eval:
        model.eval()

    def translate() -> object:
        model.set_input({"A": A, "A_paths": ["A"]})
        model.test()
        return model.get_current_visuals()

    return translate


def options_of(folder: Path, flags: Sequence[str], kind: str = "train") -> Any:  # Any: of the official code
    """Put the official code in the place of ours, in this process, and return its parsed options.

    Args:
        folder: the official code.
        flags: its command line.
        kind: train or test.
    """
    sys.path.insert(0, str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] in ("options", "models", "data", "util")]:
        del sys.modules[name]
    options = importlib.import_module(f"options.{kind}_options")
    checkpoints = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, checkpoints, ignore_errors=True)
    sys.argv = [f"{kind}.py", *flags, "--checkpoints_dir", checkpoints]
    opt = (options.TrainOptions() if kind == "train" else options.TestOptions()).parse()
    opt.device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    return opt


def precision() -> str:
    """Return what the official code computes convolutions in: PyTorch's default."""
    ampere = torch.cuda.is_available() and torch.cuda.get_device_capability() >= (8, 0)
    return "tf32" if ampere else "fp32"


def stand_ins(folder: Path) -> str:
    """Return a search path on which the official code finds what it imports, used or not."""
    if importlib.util.find_spec(FOR_NOTHING) is None:
        (folder / f"{FOR_NOTHING}.py").touch()
    return os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
