"""The flags of ``evaluate.py``: a few of its own, and those of ``test.py``."""

import argparse
import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from options.arguments import QuietParser, add_flags
from options.errors import UserError
from options.evaluation import EvaluationSettings
from options.flag import flag
from options.schema import NetOptions, Options, ResultOptions
from options.speed import SpeedOptions
from options.typed import typed

USAGE = "python evaluate.py RUN|FOLDER --dataroot FOLDER [--metrics NAMES] [flags]"
ABOUT = (
    "RUN is a trained run, by its name or folder; FOLDER holds images, such as the images of test.py. Metrics of two "
    "sets: fid, kid, histogram; of pairs: l1, psnr, ssim, ms_ssim, lpips, labels, segmented; of CycleGAN: cycle. All "
    "flags of test.py work as well; of a folder, those that say how images are read."
)

# What says nothing of a folder of images.
OF_A_RUN = {f.name for table in (NetOptions, SpeedOptions, ResultOptions) for f in dataclasses.fields(table)}
OF_A_RUN |= {"model", "epoch", "load_iter", "use_wandb", "wandb_project_name", "verbose"}
OF_A_RUN |= {"serial_batches", "no_flip", "on_bad_image"}
OF_A_RUN -= {"input_nc", "output_nc", "metrics"}


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """What is measured, and where that is written."""

    what: str = ""
    metrics: str = flag("", "names with commas between; empty takes the usual ones: fid, kid, and those of pairs")
    output: str = flag("", "the JSON file to write; empty is metrics.json beside the results of test.py")
    label: str = flag("", "of a folder's images only those whose names end so; empty finds fake_B, fake_B_rgb or fake")
    checkpoints_dir: str = flag("", "folder of all runs, where RUN is a name; empty is ./checkpoints")

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
        names = [
            *typed(others, list(Options.TEST_GROUPS.values())),
            *(["checkpoints_dir"] if self.checkpoints_dir else []),
        ]
        for name in names:
            if name in OF_A_RUN or name == "checkpoints_dir":
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
        given = typed(others, list(Options.TEST_GROUPS.values()))
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
    parser = argparse.ArgumentParser(prog="evaluate.py", usage=USAGE, description=ABOUT, allow_abbrev=False)
    parser.add_argument("what", metavar="RUN|FOLDER", help="what is measured, before all flags")
    add_flags(parser, EvaluateOptions)
    add_flags(parser, EvaluationSettings)
    front = QuietParser(add_help=False)
    add_flags(front, EvaluateOptions)
    try:
        if {"-h", "--help"} & set(argv):
            parser.parse_args(["--help"])
        if not argv or argv[0].startswith("-"):
            raise UserError("say first what to measure: the name or the folder of a run, or a folder of images")
        known, others = front.parse_known_args(list(argv[1:]))
        _refuse_name(others)
    except UserError as error:
        parser.error(str(error))
    given = vars(known)
    if "metrics" in given:
        others = [*others, "--metrics", given["metrics"]]
    return EvaluateOptions(what=argv[0], **given), others


def _refuse_name(others: Sequence[str]) -> None:
    for name, value in typed(others, [Options.TEST_GROUPS["run"]]).items():
        if name in ("name", "suffix"):
            raise UserError(
                f"--{name} {value} names no run here: RUN, by its name or folder, is the first word; leave --{name} out"
            )
