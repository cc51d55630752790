"""The live dashboard: a Visdom server shows curves and images while the training goes on.

The training thread only leaves the newest state. A daemon thread takes it from there, so a slow, hanging or absent
server costs the training nothing; what a busy server could not take is skipped, not queued, and curves are always
sent whole. The sink keeps nothing that is not also in ``metrics.jsonl`` and ``web/``.
"""

import logging
import shlex
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from options.schema import Options
from util.curves.health import Health
from util.curves.history import History
from util.dashboard import browser_files, server
from util.dashboard.address import Address, environment_name, parse_address
from util.dashboard.saved import Sheets, read_images, read_sheets
from util.dashboard.status import RunInfo
from util.dashboard.windows import Layout, View, Windows
from util.images import jpeg
from util.log import LAST_WARNING
from util.sinks.base import RunSoFar, Sink
from util.sinks.events import Event, Images, Samples, Scalars, Scores

if TYPE_CHECKING:
    from util.dashboard.client import Client

log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0
REST_SECONDS = 1.0  # between two updates, at least
REST_FACTOR = 100  # times the processor time of the last update: at most 1 % of one core
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0  # seconds after a failure; doubled each time
MOST_PENDING = 4  # sheets that wait to be shown; older ones are dropped


class VisdomSink(Sink):
    """Keep the dashboard of one run up to date."""

    def __init__(
        self,
        info: RunInfo,
        address: Address,
        *,
        env: str,
        layout: Layout,
        history: History,
        health: Health,
        images: Images | None,
        sheets: Sheets | None,
        start_server: bool = True,
        stop_server: bool = False,
    ) -> None:
        """Start the thread; it connects on its own, and its failures are log lines.

        Args:
            env: as ``environment_name`` returns it.
            history, health, images, sheets: of the run so far; they belong to the sink from now on.
            start_server: start one if ``address`` is this machine and nothing listens there.
            stop_server: end it with the training.
        """
        self._info, self._address, self._env = info, address, env
        self._layout = layout
        self._may_start, self._stop_server = start_server, stop_server
        self._server: server.BackgroundServer | None = None
        self._history, self._health, self._images, self._sheets = history, health, images, sheets
        self._pending: deque[Samples] = deque(maxlen=MOST_PENDING)
        self._closing = False
        self._due = True  # at first to connect
        self._changed = threading.Condition()  # guards the three lines above
        self._connected = self._announced = self._warned = self._abandoned = False
        self._note = ""
        self._thread = threading.Thread(target=self._run, name="visdom", daemon=True)
        self._thread.start()

    @classmethod
    def refuse(cls, opt: Options) -> None:
        """Look at the address."""
        if opt.log.display_id > 0:
            parse_address(opt.log.display_server, opt.log.display_port)

    @classmethod
    def opened(cls, run: RunSoFar) -> Sink | None:
        """Open it unless ``--display_id`` says no."""
        log, name = run.opt.log, run.opt.run.name
        if log.display_id <= 0:
            return None
        return cls(
            RunInfo(name, run.folder, run.opt.run.model, run.opt.optim.last_epoch, run.opt.optim.gan_mode),
            parse_address(log.display_server, log.display_port),
            env=environment_name(log.display_env or name),
            layout=Layout(log.display_id, f"{name}: " if log.display_env else "", log.display_ncols),
            history=run.history(),
            health=run.health(),
            images=read_images(run.folder, last_epoch=run.last_epoch, images_seen=run.images_seen),
            sheets=read_sheets(run.folder, last_epoch=run.last_epoch) if log.display_samples else None,
            stop_server=log.display_stop_server,
        )

    @property
    def url(self) -> str:
        """The page of this run."""
        return f"{self._address}/env/{self._env}"

    def scalars(self, event: Scalars) -> None:
        """Leave the losses for the thread; returns at once."""
        self._add(event)

    def scores(self, event: Scores) -> None:
        """Leave the scores for the thread; returns at once."""
        self._add(event)

    def images(self, event: Images) -> None:
        """Leave the images for the thread in place of older ones; returns at once."""
        with self._changed:
            self._images = event
            self._wake()

    def samples(self, event: Samples) -> None:
        """Leave the sheet for the thread; returns at once."""
        with self._changed:
            self._pending.append(event)
            self._wake()

    def close(self) -> None:
        """Show and save the last state; give up after ``CLOSE_SECONDS``."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            self._warn("it does not answer")
            self._abandoned = True
        if self._server and self._stop_server:
            self._server.stop()

    def _add(self, event: Event) -> None:
        with self._changed:
            self._history.add(event)
            self._health.add(event)
            self._wake()

    def _wake(self) -> None:
        self._due = True
        self._changed.notify()

    def _run(self) -> None:
        """Show state after state until the last one."""
        try:
            from util.dashboard.client import Client

            client = Client(self._address, self._env)
        except Exception as error:  # noqa: BLE001  # a broken installation must not look like a broken training
            log.warning("no dashboard, as visdom cannot be used (%s); type: %s", error, server.INSTALL)
            return
        windows = Windows(client, self._info, self._layout)
        pause = spent = 0.0
        while True:
            rest = pause or max(REST_SECONDS, REST_FACTOR * spent) * self._connected
            closing = self._wait(rest, failed=pause > 0)
            start = time.thread_time()
            try:
                view = self._view(closing)
                whole = not self._connected or windows.are_lost()
                if not self._connected:
                    self._connect(client)
                windows.show(view, whole=whole)
                self._announce()
                if closing:
                    client.keep()
                    self._tell("Visdom dashboard saved: %s", self.url)
                pause = 0.0
            except Exception as error:  # noqa: BLE001  # visdom raises many kinds; its thread must live on
                self._connected = False
                self._warn(str(error))
                pause = min(LONGEST_PAUSE, 2 * pause or FIRST_PAUSE)
            spent = time.thread_time() - start
            if closing:
                return

    def _wait(self, rest: float, *, failed: bool) -> bool:
        """Wait so many seconds, then, unless the last attempt failed, for news; closing ends both."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing, timeout=rest)
            if not failed:
                self._changed.wait_for(lambda: self._due or self._closing)
            return self._closing

    def _view(self, closing: bool) -> View:
        with self._changed:
            history, signals = self._history.copy(), [signal.sentence for signal in self._health.signals()]
            images, pending = self._images, list(self._pending)
            self._pending.clear()
            self._due = False
        for event in pending:
            assert self._sheets is not None
            self._sheets.add(jpeg(event.sheet))
        return View(history, signals, LAST_WARNING.text, images, self._sheets, closing)

    def _connect(self, client: "Client") -> None:
        """Open the environment, if need be on a server of our own."""
        may_start, self._may_start = self._may_start, False  # at the first attempt only
        if may_start and (started := server.start_if_absent(self._address, ends_with_me=self._stop_server)):
            self._server = started
            blank = ", which fetches the files of its page first" if browser_files.missing() else ""
            self._note = f" (server started, pid {started.pid}{blank})"
        client.open_environment()

    def _announce(self) -> None:
        """Note that the server took everything; say so at first and after an outage."""
        if self._warned or not self._announced:
            back = " is back" if self._announced else ""
            self._tell("Visdom dashboard%s: %s%s", back, self.url, self._note)
        self._connected, self._announced, self._warned, self._note = True, True, False, ""

    def _warn(self, reason: str) -> None:
        """Say once per outage that there is no dashboard."""
        if self._warned or self._abandoned:
            return
        if self._closing:
            what = f"the end of the run is not on the Visdom dashboard at {self._address} ({reason}); to show it"
            command = f"replay {shlex.quote(str(self._info.folder))}"
        else:
            what = f"no Visdom dashboard at {self._address} ({reason}); the run goes on and tries again"
            what, command = f"{what}; to start a server", f"--port {self._address.port}"
        log.warning("%s: python -m util.dashboard %s", what, command)
        self._warned = True

    def _tell(self, message: str, *values: object) -> None:
        if not self._abandoned:
            log.info(message, *values)
