"""The flags of ``export.py``."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from options.arguments import QuietParser, add_flags
from options.errors import UserError
from options.flag import at_least, flag

USAGE = "python export.py RUN [--to FORMAT] [flags]"
NAMED = "experiment_name"


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Which generators, and where to."""

    run: str = ""
    name: str = flag(NAMED, "name of the run, in place of RUN: its files lie in checkpoints_dir/name")
    to: Literal["safetensors", "onnx", "torchscript", "torch_export", "web"] = flag(
        "safetensors", "format: weights alone, a program for others or for PyTorch, or a page for the browser"
    )
    direction: Literal["", "AtoB", "BtoA"] = flag("", "which way, of a CycleGAN; empty takes both")
    checkpoints_dir: str = flag("./checkpoints", "folder of all runs")
    epoch: str = flag("latest", "which saved weights: latest, best or an epoch number")
    load_iter: int = flag(0, "if above 0, the weights saved as iter_<N> instead of --epoch")
    ema: float | None = flag(
        None, "above 0, as a run trained with --ema has it: averaged weights; 0: the raw ones", parse=float
    )
    eval: bool = flag(False, "let batch norms use what they gathered in training instead of each image's statistics")
    precision: Literal["fp32", "fp16", "int8"] = flag(
        "fp32", "of onnx and web: numbers of the weights; fp16 makes files half as large, int8 up to a quarter"
    )
    output: str = flag("", "folder of the files; empty takes the run's own")

    def __post_init__(self) -> None:
        at_least("--load_iter", self.load_iter, 0)
        if self.ema is not None and not 0 <= self.ema < 1:
            raise UserError(f"--ema {self.ema} is outside [0, 1); pass 0.999 for averaged weights, or 0 for raw ones")
        if self.run and self.name != NAMED:
            raise UserError(f"{self.run} and --name {self.name} both name a run; leave one of them out")
        if self.precision != "fp32" and self.to not in ("onnx", "web"):
            raise UserError(f"--precision {self.precision} is for --to onnx and --to web; --to {self.to} keeps fp32")
        if self.eval and self.to == "safetensors":
            raise UserError("--eval changes nothing in safetensors, which hold weights alone; leave it out")
        if self.to == "web" and not self.output:
            raise UserError("-o is missing: a folder for the page of --to web")


def parse_export(argv: Sequence[str] | None = None) -> ExportOptions:
    """Parse the flags of ``export.py``.

    Raises:
        UserError: a flag is unknown, or its value impossible.
    """
    parser = QuietParser(prog="export.py", usage=USAGE, description=__doc__)
    parser.add_argument("-o", dest="output", default=argparse.SUPPRESS, help="the same as --output")
    add_flags(parser, ExportOptions, bare_switches=True)
    known, words = parser.parse_known_args(argv)
    if len(words) > 1 or (words and words[0].startswith("-")):
        parser.error(f"unrecognized arguments: {' '.join(words)}")
    return ExportOptions(**vars(known), run="".join(words))
