"""Measure how good a trained run is, or a folder of pictures: FID, KID, LPIPS, PSNR, SSIM, accuracy of labels ...

python evaluate.py facades --dataroot ./datasets/facades
python evaluate.py ./results/horse2zebra/test_latest/images --dataroot ./datasets/horse2zebra --metrics fid,kid
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from inference.evaluating import METRICS_JSON, Evaluated, evaluate_folder, evaluate_run
from models.state import has_state
from models.trained_run import stored_options
from options.cli import parse_test
from options.evaluate import EvaluateOptions, parse_evaluate
from options.schema import Options
from options.stored import OPTIONS_FILE
from util.distributed import session
from util.results import result_folder
from util.run import entry_point, log, speak


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the flags and measure; a mistake of the user ends in one sentence and exit code 2."""
    with entry_point("evaluate.py"):
        own, others = parse_evaluate(sys.argv[1:] if argv is None else argv)
        run = find_run(own)
        if run is None:
            evaluated, path = of_pictures(own, others)
        else:
            words = ["--name", run.name, "--checkpoints_dir", str(run.parent), *others]
            opt = parse_test(words, stored=stored_options, program="evaluate.py")
            evaluated, path = of_run(opt)
        log.info("%s", evaluated.table())
        written = evaluated.save(Path(own.output) if own.output else path)
        log.info("written: %s", ", ".join(map(str, written)))


def find_run(own: EvaluateOptions) -> Path | None:
    """Return the folder of a run, or None where a folder of pictures is given."""
    given = Path(own.what)
    for folder in (given, Path(own.checkpoints_dir, own.what)):
        if folder.is_dir() and (has_state(folder) or (folder / OPTIONS_FILE).exists() or any(folder.glob("*_net_G*"))):
            return Path(os.path.abspath(folder))
    return None if given.is_dir() else Path(own.checkpoints_dir, own.what)


def of_run(opt: Options) -> tuple[Evaluated, Path]:
    """Measure a run; return what came of it and where that is written."""
    speak(quiet=opt.run.quiet)
    with session(opt.run) as world:
        return evaluate_run(opt, world), result_folder(opt) / METRICS_JSON


def of_pictures(own: EvaluateOptions, others: Sequence[str]) -> tuple[Evaluated, Path]:
    """Measure a folder of pictures; return what came of it and where that is written."""
    whole = ["--preprocess", "keep", "--name", "pictures"]
    real = parse_test([*whole, *own.real_flags(others), *others], program="evaluate.py")
    fake = parse_test(
        [*whole, *others, "--dataroot", own.what, "--model", "test", "--dataset_mode", "single", "--direction", "AtoB"],
        program="evaluate.py",
    )
    speak(quiet=real.run.quiet)
    folder = Path(os.path.abspath(own.what))
    with session(real.run) as world:
        evaluated = evaluate_folder(fake, real, own.label, world.device)
    return evaluated, folder.parent / f"{folder.name}_{METRICS_JSON}"


if __name__ == "__main__":
    main()
