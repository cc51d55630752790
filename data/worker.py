"""How a loading process behaves when everything is told to stop, and how it hands images over."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.reduction import ForkingPickler
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import reduce_tensor

from util.stop import stop_signals

SMALL = 2**20  # bytes of images that are sent faster than they are shared


def start_worker(worker: int) -> None:
    """Prepare a loading process."""
    shield_from_signals()
    ForkingPickler.register(Tensor, _by_value_if_small)


def _by_value_if_small(tensor: Tensor) -> Any:
    """Describe a tensor for the main process: its numbers, or where in shared memory they are.

    Memory that is shared is new to the main process, which touches it page by page: 2 ms for a pair of 256 x 256.
    """
    if tensor.nbytes <= SMALL and tensor.dtype in (torch.uint8, torch.float32):
        return torch.from_numpy, (tensor.numpy(),)
    return reduce_tensor(tensor)  # type: ignore[no-untyped-call]


def shield_from_signals() -> None:
    """Leave what a terminal or batch scheduler sends to every process to the main one, which decides.

    The step under way needs its images, and PyTorch raises an error in the middle of it when a worker dies. A worker
    still ends when the main process ends it or is gone.
    """
    for number in stop_signals():
        if number != signal.SIGTERM:
            signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "sigwaitinfo"):  # Linux: tells who sent it
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_obey_parent, daemon=True).start()


@contextmanager
def quiet_children() -> Iterator[None]:
    """Take back the handler that PyTorch installs when it starts workers.

    It raises wherever the main thread happens to be when one dies, in the middle of a step or of a save. The loader
    notices as well, when it waits for the next batch.
    """
    if not hasattr(signal, "SIGCHLD") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGCHLD)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before or signal.SIG_DFL)


def _obey_parent() -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
        pass
    os._exit(0)
