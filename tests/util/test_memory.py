"""The memory of this process, as the dashboard shows it."""

import sys

import numpy as np
import pytest
import torch

from util.memory import memory_in_use

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
    block = np.ones(200 * MEBIBYTE, np.uint8)
    during = memory_in_use(CPU)
    del block
    assert during - before == pytest.approx(200 * MEBIBYTE, rel=0.1)
    assert memory_in_use(CPU) - before < 20 * MEBIBYTE
