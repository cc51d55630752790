"""The two sides of a comparison, each in processes of its own: ours, and the official code."""

import importlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

PROJECT = Path(__file__).resolve().parents[1]


def in_own_process(module: str, side: str, flags: list[str]) -> dict[str, Any]:
    """Run one side of a benchmark in a fresh process and return its figures, the last line that it prints."""
    command = [sys.executable, "-m", module, *flags, "--side", side]
    done = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def official_options(folder: Path, flags: list[str]) -> Any:
    """Put the official code in the place of ours, in this process, and return its parsed options."""
    sys.path.insert(0, str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] in ("options", "models", "data", "util")]:
        del sys.modules[name]
    options = importlib.import_module("options.train_options")
    sys.argv = ["train.py", *flags, "--checkpoints_dir", tempfile.mkdtemp()]
    opt = options.TrainOptions().parse()
    opt.device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    return opt
