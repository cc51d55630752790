"""A Visdom server on this machine, in the background or in the foreground, also without a network.

Visdom's own command listens on every interface, ends with an error when it cannot download its browser files,
and forgets what was not saved. This one listens on 127.0.0.1 at once, fetches those files meanwhile, and saves
its environments when it ends.
"""

import asyncio
import contextlib
import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

from options.errors import UserError
from util.dashboard import browser_files, environments
from util.dashboard.address import Address
from util.dashboard.application import Login, build_application

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 10.0
STOP_SECONDS = 5.0
GREETING = "Visdom dashboard:"  # the line that tells that the server listens
CONSTRAINTS = "PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt"
INSTALL = f"{CONSTRAINTS} pip install -r requirements.txt"


def listens(port: int) -> bool:
    """Tell whether a program on this machine has the port, even one that hangs."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


class BackgroundServer(NamedTuple):
    """A server that this process has started."""

    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def stop(self) -> None:
        """Let it save its environments and end; kill it after ``STOP_SECONDS``."""
        pipe = self.process.stdin
        if os.name == "posix":
            self.process.terminate()
        elif pipe is not None:  # elsewhere to terminate is to kill
            pipe.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if pipe is not None:
            pipe.close()


def start_background(port: int, *, env_path: Path | None = None, ends_with_me: bool = False) -> BackgroundServer:
    """Start a server at low priority and wait until it listens.

    Args:
        port: on 127.0.0.1.
        env_path: where it saves its environments; ``~/.visdom`` if not given.
        ends_with_me: it ends with this process, however that ends; otherwise it outlives it.

    Raises:
        ConnectionError: it ended at once (is the port taken?) or took too long.
    """
    command = [sys.executable, "-m", "util.dashboard", "serve", "--port", str(port), "--background"]
    command += ["--env_path", str(env_path.resolve())] if env_path else []
    command += ["--ends_with_stdin"] if ends_with_me else []
    process = subprocess.Popen(
        command,
        bufsize=0,
        cwd=ROOT,
        stdin=subprocess.PIPE if ends_with_me else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # a Ctrl-C in the terminal is not for the server
    )
    if process.stdin is not None and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=process.stdin.close)  # a worker must not keep the server alive
    said: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_follow, args=(process, said), name="dashboard-server", daemon=True).start()
    reason, deadline = "it says nothing", time.monotonic() + START_SECONDS
    with contextlib.suppress(queue.Empty):
        while line := said.get(timeout=max(0.0, deadline - time.monotonic())):
            if line.startswith(GREETING):
                return BackgroundServer(process)
            reason = line
    process.kill()
    process.wait()
    raise ConnectionError(f"the Visdom server did not start on port {port}: {reason}")


def start_if_absent(address: Address, *, ends_with_me: bool = False) -> BackgroundServer | None:
    """Start a server if the address is on this machine and no program has its port; return what was started.

    Raises:
        ConnectionError: it did not start.
    """
    if not address.is_local or address.base_url or listens(address.port):
        return None
    return start_background(address.port, ends_with_me=ends_with_me)


def _follow(process: subprocess.Popen[bytes], said: queue.SimpleQueue[str]) -> None:
    """Hand on what the server says, then ""; reap it when it ends, so that it does not linger as a zombie."""
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            said.put(line.decode(errors="replace").strip() or "-")
    said.put("")
    process.wait()


def serve(
    port: int,
    env_path: Path,
    *,
    base_url: str = "",
    login: Login | None = None,
    background: bool = False,
    ends_with_stdin: bool = False,
) -> None:
    """Run a server on 127.0.0.1 until a signal or the end of stdin, then save its environments.

    Args:
        port: 1 to 65535.
        env_path: folder of the saved environments; made if need be.
        base_url: '' or the path of the dashboard behind a reverse proxy, such as '/visdom'.
        login: what to ask of everybody; None asks nothing.
        background: fall silent and give way to other processes once it listens.
        ends_with_stdin: take the end of stdin as a signal.

    Raises:
        OSError: the port cannot be listened on, or the folder cannot be used.
    """
    application = build_application(port, env_path, base_url=base_url, login=login)

    async def run() -> None:
        asked = _stop_requests(ends_with_stdin)
        application.listen(port, address="127.0.0.1", max_buffer_size=1024**3)
        print(f"{GREETING} http://localhost:{port}{base_url} (Ctrl-C ends the server)", flush=True)
        if background:
            _step_back()
        if browser_files.missing():
            threading.Thread(target=_complete_page, name="dashboard-files", daemon=True).start()
        await asked.wait()

    asyncio.run(run())
    number = environments.save_all(application.state, str(env_path))
    print(f"environments saved in {env_path}: {number}", flush=True)


def _stop_requests(ends_with_stdin: bool) -> asyncio.Event:
    """Return what is set by a signal to end or, if asked for, by the end of stdin."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()

    def stop(*_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: a second signal
            loop.call_soon_threadsafe(asked.set)

    def watch() -> None:
        while os.read(0, 1024):
            pass
        stop()

    known = signal.Signals.__members__
    for number in (known[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if name in known):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup and the like stay in force
            signal.signal(number, stop)
    if ends_with_stdin:
        threading.Thread(target=watch, name="dashboard-stdin", daemon=True).start()
    return asked


def _step_back() -> None:
    """Let go of the pipe to the starter, which may end first, and of the processor when others need it."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    if hasattr(os, "nice"):
        os.nice(10)


def _complete_page() -> None:
    """Fetch the browser files that are missing; say in one line if the page stays blank."""
    try:
        browser_files.fetch()
    except UserError as error:
        log.warning("the dashboard's page stays blank or incomplete: %s", error)
