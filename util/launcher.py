"""What ``torchrun`` says of itself in the environment of the processes that it starts."""

import os
import socket
import sys
from pathlib import Path


def restarts() -> int:
    """Return how often ``--max-restarts`` has started processes in the place of those that failed."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0))


def hosts() -> int:
    """Return how many machines take part."""
    return int(os.environ.get("GROUP_WORLD_SIZE", 1))


def launch_id() -> str:
    """Return what all processes of one launch have in common, the restarted ones too, and other launches have not.

    That is ``--rdzv-id``, or which process the launcher is and when it was started.
    """
    given = os.environ.get("TORCHELASTIC_RUN_ID", "none")
    if given != "none":
        return given
    parent = os.getppid()
    try:
        since = Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:  # not Linux
        since = ""
    return f"{parent} {since}"


def has_ended(host: str, pid: int) -> bool:
    """Tell whether a process is known to be gone; of other hosts, and not on Linux, nothing is known."""
    if host != socket.gethostname() or sys.platform != "linux":
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"  # it waits for its parent
    except OSError:
        return True
