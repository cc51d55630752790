"""The live dashboard: a Visdom server shows curves and pictures while the training goes on.

The training thread only leaves the newest state in a slot. A daemon thread takes it from there, so a slow,
hanging or absent server costs the training nothing, and what a busy server could not take is skipped, not
queued. The sink keeps nothing that is not also in ``metrics.jsonl`` and ``web/``.
"""

import logging
import re
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from util import visdom_server
from util.images import Picture
from util.sinks import Pictures, Scalars, Sink

if TYPE_CHECKING:
    from util.sinks.visdom_client import Client

log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0
REST_SECONDS = 1.0  # between two updates
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0  # seconds after a failure; doubled each time
LOCAL = ("localhost", "127.0.0.1", "::1")


class State(NamedTuple):
    """What the thread is to show; ``pictures_due`` tells that they changed since the last look."""

    history: list[Scalars]
    pictures: dict[str, Picture]
    pictures_due: bool
    last: bool


class VisdomSink(Sink):
    """Keep the dashboard of one run up to date; x is the number of epochs done."""

    def __init__(
        self,
        *,
        server: str,
        port: int,
        env: str,
        name: str,
        ncols: int,
        window_id: int,
        history: Sequence[Scalars],
        start_server: bool = True,
    ) -> None:
        """Start the thread; it connects on its own, and its failures are log lines.

        Args:
            server: with or without ``http://``.
            env: any text; see ``environment_name``.
            name: of the run, for the titles.
            ncols: pictures per row; 0 or less gives each picture its own window.
            window_id: of the curves; pictures and labels take the next numbers.
            history: reports of the run so far, when it is resumed.
            start_server: start one if ``server`` is this machine and nothing listens there.
        """
        self._server, self._port = server_url(server), port
        self._env = environment_name(env)
        self._name, self._ncols, self._window_id = name, ncols, window_id
        self._may_start = start_server and urlsplit(self._server).hostname in LOCAL
        self._history = list(history)
        self._pictures: dict[str, Picture] = {}
        self._pictures_due = self._closing = False
        self._due = True  # at first to connect
        self._changed = threading.Condition()  # guards the four lines above
        self._connected = self._announced = self._warned = self._abandoned = False
        self._note = ""
        self._thread = threading.Thread(target=self._run, name="visdom", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The page of this run."""
        return f"{self._server}:{self._port}/env/{self._env}"

    def scalars(self, event: Scalars) -> None:
        """Leave the losses for the thread; returns at once."""
        with self._changed:
            self._history.append(event)
            self._due = True
            self._changed.notify()

    def images(self, event: Pictures) -> None:
        """Leave the pictures for the thread in place of older ones; returns at once."""
        with self._changed:
            self._pictures = dict(event.pictures)
            self._due = self._pictures_due = True
            self._changed.notify()

    def close(self) -> None:
        """Show and save the last state; give up after ``CLOSE_SECONDS``."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            self._warn("it does not answer")
            self._abandoned = True

    def _run(self) -> None:
        """Show state after state until the last one."""
        try:
            from util.sinks.visdom_client import Client
        except ImportError as error:
            log.warning("no dashboard, as visdom cannot be imported (%s); type: %s", error, visdom_server.INSTALL)
            return
        remote = urlsplit(self._server).hostname not in LOCAL
        client = Client(self._server, self._port, self._env, proxies=remote)
        pause = 0.0
        while True:
            state = self._next_state(pause)
            try:
                self._show(client, state)
                pause = 0.0
            except Exception as error:  # noqa: BLE001  # visdom raises many kinds; its thread must live on
                self._connected = False
                self._warn(_reason(error))
                pause = min(LONGEST_PAUSE, 2 * pause or FIRST_PAUSE)
            if state.last:
                return

    def _next_state(self, pause: float) -> State:
        """Wait for news, or after a failure for the end of the pause; closing ends both."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing, timeout=pause or REST_SECONDS * self._connected)
            if not pause:
                self._changed.wait_for(lambda: self._due or self._closing)
            state = State(list(self._history), self._pictures, self._pictures_due, self._closing)
            self._due = self._pictures_due = False
        return state

    def _show(self, client: "Client", state: State) -> None:
        """Send what changed; after a failure or a restart of the server, everything."""
        from util.sinks import visdom_windows as windows

        whole = not self._connected
        if whole:
            self._connect(client)
        windows.show_curves(client, str(self._window_id), self._name, state.history)
        first = self._window_id + 1
        if state.pictures and (whole or state.pictures_due or not client.has_window(str(first))):
            if self._ncols > 0:
                names = str(first), str(first + 1)
                windows.show_grid(client, names, self._name, state.pictures, self._ncols)
            else:
                windows.show_separately(client, first, state.pictures)
        if whole:
            self._announce()
        if state.last:
            client.save([self._env])
            self._tell("Visdom dashboard saved: %s", self.url)

    def _connect(self, client: "Client") -> None:
        """Open the environment, if need be on a server of our own."""
        may_start, self._may_start = self._may_start, False  # at the first attempt only
        if may_start and not visdom_server.listens(self._port):
            pid = visdom_server.start_background(self._port)
            blank = "; blank until its browser files are downloaded" if visdom_server.missing_browser_files() else ""
            self._note = f" (server started, pid {pid}{blank})"
        client.open_environment()

    def _announce(self) -> None:
        """Note that the server took everything; say so at first and after an outage."""
        if self._warned or not self._announced:
            back = " is back" if self._announced else ""
            self._tell("Visdom dashboard%s: %s%s", back, self.url, self._note)
        self._connected, self._announced, self._warned, self._note = True, True, False, ""

    def _warn(self, reason: str) -> None:
        """Say once per outage that there is no dashboard."""
        if not (self._warned or self._abandoned):
            log.warning(
                "no Visdom dashboard at %s:%d (%s); the run goes on and tries again; "
                "to start a server: python -m util.visdom_server --port %d",
                self._server,
                self._port,
                reason,
                self._port,
            )
        self._warned = True

    def _tell(self, message: str, *values: object) -> None:
        if not self._abandoned:
            log.info(message, *values)


def environment_name(text: str) -> str:
    """Return a name that the server keeps as it is: letters, digits, dots and dashes.

    A slash would become two environments, and what stands before an underscore a group of its own.
    """
    return re.sub(r"[^\w.-]|_", "-", text).strip("-.") or "main"


def server_url(server: str) -> str:
    """Return scheme and host of ``--display_server``, which may come without the scheme."""
    if server.count(":") > 1 and "[" not in server and "//" not in server:
        server = f"[{server}]"  # a bare IPv6 address
    return (server if "//" in server else f"http://{server}").rstrip("/")


def _reason(error: Exception) -> str:
    """Name the failure in a word or two; the texts of ``requests`` are whole paragraphs."""
    cause = error.__context__
    return type(cause).__name__ if cause is not None else str(error)
