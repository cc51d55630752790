"""Whether faster ways learn the same: runs of train.py from the same seeds, by their score of held-out images.

python -m benchmarks.parity --model pix2pix --dataroot ./datasets/facades --val_phase val
python -m benchmarks.parity --dataroot ./datasets/horse2zebra --val_phase test --netG resnet_6blocks --ngf 32

The score is that of the validation after the last epoch: pix2pix's mean absolute error in [0, 1], CycleGAN's of coming
back. A faster way should end no further from the first one than that one's seeds are from each other. Flags
that this program does not know go to all runs.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.processes import PROJECT, FailedError, end_children_too, lines_of
from benchmarks.sides import OURS, distinct, our_side, parse
from options.cli import parse_train
from util.sinks.events import Scores, read_events

WAYS = ("--precision fp32", "")


def main(argv: Sequence[str] | None = None) -> None:
    """Train, print a line per way."""
    args, flags = parse(arguments(), argv)
    with report.one_sentence(args.benchmark):
        found = measure(args, flags)
    titles = ("way", "by seed", "mean", "range", "mean beside the first")
    print(report.table(titles, [line(side, scores, next(iter(found.values()))) for side, scores in found.items()]))


def measure(args: argparse.Namespace, flags: Sequence[str]) -> dict[str, list[float]]:
    """Return the scores of each way, by seed.

    Raises:
        UserError: ``train.py`` would refuse the flags.
        FailedError: a run did not end well.
    """
    sides = distinct([our_side(text) for text in args.ours or WAYS])
    found: dict[str, list[float]] = {side.label: [] for side in sides}
    for seed in args.seeds:
        for side in sides:
            found[side.label].append(trained(args, [*flags, *side.flags, "--seed", str(seed)]))
            report.say(f"seed {seed}, {side.label}: {found[side.label][-1]:.5f}")
        rows = [{"side": label, "scores": scores} for label, scores in found.items()]
        report.save(args, flags, rows)
    return found


def arguments() -> argparse.ArgumentParser:
    """Return the flags of the benchmark itself."""
    parser = report.new_parser("parity", __doc__)
    add = parser.add_argument
    add("--dataroot", required=True, metavar="FOLDER", help="images, as train.py takes them")
    add("--ours", action="append", metavar="FLAGS", help=f"{OURS}; default: fp32 and the default")
    add("--seeds", type=int, nargs="+", default=[1, 2, 3], help="default: 1 2 3")
    add("--iterations", type=int, default=1000, help="steps of a run; default: %(default)s")
    add("--epochs", type=int, default=4, help="that these steps make; default: %(default)s")
    add("--timeout", type=float, default=0.0, metavar="SECONDS", help="most that a run may take; default: any time")
    return parser


def trained(args: argparse.Namespace, flags: Sequence[str]) -> float:
    """Return the last score of a run of its own."""
    given = ["--dataroot", str(Path(args.dataroot).resolve()), *flags]
    images = args.iterations * parse_train(given).data.batch_size // args.epochs
    own = f"--n_epochs {args.epochs} --n_epochs_decay 0 --val_freq 1 --max_dataset_size {images} --display_id 0"
    with tempfile.TemporaryDirectory() as folder:
        place = ["--checkpoints_dir", folder, "--name", "parity", "--no_html"]
        command = [sys.executable, str(PROJECT / "train.py"), *given, *own.split(), *place]
        for _ in lines_of(command, cwd=Path(folder), seconds=args.timeout):
            pass
        events = [e for e in read_events(Path(folder) / "parity" / "metrics.jsonl") if isinstance(e, Scores)]
    last = [event for event in events if event.deciding][-1]
    if last.images_seen < images * args.epochs:
        raise FailedError(f"{args.dataroot} has fewer than {images} images; lower --iterations, or raise --epochs")
    return last.worth


def line(side: str, scores: Sequence[float], first: Sequence[float]) -> list[str]:
    """Return a way's line of the table."""
    mean, other = statistics.mean(scores), statistics.mean(first)
    by_seed, width = ", ".join(f"{score:.5f}" for score in scores), max(scores) - min(scores)
    return [side, by_seed, f"{mean:.5f}", f"{width:.5f}", f"{mean - other:+.5f}"]


if __name__ == "__main__":
    end_children_too()
    main()
