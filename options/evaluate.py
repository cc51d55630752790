"""The flags of ``evaluate.py``: a few of its own, and those of ``test.py``."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from options.arguments import FlagParser, asks_for_help, typed
from options.data import DataOptions
from options.errors import UserError
from options.evaluation import EvaluationSettings
from options.flag import Settings, flag, flags_of
from options.net import NetOptions
from options.result import ResultOptions
from options.run import RunOptions
from options.schema import TEST_DEFAULTS, TEST_TABLES
from options.speed import SpeedOptions

USAGE = "python evaluate.py RUN|FOLDER --dataroot FOLDER [--metrics NAMES] [flags]"
ABOUT = (
    "Measures how good a run is (RUN, by its name or folder), or a folder of images (FOLDER, such as the images of "
    "test.py). Metrics of two sets: fid, kid, precision, recall, histogram; of pairs: l1, psnr, ssim, ms_ssim, lpips, "
    "labels, segmented; of CycleGAN: cycle. Other flags of test.py work as well (python test.py --help-all); of a "
    "folder, those that say how images are read."
)

# What says nothing of a folder of images.
OF_A_RUN = {name for table in (NetOptions, SpeedOptions, ResultOptions) for name in flags_of(table)}
OF_A_RUN |= {"model", "epoch", "load_iter", "use_wandb", "wandb_project_name", "verbose"}
OF_A_RUN |= {"checkpoints_dir", "serial_batches", "no_flip", "on_bad_image"}
OF_A_RUN -= {"input_nc", "output_nc", "metrics"}


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(Settings):
    """The evaluation.

    What is measured, and where that is written.
    """

    what: str = ""
    metrics: str = flag(
        "",
        "names with commas between. Fewer are faster; fid and lpips need weights, which are downloaded once",
        metavar="NAMES",
        otherwise="fid, kid, and those of pairs",
        essential=True,
    )
    output: str = flag(
        "",
        "the JSON file to write. To keep several evaluations of a run",
        metavar="FILE",
        otherwise="metrics.json beside the results of test.py",
        essential=True,
    )
    label: str = flag(
        "",
        "of a folder's images only those whose names end so. real_A, for example, to measure what is given",
        metavar="LABEL",
        otherwise="fake_B, fake_B_rgb or fake, whichever there is",
        essential=True,
    )
    checkpoints_dir: str = flag(
        "",
        "folder of all runs. Where RUN is a name and they lie elsewhere",
        metavar="FOLDER",
        otherwise="./checkpoints",
        essential=True,
    )

    def refuse_for_run(self) -> None:
        """Raise a ``UserError`` for what says nothing of a run, or nowhere to write."""
        if self.label:
            raise UserError(
                f"--label {self.label} chooses among a folder of images, and {self.what} is a run; leave it out, or "
                "give the images folder of its results"
            )
        self._refuse_output()

    def refuse_for_folder(self, others: Sequence[str]) -> None:
        """Raise a ``UserError`` for what says nothing of a folder of images, or nowhere to write.

        Args:
            others: the words for ``test.py``.
        """
        for name in [*typed(others, list(TEST_TABLES.values())), *["checkpoints_dir"] * bool(self.checkpoints_dir)]:
            if name in OF_A_RUN:
                instead = "; --max_dataset_size measures fewer images" if name == "num_test" else ""
                raise UserError(
                    f"--{name} is about a run, and {self.what} is a folder of images; leave it out{instead}"
                )
        self._refuse_output()
        measured = Path(os.path.realpath(self.what))
        if self.output and measured in Path(os.path.realpath(self.output)).parents:
            raise UserError(
                f"--output {self.output} lies in the folder that is measured, and would be counted the next time; "
                f"give a place outside {self.what}"
            )

    def real_flags(self, others: Sequence[str]) -> list[str]:
        """Return the flags that read real images as they lie there: in pairs, on two sides, or in a plain folder."""
        given = typed(others, list(TEST_TABLES.values()))
        place = os.path.join(given.get("dataroot", ""), given.get("phase", "test"))
        mode = given.get("dataset_mode", "")
        if mode == "colorization":
            raise UserError(
                "--dataset_mode colorization reads lightness and colour; to compare colour images, leave it out and "
                f"give their folder: --dataroot {place}"
            )
        if not mode and os.path.isdir(place):
            mode = "aligned"
        elif not mode and (os.path.isdir(f"{place}A") or given.get("dataroot", "").lower().endswith(".csv")):
            mode = "unaligned"
        mode = mode or "single"
        return ["--model", "test" if mode == "single" else "template", "--dataset_mode", mode]

    def _refuse_output(self) -> None:
        if self.output and (os.path.isdir(self.output) or self.output.endswith(os.sep)):
            raise UserError(
                f"--output {self.output} is a folder; name a file in it: {os.path.join(self.output, 'metrics.json')}"
            )


def parse_evaluate(argv: Sequence[str]) -> tuple[EvaluateOptions, list[str]]:
    """Return the flags of ``evaluate.py`` alone, and the words that are those of ``test.py``.

    On an error it prints usage and one sentence, and exits with 2.
    """
    parser = FlagParser("evaluate.py", USAGE, ABOUT, argv)
    front = FlagParser()
    front.add_flags(EvaluateOptions)
    try:
        if asks_for_help(argv):
            parser.add_argument("what", metavar="RUN|FOLDER", help="what is measured, before all flags")
            for table in (EvaluateOptions, DataOptions, EvaluationSettings):
                parser.add_flags(table, TEST_DEFAULTS)
            parser.parse_args(argv)
        if not argv or argv[0].startswith("-"):
            raise UserError("say first what to measure: the name or the folder of a run, or a folder of images")
        known, others = front.parse_known_args(list(argv[1:]))
        named = typed(others, [RunOptions])
        if name := next((name for name in named if name in ("name", "suffix")), None):
            raise UserError(
                f"--{name} {named[name]} names no run here: RUN, by its name or folder, is the first word; leave "
                f"--{name} out"
            )
    except UserError as error:
        parser.leave(str(error))
    given = vars(known)
    if "metrics" in given:
        others = [*others, "--metrics", given["metrics"]]
    return EvaluateOptions(what=argv[0], **given), others
