"""What saving costs a training: the wait of the step, the save's own time, and the slower step beside it.

python -m benchmarks.checkpoint
python -m benchmarks.checkpoint --model pix2pix --size 256 --rounds 8

A full training is built, trained for a few steps, and saved as ``train.py`` saves. Steps with a save under way
and steps without take turns, so that a noisy machine hits both. Flags that this program does not know go to the
training.
"""

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.clock import timed
from benchmarks.job import random_images
from benchmarks.ours import Steps
from models.saver import Saver
from models.training import Training

TITLES = (
    "state, MB", "all files, MB", "a save, s", "a step, s", "the step waits, ms", "of the save", "of the step",
    "the first time, ms", "step beside the writing",
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = report.new_parser("checkpoint", __doc__)
    add = parser.add_argument
    add("--model", default="cycle_gan", help="cycle_gan or pix2pix; default: %(default)s")
    add("--size", type=int, default=256, help="side of the images, pixels; default: %(default)s")
    add("--rounds", type=int, default=6, help="pairs of a step with a save and one without; default: %(default)s")
    add("--folder", help="where to write; the system's temporary folder unless given")
    args, flags = parser.parse_known_args(argv)
    steps = Steps(["--model", args.model, "--dataroot", "unused", *flags], *random_images(args.size))
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        figures = measure(steps, Path(folder), args.rounds)
    report.save(args, flags, [figures])
    print(report.table(TITLES, [cells(figures)]))


def cells(figures: dict[str, Any]) -> list[str]:
    """Return the line of the table."""
    save, step, wait, busy = (statistics.median(figures[name]) for name in ("save", "step", "wait", "busy"))
    sizes = [report.number(figures[name] / 1e6) for name in ("state", "all")]
    times = [report.number(value) for value in (save, step, wait * 1e3)]
    shares = [f"{wait / save:.1%}", f"{wait / step:.2%}", report.number(figures["first"] * 1e3)]
    return [*sizes, *times, *shares, f"{busy / step - 1:+.1%}"]


def measure(steps: Steps, folder: Path, rounds: int) -> dict[str, Any]:
    """Train and save; return bytes, and seconds by round: of a step, one beside the writing, its wait, a whole save."""
    saver = Saver(Training(steps.opt, steps.model, steps.stepper, steps.progress), folder)
    for pool in steps.model.pools.values():  # full, as after the first images of a long run
        pool.images = [steps.batch().A[0].clone() for _ in range(pool.size)]

    def save() -> None:
        saver.save("latest")

    def save_and_wait() -> None:
        saver.save("latest")
        saver.finish()

    for _ in range(2):
        steps.step()
    figures: dict[str, Any] = {"first": timed(save), "step": [], "wait": [], "busy": [], "save": []}
    saver.finish()
    for _ in range(rounds):
        figures["step"].append(timed(steps.step))
        figures["wait"].append(timed(save))
        figures["busy"].append(timed(steps.step))
        saver.finish()
        figures["save"].append(timed(save_and_wait))
    figures["state"] = (folder / "latest_state.pth").stat().st_size
    figures["all"] = figures["state"] + sum(path.stat().st_size for path in folder.glob("*_net_*.pth"))
    return figures


if __name__ == "__main__":
    main()
