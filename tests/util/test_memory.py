"""The memory of this process, as the dashboard shows it, and what becomes of it when it is freed."""

import mmap
import platform
import subprocess
import sys

import numpy as np
import pytest
import torch

from tests.conftest import PROJECT
from util.machine import memory_in_use

MEBIBYTE = 2**20
CPU = torch.device("cpu")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is the most so far, or unknown")


def test_a_process_with_pytorch_takes_some_of_the_machine_but_no_more_than_at_its_peak() -> None:
    resource = pytest.importorskip("resource")
    taken = memory_in_use(CPU)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # kibibytes on Linux
    assert 50 * MEBIBYTE < taken < 1.05 * peak  # the system counts in batches


def test_memory_that_was_only_asked_for_does_not_count() -> None:
    before = memory_in_use(CPU)
    block = np.zeros(200 * MEBIBYTE, np.uint8)
    assert memory_in_use(CPU) - before < 20 * MEBIBYTE
    assert block[-1] == 0


def test_it_grows_and_shrinks_with_what_is_in_use() -> None:
    before = memory_in_use(CPU)
    with mmap.mmap(-1, 200 * MEBIBYTE) as block:  # from the system: what is freed may be kept
        for place in range(0, len(block), mmap.PAGESIZE):
            block[place] = 1
        during = memory_in_use(CPU)
    assert during - before == pytest.approx(200 * MEBIBYTE, rel=0.1)
    assert memory_in_use(CPU) - before < 20 * MEBIBYTE


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
@pytest.mark.parametrize(
    ("flags", "kept"), [("", True), ("--memory normal --precision fp32", True), ("--memory low", False)]
)
def test_a_training_keeps_freed_memory_unless_memory_is_short(flags: str, kept: bool) -> None:
    code = f"""
import torch
from models.registry import create_model
from options.cli import parse_train
from util.machine import memory_in_use

small = "--ngf 4 --ndf 4 --netG resnet_1blocks"
cpu = torch.device("cpu")
create_model(parse_train(f"--model cycle_gan --dataroot x {{small}} {flags}".split())).place(cpu)
before = memory_in_use(cpu)
torch.ones(16 * 2**20)
print(memory_in_use(cpu) - before)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert float(done.stdout.split()[-1]) == pytest.approx(64 * MEBIBYTE if kept else 0, abs=8 * MEBIBYTE)
