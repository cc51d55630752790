"""What the machine is, and the most that it does: the speed of one large convolution in each precision.

python -m benchmarks.machine
python -m benchmarks.machine --json machine.json

A 3 x 3 convolution of 256 to 256 channels at 64 x 64 pixels is what a ResNet generator spends its time on. Medians; the
better of two layouts in memory; with the backward pass, by images and by weights, and without.
"""

from collections.abc import Sequence

from benchmarks import report
from benchmarks.ceiling import Speed, all_speeds
from benchmarks.description import describe


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = report.new_parser("machine", __doc__)
    report.add_json(parser)
    args = parser.parse_args(argv)
    for name, value in describe().items():
        print(f"{name:>20}: {', '.join(value) if isinstance(value, list) else value}")
    both = [*all_speeds(training=True), *all_speeds(training=False)]
    print(report.table(("work", "precision", "layout", "TFLOP/s"), [cells(speed) for speed in both]))
    report.save(args, [], [speed._asdict() for speed in both], benchmark="machine")


def cells(speed: Speed) -> list[str]:
    """Return a line of the table."""
    work = "forward and backward" if speed.training else "forward"
    return [work, speed.precision, speed.layout, report.number(speed.flops_per_second / 1e12)]


if __name__ == "__main__":
    main()
