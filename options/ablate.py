"""The flags of ``ablate.py``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from options.arguments import FlagParser
from options.errors import UserError
from options.flag import Settings, flag

USAGE = (
    "python ablate.py TABLE --dataroot FOLDER [flags] [-- flags of train.py [-- flags of evaluate.py]]\n"
    "       python ablate.py --list"
)


ABOUT = (
    "Runs a table of a paper, row by row and seed by seed, and prints it beside the published one. Stopped, the same "
    "command goes on. Flags of train.py come after --, those of evaluate.py after a second one."
)


@dataclass(frozen=True, kw_only=True)
class AblateOptions(Settings):
    """The table.

    Which one is run, on what, and how thoroughly.
    """

    table: str = ""
    train: tuple[str, ...] = ()  # words for train.py
    evaluate: tuple[str, ...] = ()  # words for evaluate.py
    list: bool = flag(False, "show the tables and their rows. The way to start", essential=True)
    dataroot: str = flag(
        "",
        "folder of the images. That of the paper's set, to compare with its numbers",
        metavar="FOLDER",
        otherwise="none, it is needed",
        essential=True,
    )
    direction: Literal["", "AtoB", "BtoA"] = flag(
        "", "which way to translate. BtoA for facades and maps", otherwise="that of train.py", essential=True
    )
    seeds: int = flag(
        3,
        "trainings of each row, with the seeds 0, 1 and so on. One says little: differences are often luck",
        essential=True,
        least=1,
    )
    metrics: str = flag(
        "",
        "what is measured, as evaluate.py --metrics takes it. Those that need no download, for example",
        metavar="NAMES",
        otherwise="the table's own",
        essential=True,
    )
    phase: str = flag("test", "sub-folder of the images that are evaluated. val, as in some papers", metavar="NAME")
    checkpoints_dir: str = flag(
        "./checkpoints", "folder of all runs. Those of a table lie in a folder of its name", metavar="FOLDER"
    )
    only: str = flag(
        "", "rows to run, with commas between. One, to try", metavar="ROWS", otherwise="all", essential=True
    )
    overwrite: bool = flag(
        False, "delete earlier runs of these rows and start anew. Without it, the command goes on", essential=True
    )
    dry_run: bool = flag(False, "print the commands and run none. To see what it will do", essential=True)
    quiet: bool = flag(False, "print warnings only. In scripts")

    def __post_init__(self) -> None:
        super().__post_init__()
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
    parser = FlagParser("ablate.py", USAGE, ABOUT, own)
    parser.add_argument("table", nargs="?", default="", help="name of a table")
    parser.add_flags(AblateOptions, bare_switches=True)
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
