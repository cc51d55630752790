"""Every command starts as a module and as a script, and its help does not wait for heavy packages."""

import subprocess
import sys
from pathlib import Path

import pytest

from datasets.split import main as split_main
from tests.datasets.conftest import failing

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = sorted(path.stem for path in (ROOT / "datasets").glob("*.py") if "def main(" in path.read_text("utf-8"))
LIKE_A_TRAINING = {"make_shards"}  # finds its files with the data sets, which need torch
HEAVY = ("torch", "torchvision", "skimage", "tifffile", "webdataset")


def test_the_list_is_not_empty() -> None:
    assert {"download", "download_model", "split", "make_edges", "combine_A_and_B"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_as_a_module(name: str) -> None:
    code = (
        "import runpy, sys\n"
        f"sys.argv = [{name!r}, '--help']\n"
        f"try: runpy.run_module('datasets.{name}', run_name='__main__')\n"
        f"finally: print([heavy for heavy in {HEAVY} if heavy in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage:")
    assert done.stdout.splitlines()[-1] == ("['torch']" if name in LIKE_A_TRAINING else "[]")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_as_a_script_from_another_folder(name: str, tmp_path: Path) -> None:
    script = ROOT / "datasets" / f"{name}.py"
    done = subprocess.run([sys.executable, script, "--help"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage:")


def test_ctrl_c_ends_with_a_word(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("datasets.split.split", failing(KeyboardInterrupt()))
    assert split_main(["any", "--out", "out"]) == 130
    assert capsys.readouterr().err == "split: stopped\n"
