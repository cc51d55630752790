"""How a loading process behaves when everything is told to stop."""

import os
import signal
import threading

SENT_TO_ALL = ("SIGINT", "SIGUSR1", "SIGHUP")


def shield_from_signals(worker: int) -> None:
    """Leave what a terminal or batch scheduler sends to every process to the main one, which decides.

    The step under way needs its images, and PyTorch raises an error in the middle of it when a worker dies. A worker
    still ends when the main process ends it or is gone.
    """
    for name in SENT_TO_ALL:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(signal, "sigwaitinfo"):  # Linux: tells who sent it
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_obey_parent, daemon=True).start()


def _obey_parent() -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
        pass
    os._exit(0)
