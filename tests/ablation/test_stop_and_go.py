"""Whole tables on tiny images, by the command: trained with the rows' flags; stopped or killed, and gone on with."""

import json
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import train
from ablation.plan import plan
from ablation.runner import run_table
from ablation.tables import read_table
from datasets.make_demo_dataset import main as make_demo
from options.ablate import parse_ablate
from tests.ablation import driver
from tests.conftest import PROJECT

TRAIN = (
    "--crop_size 32 --load_size 36 --ngf 4 --ndf 4 --batch_size 1 --num_threads 0 --gpu_ids -1 --no_html "
    "--display_samples 0 --patch_size 16"
)
LONG = "--n_epochs 10 --n_epochs_decay 0 --save_latest_freq 3"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3 train, 2 val and 2 test pairs of 32 x 32 pixels."""
    folder = tmp_path_factory.mktemp("pairs")
    make_demo([str(folder), "--kind", "paired", "--size", "32", "--train", "3", "--test", "2"])
    return folder


def results(folder: Path) -> Any:
    return json.loads((folder / "pix2pix_losses" / "results.json").read_text())


def words(folder: Path, data: Path, only: str) -> list[str]:
    line = f"pix2pix_losses --dataroot {data} --seeds 1 --checkpoints_dir {folder} --only {only} -- {TRAIN} {LONG}"
    return line.split()


def train_here(program: str, words: Sequence[str], log: Path) -> None:
    """Train in this process, to save the time of starting one."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        train.main([*words])
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def finish(folder: Path, data: Path, only: str = "L1") -> None:
    """Run a table to its end, or go on with it."""
    opt = parse_ablate(words(folder, data, only))
    assert run_table(read_table(opt.table), opt, partial(driver.run, train=train_here)) == []


def stop_in_the_middle(folder: Path, data: Path, number: signal.Signals) -> tuple[int, str, Path]:
    """Start the command, send a signal after the first save; return exit code, what was said, and the run's folder."""
    line = words(folder, data, "L1")
    (job,) = plan(read_table("pix2pix_losses"), parse_ablate(line))
    command = [sys.executable, "-m", "tests.ablation.driver", *line]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    end = time.monotonic() + 60
    while not (job.folder / "latest_state.pth").exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(number)
    said = process.communicate()[0]
    return process.returncode, said, job.folder


@pytest.fixture(scope="module")
def finished(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a table of two rows, run without a stop."""
    folder = tmp_path_factory.mktemp("finished")
    finish(folder, pairs, "L1,L1+cGAN")
    return folder


def test_rows_are_trained_with_their_flags(finished: Path) -> None:
    runs = results(finished)["runs"]
    assert set(runs) == {"L1_seed0", "L1-cGAN_seed0"}
    assert all(run["trained"] and run["train_seconds"] > 0.1 for run in runs.values())
    table = finished / "pix2pix_losses"
    assert (table / "L1-cGAN_seed0" / "latest_net_D.pth").exists()
    assert not (table / "L1_seed0" / "latest_net_D.pth").exists()
    assert "Is the paper's order there?" in (table / "results.md").read_text()


linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a killed command leaves its training behind")


@linux
@pytest.mark.slow
def test_asked_to_stop_it_lets_the_training_save(pairs: Path, tmp_path: Path) -> None:
    code, said, folder = stop_in_the_middle(tmp_path, pairs, signal.SIGTERM)
    assert code == 128 + signal.SIGTERM, said
    assert "L1, seed 0: stopped; the same command goes on" in said
    run = results(tmp_path)["runs"]["L1_seed0"]
    assert (run["trained"], run["train_seconds"] > 0.1) == (False, True)
    assert "--continue_train" in folder.with_name("L1_seed0.log").read_text()  # its last words


@linux
@pytest.mark.slow
def test_killed_it_goes_on_where_it_was(finished: Path, pairs: Path, tmp_path: Path) -> None:
    code, _, folder = stop_in_the_middle(tmp_path, pairs, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert not results(tmp_path)["runs"]["L1_seed0"]["trained"]
    finish(tmp_path, pairs)
    assert len((folder / "commands.txt").read_text().splitlines()) == 2
    once, twice = (results(place)["runs"]["L1_seed0"]["scores"] for place in (finished, tmp_path))
    assert once == twice  # to the bit
