"""The Visdom client with what it lacks: time-outs, a check of each answer, and silence.

Import this module late: it imports ``visdom``, which is optional.
"""

import hashlib
import json
import logging
import os
import time
from typing import Any

import requests
import visdom

from util.dashboard.address import Address

TIMEOUT = (3.0, 10.0)  # seconds to connect, seconds between two bytes of the answer
DRAWN_SECONDS = 0.4  # the page collects windows for 0.1 s
NOISY = ("visdom", "urllib3", "requests", "websocket")


class Client(visdom.Visdom):
    """A client whose every failure, also an unexpected answer, is a ``ConnectionError`` that says why."""

    def __init__(self, address: Address, env: str) -> None:
        """Prepare a client of one environment; nothing is sent yet."""
        for name in NOISY:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._name = env
        # send=False: else the constructor posts and, without a websocket to wait for, warns.
        super().__init__(
            server=address.server,
            port=address.port,
            base_url=address.base_url or "/",
            env=env,
            send=False,
            use_incoming_socket=False,
            raise_exceptions=True,
        )
        self.send = True
        self._http = requests.Session()
        self._http.trust_env = not address.is_local  # HTTP_PROXY and its kin are wrong for this machine
        self._root = str(address)

    def open_environment(self) -> None:
        """Log in if asked for, and make the environment, so that its page exists before the first window does."""
        self._log_in()
        self._post({}, f"env/{self._name}")
        self.has_window("")  # raises if this is not a Visdom server

    def has_window(self, window: str) -> bool:
        """Ask whether the server still knows a window; it does not after a restart."""
        answer = self._post({"win": window}, "win_exists")
        if answer not in ("true", "false"):
            raise ConnectionError("what answers there is not a Visdom server")
        return answer == "true"

    def digest(self, window: str) -> str:
        """Return what is different after anybody has changed the window."""
        return self._post({"win": window}, "win_hash")

    def show(self, window: str, content: dict[str, Any], *, title: str, size: tuple[int, int]) -> None:
        """Replace a window, or make it.

        Args:
            content: ``data``, and for a plot ``layout``, as the server takes them.
            size: width and height in pixels.
        """
        options = {"title": title, "width": size[0], "height": size[1]}
        self._check(self._post({"win": window, "opts": options, **content}, "events"), window)

    def remove(self, window: str) -> None:
        """Close a window; one that is not there is none the less gone."""
        self._post({"win": window}, "close")

    def fill(self, window: str, images: list[dict[str, str]]) -> None:
        """Give a window that keeps its older images all of these; open pages take them up at the next ``append``.

        Call it right after ``show``, which such a page needs some time to draw: it cannot add to what is not yet there.
        """
        try:
            pane = json.loads(self._post({"win": window}, "win_data"))
        except ValueError as error:
            raise ConnectionError(f"the server does not know window {window}") from error
        time.sleep(DRAWN_SECONDS)
        self._post({"win": window, "data": json.dumps({**pane, "content": images})}, "win_data")

    def append(self, window: str, content: dict[str, Any]) -> None:
        """Add an image to a window that keeps its older ones."""
        self._check(self._post({"win": window, **content}, "update"), window)

    def keep(self) -> None:
        """Have the server write the environment to its disk."""
        if self._post({"data": [self._name]}, "save") != json.dumps([self._name]):
            raise ConnectionError(f"the server did not save {self._name}")

    def _log_in(self) -> None:
        """Send user and password of the environment variables; a server without a login does not mind."""
        user, password = os.environ.get("VISDOM_USERNAME"), os.environ.get("VISDOM_PASSWORD")
        if user and password:
            hashed = hashlib.sha256(password.encode()).hexdigest()
            answer = self._ask(self._root, json.dumps({"username": user, "password": hashed}))
            if answer.status_code == requests.codes.bad:
                raise ConnectionError("it refuses VISDOM_USERNAME and VISDOM_PASSWORD")

    def _post(self, message: dict[str, Any], endpoint: str) -> str:
        return str(self._send({"eid": self._name, **message}, endpoint=endpoint))

    def _handle_post(self, url: str, data: str | None = None) -> str:
        """Post, visdom's documented place for another transport; an HTTP error raises here."""
        response = self._ask(url, data or "{}")
        if response.status_code == requests.codes.bad:
            raise ConnectionError("it asks for a login; set VISDOM_USERNAME and VISDOM_PASSWORD")
        if not response.ok:
            raise ConnectionError(f"it answers {response.status_code}")
        return response.text

    def _ask(self, url: str, data: str) -> requests.Response:
        try:
            return self._http.post(url, data=data, timeout=TIMEOUT)
        except requests.Timeout as error:
            raise ConnectionError("it does not answer in time") from error
        except requests.exceptions.SSLError as error:
            raise ConnectionError("it has no https, or a certificate that this machine does not trust") from error
        except requests.exceptions.ProxyError as error:
            raise ConnectionError("the proxy of HTTP_PROXY or HTTPS_PROXY does not get there") from error
        except requests.ConnectionError as error:
            raise ConnectionError("nothing answers there") from error

    def _check(self, answer: str, window: str) -> None:
        """Raise unless the server answered with the name of the window, its only sign of success."""
        if answer != window:
            raise ConnectionError(f"it did not accept window {window}")
