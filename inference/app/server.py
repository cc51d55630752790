"""Serve the page at an address until a signal comes."""

import contextlib
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

from inference.app.application import build_app, require_gradio
from inference.app.runs import Runs
from inference.app.service import Service
from inference.app.store import Store
from inference.app.uploads import Limits
from inference.app.work_queue import WorkQueue
from inference.load import load
from options.app import AppOptions, Login, is_loopback
from options.errors import StoppedError, UserError
from options.schema import RunOptions
from util.device import choose_device
from util.stop import raising

if TYPE_CHECKING:
    from starlette.types import ASGIApp

log = logging.getLogger(__name__)

FAREWELL = 3  # seconds that answers may take once the server is to end


def serve(opt: AppOptions, login: Login | None) -> None:
    """Serve until a signal.

    Raises:
        UserError: Gradio is missing, the port is taken, or a run or the device is not there.
        StoppedError: SIGTERM has come.
        KeyboardInterrupt: Ctrl-C.
    """
    choose_device(RunOptions(device=opt.device))
    runs = Runs(opt.runs, opt.checkpoints_dir, partial(load, device=opt.device, precision=opt.precision))
    require_gradio()
    queue, limits = WorkQueue(opt.max_waiting), Limits(opt.upload_bytes, opt.pixels, opt.max_files)
    with (
        _leaving_work_behind(queue),
        raising(signal.SIGTERM),  # so that the store is emptied
        contextlib.closing(listening(opt.host, opt.port)) as place,
        Store(60 * opt.keep_minutes) as store,
    ):
        service = Service(runs, queue, limits, store)
        app = build_app(service, opt, login)
        _greet(service, opt, login)
        run_server(app, place)


def listening(host: str, port: int) -> socket.socket:
    """Return a socket at an address.

    Raises:
        UserError: it is taken, or not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        place = socket.socket(family, kind, protocol)
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(address)
        place.listen(128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(f"port {port} is taken by another program; pass another one, --port {port + 1}") from error
        raise UserError(f"cannot listen on --host {host} --port {port} ({error.strerror}); pass others") from error
    return place


def run_server(app: "ASGIApp", place: socket.socket) -> None:
    """Serve at a socket until a signal, which is handled again afterwards."""
    import uvicorn

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # broken-off answers are no news any more
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=FAREWELL,
    )
    Server(config).run(sockets=[place])


@contextlib.contextmanager
def _leaving_work_behind(queue: WorkQueue) -> Iterator[None]:
    """End the program at once where a translation is under way, with the exit code that it would have anyway."""
    try:
        yield
    except (KeyboardInterrupt, StoppedError) as stop:
        if not queue.is_busy:
            raise
        print("\napp.py: stopped in the middle of a translation", file=sys.stderr, flush=True)
        sys.stdout.flush()
        os._exit(stop.exit_code if isinstance(stop, StoppedError) else 128 + signal.SIGINT)


def _greet(service: Service, opt: AppOptions, login: Login | None) -> None:
    names = [run.name for run in service.runs.all()]
    log.info("runs: %s", ", ".join(names) or f"none yet in {opt.checkpoints_dir}")
    shown = f"[{opt.host}]" if ":" in opt.host else opt.host
    log.info("the page: http://%s:%d (Ctrl-C ends it)", shown, opt.port)
    if not is_loopback(opt.host):
        who = f"{login.user} with the password" if login else "everybody in the network"
        log.info("it is open to %s; passwords and images travel unencrypted", who)
