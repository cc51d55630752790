"""All benchmarks, and a short round of those that need neither data, nor a trained run, nor the official code.

python -m benchmarks                # lists them
python -m benchmarks quick          # a few minutes on two cores; a table for each question
python -m benchmarks.step --help    # one of them, in earnest
"""

import ast
import importlib
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import end_children_too

NAMES = (
    "machine", "step", "inference", "translating", "data", "index", "checkpoint", "sinks", "scaling", "end_to_end",
    "parity", "plot",
)  # fmt: skip
SMALL = "--netG resnet_4blocks --ngf 24 --ndf 24"
WAYS = '--ours "" --ours "reference: --precision fp32 --compile off" --rounds 1 --steps 2'
QUICK = (
    "machine",
    f"step --model cycle_gan --size 128 {WAYS}",
    f"step --model pix2pix --size 256 {WAYS}",
    f"inference --sizes 256 --batch_sizes 1 {WAYS}",
    "data --dataroot {drawn} --rounds 1",
    "checkpoint --size 128 --rounds 2",
    f"sinks --size 96 {SMALL} --servers healthy --rounds 2",
    "scaling --model pix2pix --size 128 --rounds 1 --steps 2",
)


def main(argv: Sequence[str] | None = None) -> None:
    """List the benchmarks, or measure a short round."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words == ["quick"]:
        quick()
    elif words:
        sys.exit(f"python -m benchmarks: error: unknown word {words[0]!r}; {__doc__}")
    else:
        print("\n".join(f"python -m benchmarks.{name:<12} {about(name)}" for name in NAMES))
        print(f"python -m benchmarks {'quick':<12} A short round; --help of each says more.")


def about(name: str) -> str:
    """Return the first line of a benchmark's description, without importing it."""
    text = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


def quick(round_: Sequence[str] = QUICK) -> None:
    """Measure a short round, on drawn images.

    Args:
        round_: the benchmarks with their flags; ``{drawn}`` stands for a folder of images.
    """
    from datasets.make_demo_dataset import main as draw

    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        draw([folder, "--kind", "unpaired", "--size", "128", "--train", "20", "--test", "1"])
        for line in round_:
            name, *words = shlex.split(line.replace("{drawn}", shlex.quote(folder)))
            print(f"\n{about(name)}\npython -m benchmarks.{line}\n", flush=True)
            importlib.import_module(f"benchmarks.{name}").main(words)
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    end_children_too()
    main()
