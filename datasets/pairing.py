"""Find partners: the images of two folders that have one name below them, whatever their .jpg or .png."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path

from options.errors import UserError, first_few
from util.partners import pair_name

Endings = tuple[str, str]


def pair_by_name(
    left: Iterable[Path], right: Iterable[Path], *, a: Path, b: Path, endings: Endings = ("", "")
) -> list[tuple[Path, Path]]:
    """Pair names, sorted by the left one; both are relative to the folders ``a`` and ``b``, which messages name.

    Args:
        endings: of names that differ, as in x_A.png and x_B.png.

    Raises:
        UserError: partners are missing, or an image has several.
    """
    lefts, rights = _by_stem(left, endings[0], folder=a), _by_stem(right, endings[1], folder=b)
    _check_complete(lefts, rights, folder=b, ending=endings[1])
    _check_complete(rights, lefts, folder=a, ending=endings[0])
    pairs: list[tuple[Path, Path]] = []
    for stem, ours in lefts.items():
        theirs = rights[stem]
        suffixes = [[path.suffix for path in paths] for paths in (ours, theirs)]
        if len(ours) != len(theirs) or (len(ours) > 1 and suffixes[0] != suffixes[1]):
            several = ", ".join(path.name for path in (ours if len(ours) > 1 else theirs))
            raise UserError(f"{a / ours[0]} and {b / theirs[0]} may not be partners ({several}); keep one of each name")
        pairs += zip(ours, theirs, strict=True)
    return sorted(pairs)


def stem_of(path: Path, ending: str = "") -> str:
    """Give what partners have in common: the name below the folder without .jpg and the ``ending`` before it."""
    return pair_name(f"{path.parent.as_posix()}/{path.name}").removesuffix(ending)


def _by_stem(paths: Iterable[Path], ending: str, *, folder: Path) -> dict[str, list[Path]]:
    groups: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(paths):
        if not path.stem.endswith(ending):
            raise UserError(f"{folder / path} does not end in {ending}{path.suffix}; rename it or leave out --use_AB")
        groups[stem_of(path, ending)].append(path)
    return dict(groups)


def _check_complete(wanted: dict[str, list[Path]], present: Collection[str], *, folder: Path, ending: str) -> None:
    missing = [
        str(paths[0].with_name(Path(stem).name + ending + paths[0].suffix))
        for stem, paths in wanted.items()
        if stem not in present
    ]
    if missing:
        raise UserError(
            f"{len(missing)} partner(s) missing in {folder}: {first_few(missing)}; add them or remove the others"
        )
