"""The flags of ``evaluate.py``: a few of its own, and those of ``test.py``."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass

from options.arguments import QuietParser, add_flags
from options.errors import UserError
from options.evaluation import EvaluationSettings
from options.flag import flag

USAGE = "python evaluate.py RUN|FOLDER --dataroot FOLDER [--metrics NAMES] [flags]"
ABOUT = (
    "RUN is a trained run, by its name or folder; FOLDER holds pictures, such as the images of test.py. Metrics of two "
    "sets: fid, kid, histogram; of pairs: l1, psnr, ssim, ms_ssim, lpips, labels, segmented; of CycleGAN: cycle. All "
    "flags of test.py work as well."
)


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """What is measured, and where that is written."""

    what: str = ""
    metrics: str = flag("", "names with commas between; empty takes the usual ones: fid, kid, and those of pairs")
    output: str = flag("", "the JSON file to write; empty is metrics.json beside the results of test.py")
    label: str = flag("", "of a folder's pictures only those whose names end so; empty takes _fake_B if there are any")
    checkpoints_dir: str = flag("./checkpoints", "folder of all runs, where RUN is a name")

    def real_flags(self, others: Sequence[str]) -> list[str]:
        """Return the flags that read real images as they lie there: in pairs, on two sides, or in a plain folder."""
        if "--dataset_mode" in others:
            return ["--model", "template"]
        reader = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        reader.add_argument("--dataroot", default="")
        reader.add_argument("--phase", default="test")
        known, _ = reader.parse_known_args(others)
        place = os.path.join(known.dataroot, known.phase)
        if os.path.isdir(place):
            return ["--model", "template", "--dataset_mode", "aligned"]
        if os.path.isdir(f"{place}A") or known.dataroot.lower().endswith(".csv"):
            return ["--model", "template", "--dataset_mode", "unaligned"]
        return ["--model", "test", "--dataset_mode", "single"]


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
            raise UserError("say first what to measure: the name or the folder of a run, or a folder of pictures")
        known, others = front.parse_known_args(list(argv[1:]))
    except UserError as error:
        parser.error(str(error))
    given = vars(known)
    if "metrics" in given:
        others = [*others, "--metrics", given["metrics"]]
    return EvaluateOptions(what=argv[0], **given), others
