"""Measure how good a trained run is, or a folder of images: FID, KID, LPIPS, PSNR, SSIM, accuracy of labels ...

python evaluate.py facades --dataroot ./datasets/facades
python evaluate.py ./results/horse2zebra/test_latest/images --dataroot ./datasets/horse2zebra --metrics fid,kid
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from inference.evaluating import METRICS_JSON, evaluate_folder, evaluate_run, find_run
from models.trained_run import stored_options
from options.cli import parse_test
from options.evaluate import EvaluateOptions, parse_evaluate
from util.distributed import session
from util.results import result_folder
from util.run import entry_point, refuse_several, speak
from util.run_folder import make_folder


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the flags and measure; a mistake of the user ends in one sentence and exit code 2."""
    with entry_point("evaluate.py"):
        refuse_several("evaluate.py")
        own, others = parse_evaluate(sys.argv[1:] if argv is None else argv)
        evaluate(own, others, find_run(own.what, own.checkpoints_dir))


def evaluate(own: EvaluateOptions, others: Sequence[str], run: Path | None) -> None:
    """Measure a run, or a folder of images where there is none; show the scores and write them."""
    if run:
        own.refuse_for_run()
        words = ["--name", run.name, "--checkpoints_dir", str(run.parent), *others]
        opt = parse_test(words, stored=stored_options, program="evaluate.py")
        path = result_folder(opt) / METRICS_JSON
    else:
        own.refuse_for_folder(others)
        words = ["--preprocess", "keep", "--name", "images", *others, *own.real_flags(others)]
        opt = parse_test(words, program="evaluate.py")
        folder = Path(os.path.abspath(own.what))
        path = folder.parent / f"{folder.name}_{METRICS_JSON}"
    speak(quiet=opt.run.quiet)
    with session(opt.run) as world:
        if own.output:
            path = make_folder(Path(own.output).parent) / Path(own.output).name
        found = evaluate_run(opt, world) if run else evaluate_folder(own.what, opt, own.label, world.device)
        found.report(path)


if __name__ == "__main__":
    main()
