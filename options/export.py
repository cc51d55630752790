"""The flags of ``export.py``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from options.arguments import FlagParser
from options.errors import UserError
from options.flag import Settings, flag

USAGE = "python export.py RUN [--to FORMAT] [flags]"
ABOUT = (
    "Writes the generators of a trained run as files for other programs, and checks that these translate alike. RUN is "
    "a run's folder or name, or a generator's file."
)
NAMED = "experiment_name"


@dataclass(frozen=True, kw_only=True)
class ExportOptions(Settings):
    """The export.

    Which generators are written, and where to.
    """

    run: str = ""
    name: str = flag(NAMED, "name of the run, in place of RUN. As train.py and test.py take it", metavar="NAME")
    to: Literal["safetensors", "onnx", "torchscript", "torch_export", "web"] = flag(
        "safetensors",
        "format of the files. safetensors: weights alone; onnx: for other programs; torchscript, torch_export: for "
        "PyTorch without this code; web: a web page that translates in the browser",
        essential=True,
    )
    direction: Literal["", "AtoB", "BtoA"] = flag(
        "", "which way. Where one of a CycleGAN's is enough", otherwise="both of a CycleGAN", essential=True
    )
    output: str = flag(
        "",
        "folder of the files. Needed by --to web",
        metavar="FOLDER",
        otherwise="the run's own",
        essential=True,
        short="o",
    )
    checkpoints_dir: str = flag("./checkpoints", "folder of all runs. Where they lie elsewhere", metavar="FOLDER")
    epoch: str = flag(
        "latest",
        "which saved weights: latest, best or an epoch number. best where there were validations",
        metavar="EPOCH",
        essential=True,
    )
    load_iter: int = flag(
        0, "above 0: the weights saved as iter_N, in place of --epoch. For runs with --save_by_iter", least=0
    )
    ema: float | None = flag(
        None,
        "above 0: averaged weights; 0: the raw ones. A run that was trained with --ema has both",
        metavar="SHARE",
        otherwise="averaged ones where there are",
        parse=float,
    )
    eval: bool = flag(
        False,
        "let batch norms use what they gathered in training instead of each image's statistics. Then a result does not "
        "depend on what else is in the image",
    )
    precision: Literal["fp32", "fp16", "int8"] = flag(
        "fp32",
        "numbers of the weights, of onnx and web. fp16 makes files half as large, int8 up to a quarter",
        essential=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
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


def parse_export(words: Sequence[str]) -> ExportOptions:
    """Parse the flags of ``export.py``.

    Raises:
        UserError: a flag is unknown, or its value impossible.
    """
    parser = FlagParser("export.py", USAGE, ABOUT, words)
    parser.add_flags(ExportOptions, bare_switches=True)
    known, others = parser.parse_known_args(words)
    if len(others) > 1 or (others and others[0].startswith("-")):
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    return ExportOptions(**vars(known), run="".join(others))
