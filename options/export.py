"""The flags of ``export.py``."""

from collections.abc import Sequence
from dataclasses import dataclass

from options.arguments import QuietParser, add_flags
from options.errors import UserError
from options.flag import at_least, flag


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Which generators, and where to."""

    name: str = flag("experiment_name", "name of the run: its files lie in checkpoints_dir/name")
    checkpoints_dir: str = flag("./checkpoints", "folder of all runs")
    epoch: str = flag("latest", "which saved weights: latest, best or an epoch number")
    load_iter: int = flag(0, "if above 0, the weights saved as iter_<N> instead of --epoch")
    ema: float | None = flag(
        None, "above 0, as a run trained with --ema has it: averaged weights; 0: the raw ones", parse=float
    )
    output: str = flag("", "folder of the files; empty takes the run's own")

    def __post_init__(self) -> None:
        at_least("--load_iter", self.load_iter, 0)
        if self.ema is not None and not 0 <= self.ema < 1:
            raise UserError(f"--ema {self.ema} is outside [0, 1); pass 0.999 for averaged weights, or 0 for raw ones")


def parse_export(argv: Sequence[str] | None = None) -> ExportOptions:
    """Parse the flags of ``export.py``.

    Raises:
        UserError: a flag is unknown, or its value impossible.
    """
    parser = QuietParser(prog="export.py", usage="python export.py --name RUN [flags]", description=__doc__)
    add_flags(parser, ExportOptions)
    return ExportOptions(**vars(parser.parse_args(argv)))
