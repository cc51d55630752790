"""Training of several processes as users start it, with torchrun on the CPU."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.conftest import PROJECT


def torchrun(
    *flags: object, processes: int = 2, launcher: Sequence[str] = ("--standalone",), before: Sequence[str] = ()
) -> "subprocess.Popen[str]":
    """Start ``train.py`` in several processes of one thread each.

    Args:
        launcher: flags of torchrun.
        before: a command that starts the command given to it.
    """
    start = [*before, sys.executable, "-m", "torch.distributed.run", *launcher, f"--nproc_per_node={processes}"]
    return subprocess.Popen(
        [*start, str(PROJECT / "train.py"), *[str(flag) for flag in flags]],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def training_processes(launcher: "subprocess.Popen[str]") -> dict[int, int]:
    """Return the process number of each rank that torchrun has started (Linux)."""
    found: dict[int, int] = {}
    for task in Path(f"/proc/{launcher.pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            variables = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
            ranks = [int(text.removeprefix(b"RANK=")) for text in variables if text.startswith(b"RANK=")]
            found |= {rank: int(child) for rank in ranks}
    return found
