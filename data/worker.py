"""How a loading process behaves when everything is told to stop."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from util.stop import stop_signals


def shield_from_signals(worker: int) -> None:
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
