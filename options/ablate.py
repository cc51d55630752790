"""The flags of ``ablate.py``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from options.arguments import QuietParser, add_flags
from options.errors import UserError
from options.flag import at_least, flag

USAGE = (
    "python ablate.py TABLE --dataroot FOLDER [flags] [-- flags of train.py [-- flags of evaluate.py]]\n"
    "       python ablate.py --list"
)


@dataclass(frozen=True, kw_only=True)
class AblateOptions:
    """Which table of a paper is run, on what."""

    table: str = ""
    train: tuple[str, ...] = ()  # words for train.py
    evaluate: tuple[str, ...] = ()  # words for evaluate.py
    list: bool = flag(False, "show the tables and their rows")
    dataroot: str = flag("", "folder of images")
    direction: Literal["", "AtoB", "BtoA"] = flag("", "which way to translate; empty leaves it to train.py")
    seeds: int = flag(3, "trainings of each row, with the seeds 0, 1 ...")
    metrics: str = flag("", "what is measured, as evaluate.py --metrics takes it; empty takes the table's own")
    phase: str = flag("test", "sub-folder of the images that are evaluated")
    checkpoints_dir: str = flag("./checkpoints", "folder of all runs; those of a table lie in a folder of its name")
    only: str = flag("", "rows to run, with commas between; empty runs all")
    overwrite: bool = flag(False, "delete earlier runs of these rows and start anew; without it, the command goes on")
    dry_run: bool = flag(False, "print the commands and run none")
    quiet: bool = flag(False, "print warnings only")

    def __post_init__(self) -> None:
        at_least("--seeds", self.seeds, 1)
        if self.list:
            return
        if not self.table:
            raise UserError(f"TABLE is missing; --list shows them; usage: {USAGE}")
        if not self.dataroot:
            raise UserError("--dataroot is missing; give the folder of images, such as --dataroot ./datasets/facades")
        if self.metrics and not self.metrics.strip(", "):
            raise UserError("--metrics names nothing to measure; give l1,lpips,fid for example")


def parse_ablate(argv: Sequence[str]) -> AblateOptions:
    """Parse the flags of ``ablate.py``.

    Raises:
        UserError: a flag is unknown, or its value impossible.
    """
    own, train = _split(list(argv))
    train, evaluate = _split(train)
    parser = QuietParser(prog="ablate.py", usage=USAGE, description=__doc__)
    parser.add_argument("table", nargs="?", default="", help="name of a table")
    add_flags(parser, AblateOptions, bare_switches=True)
    known, words = parser.parse_known_args(own)
    if words:
        raise UserError(
            f"unknown word {words[0]!r}; flags of train.py come after --, as in: "
            "python ablate.py pix2pix_losses --dataroot ./datasets/facades -- --n_epochs 50"
        )
    return AblateOptions(**vars(known), train=tuple(train), evaluate=tuple(evaluate))


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Split at the first ``--``."""
    end = words.index("--") if "--" in words else len(words)
    return words[:end], words[end + 1 :]
