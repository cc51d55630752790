"""Measure how good a trained run is, or a folder of images: FID, KID, LPIPS, PSNR, SSIM, accuracy of labels ...

python evaluate.py facades --dataroot ./datasets/facades
python evaluate.py ./results/horse2zebra/test_latest/images --dataroot ./datasets/horse2zebra --metrics fid,kid
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from inference.evaluating import METRICS_JSON, Evaluated, evaluate_folder, evaluate_run
from models.state import has_state
from models.trained_run import stored_options
from options.cli import parse_test
from options.errors import UserError
from options.evaluate import EvaluateOptions, parse_evaluate
from options.schema import RunOptions
from options.stored import OPTIONS_FILE
from util.distributed import World, session
from util.results import result_folder
from util.run import entry_point, log, speak
from util.run_folder import make_folder


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the flags and measure; a mistake of the user ends in one sentence and exit code 2."""
    with entry_point("evaluate.py"):
        own, others = parse_evaluate(sys.argv[1:] if argv is None else argv)
        run = find_run(own)
        evaluated, path = of_images(own, others) if run is None else of_run(own, others, run)
        log.info("%s", evaluated.table())
        written = evaluated.save(Path(own.output) if own.output else path)
        log.info("written: %s", ", ".join(map(str, written)))


def find_run(own: EvaluateOptions) -> Path | None:
    """Return the folder of a run, or None where a folder of images is given.

    Raises:
        UserError: a run is given by its folder, and the folder of all runs as well.
    """
    given, named = Path(own.what), Path(own.checkpoints_dir or "./checkpoints", own.what)
    for folder in (named, given) if own.checkpoints_dir else (given, named):
        if is_run(folder):
            if own.checkpoints_dir and folder == given:
                raise UserError(
                    f"--checkpoints_dir has no effect, because {given} is the folder of a run; leave it out"
                )
            return Path(os.path.abspath(folder))
    return None if given.is_dir() else named


def is_run(folder: Path) -> bool:
    """Tell whether a training, ours or the official one, has left a generator there."""
    return folder.is_dir() and (has_state(folder) or (folder / OPTIONS_FILE).exists() or any(folder.glob("*_net_G*")))


def of_run(own: EvaluateOptions, others: Sequence[str], run: Path) -> tuple[Evaluated, Path]:
    """Measure a run; return what came of it and where that is written."""
    own.refuse_for_run()
    words = ["--name", run.name, "--checkpoints_dir", str(run.parent), *others]
    opt = parse_test(words, stored=stored_options, program="evaluate.py")
    speak(quiet=opt.run.quiet)
    with one_process(opt.run, own.output) as world:
        return evaluate_run(opt, world), result_folder(opt) / METRICS_JSON


def of_images(own: EvaluateOptions, others: Sequence[str]) -> tuple[Evaluated, Path]:
    """Measure a folder of images; return what came of it and where that is written."""
    own.refuse_for_folder(others)
    words = ["--preprocess", "keep", "--name", "images", *others, *own.real_flags(others)]
    opt = parse_test(words, program="evaluate.py")
    speak(quiet=opt.run.quiet)
    folder = Path(os.path.abspath(own.what))
    with one_process(opt.run, own.output) as world:
        evaluated = evaluate_folder(own.what, opt, own.label, world.device)
    return evaluated, folder.parent / f"{folder.name}_{METRICS_JSON}"


@contextmanager
def one_process(opt: RunOptions, output: str) -> Iterator[World]:
    """Find the device, and see that this is the only process and what is typed as ``--output`` can be written."""
    with session(opt) as world:
        if world.size > 1:
            raise UserError(f"evaluate.py works in one process, not {world.size}; start it without torchrun")
        if output:
            make_folder(Path(output).parent)
        yield world


if __name__ == "__main__":
    main()
