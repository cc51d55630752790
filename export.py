"""Write the generators of a trained run as files for other programs, and check that they translate alike.

python export.py horse2zebra                                  # safetensors: weights without code
python export.py horse2zebra --to onnx                        # also torchscript, torch_export
python export.py horse2zebra --to onnx --precision int8
python export.py horse2zebra --to web -o page                 # a page that translates in the browser
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from inference.export.check import DeviationError
from inference.export.formats import check_packages
from inference.export.web_page import write_page
from inference.export.writing import read_generators, write_all
from inference.load import find_run
from options.export import ExportOptions, parse_export
from util.checkpoint import prefix_of
from util.run import entry_point, log


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the flags and write; a mistake of the user ends in one sentence and exit code 2.

    A file that does not translate as PyTorch does is not written; exit code 1.
    """
    with entry_point("export.py"):
        try:
            export(parse_export(sys.argv[1:] if argv is None else argv))
        except DeviationError as error:
            print(f"export.py: error: {error}", file=sys.stderr)
            sys.exit(1)


def export(opt: ExportOptions) -> None:
    """Write what the options ask for."""
    check_packages(opt.to)
    place = find_run(opt.run, opt.checkpoints_dir) if opt.run else Path(opt.checkpoints_dir, opt.name)
    prefix = prefix_of(opt.epoch, opt.load_iter)
    ways = read_generators(place, prefix, ema=opt.ema, direction=opt.direction, running_statistics=opt.eval)
    folder = Path(opt.output or (place.parent if place.is_file() else place))
    written: Iterable[object]
    if opt.to == "web":
        written = write_page(ways, folder, place.stem, precision=opt.precision)
    else:
        written = write_all(ways, folder, opt.to, precision=opt.precision)
    for one in written:
        log.info("%s", one)


if __name__ == "__main__":
    main()
