"""Write the generators of a trained run as safetensors, a format without code that other programs read.

python export.py --name horse2zebra
python export.py --name horse2zebra --epoch 100 --output ./generators
"""

from collections.abc import Sequence
from pathlib import Path

from models.export import export_generators
from options.export import parse_export
from util.checkpoint import prefix_of
from util.run import entry_point, log


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the flags and write; a mistake of the user ends in one sentence and exit code 2."""
    with entry_point("export.py"):
        opt = parse_export(argv)
        run, prefix = Path(opt.checkpoints_dir, opt.name), prefix_of(opt.epoch, opt.load_iter)
        for path in export_generators(run, prefix, Path(opt.output or run), ema=opt.ema):
            log.info("%s (%.1f MB)", path, path.stat().st_size / 1e6)


if __name__ == "__main__":
    main()
