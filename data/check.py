"""Read every file of a data set and say what would stop or spoil a training, before it starts.

python -m data.check --dataroot ./datasets/horse2zebra

Exit code 0: a training will read everything; 1: it will not; 2: the command itself was wrong.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from data.checking.contact_sheet import contact_sheet
from data.checking.duplicates import TRAIN, of_duplicates
from data.checking.findings import Checked, Finding, files, of_folder
from data.checking.moving import move_bad, refuse_place
from data.checking.one_file import CRASHED, Bad, Seen, examine
from data.checking.partners import Mode, guess_mode, of_partners
from data.checking.report import Report
from data.checking.sources import Found, Source, find_sources
from data.checking.suggestions import command
from data.checking.survivor import for_all
from options.errors import UserError
from util.images import save_image
from util.machine import usable_cores

MODES = ("unaligned", "aligned", "single", "colorization")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    args = _parser().parse_args(argv)
    try:
        return _run(args)
    except UserError as error:
        print(f"check: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"check: {error.strerror or error} ({error.filename or 'no file'}); check the path", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("check: stopped", file=sys.stderr)
        return 130


def check(root: str, *, processes: int, mode: Mode | None = None) -> Report:
    """Read every file below ``root``, or in the list that it is.

    Args:
        mode: what the data set is made for; found out if None.

    Raises:
        UserError: there is nothing to check.
    """
    found = find_sources(root)
    checked = _examined(found.sources, processes)
    by_name = mode is None and checked[0].source.side != ""
    mode = mode or guess_mode(checked)
    hint = "A and B seem to be pairs, by their names; if they are not: --dataset_mode unaligned"
    return Report(
        root,
        mode,
        checked,
        list(_findings(found, checked, mode)),
        command(root, checked, mode),
        hint if by_name and mode == "aligned" else "",
    )


def _examined(sources: Sequence[Source], processes: int) -> list[Checked]:
    """Read all files of all sources in one go."""
    paths = [path for source in sources for path in source.files]
    results: list[Seen | Bad] = [CRASHED] * len(paths)
    for position, result in for_all(examine, paths, processes=processes, what="reading"):
        results[position] = result or CRASHED
    checked, start = [], 0
    for source in sources:
        checked.append(Checked(source, results[start : start + len(source.files)]))
        start += len(source.files)
    return checked


def _findings(found: Found, checked: Sequence[Checked], mode: Mode) -> Iterator[Finding]:
    for name, sentence in found.empty.items():
        yield Finding("problem" if name.startswith(TRAIN) else "warning", "empty", sentence)
    for one in checked:
        yield from of_folder(one, halved=mode == "aligned" and not one.source.side)
    yield from of_partners(checked, mode)
    yield from of_duplicates(checked)
    for name, endings in found.unread.items():
        if endings:
            listed = ", ".join(f"{count:,} {ending or 'without an ending'}" for ending, count in endings.most_common())
            yield Finding("note", "not_read", f"{files(endings.total())} in {name} not read: {listed}")
    if found.other:
        text = f"not looked at, since no phase is named so: {', '.join(found.other)}"
        yield Finding("note", "not_looked_at", text)


def _run(args: argparse.Namespace) -> int:
    sheet: Path | None = None
    if not args.no_sheet:
        sheet = args.sheet or Path(f"{Path(os.path.abspath(args.dataroot)).stem}_check.png")
        if sheet.suffix.lower() != ".png":
            raise UserError(f"--sheet {sheet} must end in .png")
    if args.sheet_images < 1:
        raise UserError(f"--sheet_images {args.sheet_images} is below 1; give 1 or more, or pass --no_sheet")
    if args.move_bad:
        refuse_place(args.move_bad, args.dataroot)
    report = check(args.dataroot, processes=args.threads, mode=args.dataset_mode)
    print(report.text())
    if args.json:
        report.write_json(args.json)
    if sheet:
        drawn = contact_sheet(report.checked, report.mode, count=args.sheet_images, processes=args.threads)
        if drawn is not None:
            save_image(drawn, sheet)
            print(f"\nLook at   {sheet}")
    if args.move_bad:
        print(f"\nmoved {files(move_bad(report.checked, args.move_bad))} to {args.move_bad}; check again")
    return 0 if report.sound else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data.check", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataroot", required=True, help="folder of the data set, or its .csv or .txt list")
    parser.add_argument("--dataset_mode", choices=MODES, help="what it is made for; found out if left out")
    parser.add_argument("--threads", type=int, default=usable_cores(), help="processes that read; all cores by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was found, for programs")
    parser.add_argument("--move_bad", type=Path, metavar="FOLDER", help="move files that cannot be read there")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="where to draw some images of every folder")
    parser.add_argument("--sheet_images", type=int, default=24, help="at most so many of each folder")
    parser.add_argument("--no_sheet", action="store_true", help="draw none")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
