"""Who is whose partner: the commands and the trainings answer alike, whatever the names."""

import unicodedata
from contextlib import suppress
from pathlib import Path

import pytest

from data.files.layout import paired_files
from datasets.image import images_below
from datasets.pairing import pair_by_name
from options.errors import UserError
from options.schema import DataOptions
from tests.images import fill

COMPOSED, APART = (unicodedata.normalize(form, "caf\u00e9/\u00c5ngstr\u00f6m \u1e69") for form in ("NFC", "NFD"))


def both_answers(root: Path, left: list[str], right: list[str]) -> tuple[list[tuple[str, str]], ...]:
    """Pair two folders as a command does, and as a training does; no pairs where they refuse."""
    a, b = fill(root / "trainA", *left), fill(root / "trainB", *right)
    answers: list[list[tuple[str, str]]] = [[], []]
    with suppress(UserError):
        pairs = pair_by_name(images_below(a), images_below(b), a=a, b=b)
        answers[0] = sorted((str(a / x), str(b / y)) for x, y in pairs)
    with suppress(UserError):
        A, B = paired_files(DataOptions(dataroot=str(root)), "train", hint="")
        answers[1] = sorted((A[number][0], B[number][0]) for number in range(len(A)))
    return answers[0], answers[1]


@pytest.mark.parametrize(
    ("left", "right", "count"),
    [
        (["1.png", "a.b.jpg", "deep/1.webp"], ["deep/1.npy", "1.JPG", "a.b.tif"], 3),
        ([f"{COMPOSED}.png", f"{APART}.v2.png"], [f"{APART}.npz", f"{COMPOSED}.v2.pgm"], 2),
        (["a..png", "a.png", "a.png.png"], ["a.png.pnm", "a..bmp", "a.ppm"], 3),
        (["deep.er/a.b.png", "deep/er/a.b.png"], ["deep/er/a.b.tif", "deep.er/a.b.tif"], 2),
        (["1.png", "notes.txt", ".1.jpg", ".hidden/2.png"], ["1.npy", "2.md"], 1),
        (["1.png"], ["01.png"], 0),
        (["a.b.png"], ["a.c.png"], 0),
        (["x.png"], ["X.png"], 0),
        (["\ufb01.png"], ["fi.png"], 0),
        (["1.png", "2.png"], ["1.png"], 0),
        (["1.png"], ["1.npy", "1.webp"], 0),
    ],
)
def test_folders_are_paired_alike(tmp_path: Path, left: list[str], right: list[str], count: int) -> None:
    command, training = both_answers(tmp_path, left, right)
    assert command == training
    assert len(command) == count
