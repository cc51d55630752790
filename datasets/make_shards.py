"""Pack a data set into WebDataset shards, for --dataset_mode webdataset: copied byte for byte, whole or not at all.

Reads what the other data set modes read: --dataroot with train (A left, B right), with trainA and trainB (pairs of
equal names, or none with --unpaired), or a .csv list. Writes <out>/train/train-000000.tar ..., or trainA and trainB,
and a sizes.json beside them. The samples come in an order that depends on the seed alone.
"""

import io
import json
import os
import shutil
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

if __package__ in (None, ""):  # started by path: the repository is not on the import path yet
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np
from tqdm import tqdm

from data.files.layout import Files, has_two_sides, paired_files, plain_files, side_files
from datasets.command import command_parser, run_command, writing_to
from options.errors import UserError
from options.schema import DataOptions

MB = 10**6


class Packing(NamedTuple):
    """The samples of one folder of shards, by key."""

    name: str  # of the folder: train, trainA ...
    keys: list[str]
    sides: dict[str, Files]

    def members(self, number: int) -> list[tuple[str, str]]:
        """Return the files of a sample, each with what it is called after the key: ``a.png``."""
        found = []
        for side, files in self.sides.items():
            paths = files[number]
            for place, path in enumerate(paths, start=1):
                role = (
                    f"{side.lower()}{place}." if len(paths) > 1 else f"{side.lower()}." if len(self.sides) > 1 else ""
                )
                found.append((path, role + os.path.splitext(path)[1][1:].lower()))
        return found


def find(opt: DataOptions, *, unpaired: bool) -> list[Packing]:
    """List what becomes shards: pairs in one folder of shards, A and B that are no pairs in two.

    Raises:
        UserError: there is nothing, or partners are missing.
    """
    phase = opt.phase
    hint = f"give a --dataroot with {phase}, with {phase}A and {phase}B, or a list"
    if unpaired:
        return [_packing(phase + side, {side: side_files(opt, phase, side, hint=hint)}) for side in "AB"]
    if not has_two_sides(opt, phase):
        whole = plain_files(opt, phase, hint=hint, columns=("ab", "a", "path"))
        return [_packing(phase, {"A": whole})]
    try:
        return [_packing(phase, dict(zip("AB", paired_files(opt, phase, hint=hint), strict=True)))]
    except UserError as error:
        raise UserError(f"{error}; where A and B are no pairs, pass --unpaired") from error


def write_shards(packing: Packing, out: Path, *, samples: int, size_mb: float, seed: int) -> dict[str, int]:
    """Write a folder of shards and return how many samples each holds.

    Args:
        samples: in a shard, at most.
        size_mb: of a shard, at most, unless a single sample is larger.

    Raises:
        UserError: the folder exists already, or cannot be written, or an image cannot be read.
    """
    target, work = out / packing.name, out / f".{packing.name}-unfinished"
    with writing_to(target):
        if work.exists():
            raise UserError(f"{work} is left of a packing that was killed, or of one that runs; remove it")
        work.mkdir()
        try:
            sizes = {}
            order = np.random.default_rng(seed).permutation(len(packing.keys)).tolist()
            bar = tqdm(order, desc=packing.name, disable=None, unit="sample")
            for index, numbers in enumerate(_cut(packing, bar, samples=samples, size_mb=size_mb)):
                name = f"{packing.name}-{index:06d}.tar"
                _write(work / name, packing, numbers)
                sizes[name] = len(numbers)
            (work / "sizes.json").write_text(json.dumps(sizes, indent=0) + "\n", encoding="utf-8")
            os.rename(work, target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return sizes


def _cut(packing: Packing, order: Iterator[int], *, samples: int, size_mb: float) -> Iterator[list[int]]:
    """Yield the samples of each shard."""
    numbers: list[int] = []
    size = 0.0
    for number in order:
        own = sum(os.path.getsize(path) for path, _ in packing.members(number)) / MB
        if numbers and (len(numbers) == samples or size + own > size_mb):
            yield numbers
            numbers, size = [], 0.0
        numbers.append(number)
        size += own
    yield numbers


def _write(path: Path, packing: Packing, numbers: Sequence[int]) -> None:
    """Write one shard; equal files give equal bytes."""
    with tarfile.open(path, "w") as tar:
        for number in numbers:
            for file, rest in packing.members(number):
                try:
                    content = Path(file).read_bytes()
                except OSError as error:
                    message = f"cannot read {file} ({error.strerror}); make it readable or remove it"
                    raise UserError(message) from error
                info = tarfile.TarInfo(f"{packing.keys[number]}.{rest}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))


def _packing(name: str, sides: dict[str, Files]) -> Packing:
    column = next(iter(sides.values())).columns[0]
    return Packing(name, keys_of([column.relative(number) for number in range(len(column))]), sides)


def keys_of(names: Sequence[str]) -> list[str]:
    """Return keys without dots, which would end them; with a number where two files would have the same."""
    stems = [os.path.splitext(name)[0].replace("..", "__").replace(".", "_") for name in names]
    if len(set(stems)) == len(stems):
        return stems
    return [f"{stem}-{number:06d}" for number, stem in enumerate(stems)]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code."""
    parser = command_parser("make_shards", __doc__)
    parser.add_argument("--dataroot", required=True, help="folder of images, or a list of them")
    parser.add_argument("--phase", default="train", help="default: %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, such as shards/mine")
    parser.add_argument("--unpaired", action="store_true", help="A and B are no pairs (CycleGAN)")
    parser.add_argument("--samples_per_shard", type=int, default=1000, help="at most; default: %(default)s")
    parser.add_argument("--mb_per_shard", type=float, default=1000.0, help="at most; default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="other seeds, other orders; default: %(default)s")
    parser.add_argument("--on_missing_partner", choices=["stop", "skip"], default="stop", help="default: %(default)s")
    args = parser.parse_args(argv)

    def work() -> None:
        if args.samples_per_shard < 1 or not args.mb_per_shard > 0 or args.seed < 0:
            raise UserError("--samples_per_shard must be at least 1, --mb_per_shard above 0 and --seed at least 0")
        opt = DataOptions(dataroot=args.dataroot, phase=args.phase, on_missing_partner=args.on_missing_partner)
        for packing in find(opt, unpaired=args.unpaired):
            sizes = write_shards(
                packing, args.out, samples=args.samples_per_shard, size_mb=args.mb_per_shard, seed=args.seed
            )
            print(f"{args.out / packing.name}: {sum(sizes.values())} samples in {len(sizes)} shards")

    return run_command(parser.prog, work)


if __name__ == "__main__":
    sys.exit(main())
