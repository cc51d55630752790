"""Thousands of damaged files in one process of bounded memory: each is read or named, and nothing else happens."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.util.raster.damaged_files import HUGE, bombs, damaged_files

ROUNDS = 5  # of each damage to each kind of file
MOST_ADDRESSES = 2 << 30  # bytes; libraries take most of it
MOST_RESIDENT = 160_000_000  # bytes, less than HUGE

HIDE = "sys.modules['imagecodecs'] = None; "
RUN = "runpy.run_module('tests.util.raster.read_everything', run_name='__main__', alter_sys=True)"


def read_all(folder: Path, *, with_codecs: bool) -> tuple[dict[str, str], int]:
    """Return what came of each file, and the most memory that it took."""
    code = "import runpy, sys; " + ("" if with_codecs else HIDE) + RUN
    command = [sys.executable, "-c", code, str(folder), str(MOST_ADDRESSES)]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, result.stderr  # what it says are libtiff's words of damaged files
    found = json.loads(result.stdout)
    return found["outcomes"], found["peak"]


@pytest.mark.parametrize("with_codecs", [True, False])
def test_each_damaged_file_is_read_or_named(with_codecs: bool, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    folder.mkdir()
    for name, data in damaged_files(tmp_path, ROUNDS):
        (folder / name).write_bytes(data)
    outcomes, peak = read_all(folder, with_codecs=with_codecs)
    assert len(outcomes) >= 1000
    assert {name: text for name, text in outcomes.items() if not fine(folder / name, text)} == {}
    assert sum(text == "read" for text in outcomes.values()) > 100
    assert peak < MOST_RESIDENT


def test_no_file_takes_more_memory_than_its_image(tmp_path: Path) -> None:
    expected = {}
    for name, data, sound in bombs():
        (tmp_path / name).write_bytes(data)
        expected[name] = sound
        assert len(data) < HUGE / 100
    outcomes, peak = read_all(tmp_path, with_codecs=True)
    assert {name: text for name, text in outcomes.items() if not fine(tmp_path / name, text)} == {}
    assert {name: text == "read" for name, text in outcomes.items()} == expected
    assert peak < MOST_RESIDENT


def fine(path: Path, text: str) -> bool:
    """Tell whether a file was read, or refused in the sentence that is promised."""
    return text == "read" or (text.startswith(f"cannot read the image {path} (") and "\n" not in text and "); " in text)
