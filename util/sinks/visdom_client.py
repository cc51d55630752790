"""The Visdom client with what it lacks: time-outs, a check of each answer, and silence.

Import this module late: it imports ``visdom``, which is optional.
"""

import logging

import requests
import visdom

TIMEOUT = (3.0, 10.0)  # seconds to connect, seconds between two bytes of the answer
NOISY = ("visdom", "urllib3", "requests", "websocket")


class Client(visdom.Visdom):
    """A client whose every failure, also an unexpected answer, is a ``ConnectionError``."""

    def __init__(self, server: str, port: int, env: str, *, proxies: bool) -> None:
        """Prepare a client; nothing is sent yet.

        Args:
            proxies: honour HTTP_PROXY and its kin; wrong for a server on this machine.
        """
        for name in NOISY:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._name = env
        self._http = requests.Session()
        self._http.trust_env = proxies
        # send=False: else the constructor posts and, without a websocket to wait for, warns.
        super().__init__(
            server=server, port=port, env=env, send=False, use_incoming_socket=False, raise_exceptions=True
        )
        self.send = True

    def _handle_post(self, url: str, data: str | None = None) -> str:
        """Post, visdom's documented place for another transport; an HTTP error raises here."""
        response = self._http.post(url, data=data or "{}", timeout=TIMEOUT)
        response.raise_for_status()
        return response.text

    def open_environment(self) -> None:
        """Make the environment, so that its page exists before the first window does."""
        self._send({"eid": self._name}, endpoint=f"env/{self._name}")
        self.has_window("")  # raises if this is not a Visdom server

    def has_window(self, window: str) -> bool:
        """Ask whether the server still knows a window; it does not after a restart."""
        answer = self._send({"win": window, "eid": self._name}, endpoint="win_exists")
        if answer not in ("true", "false"):
            raise ConnectionError("what answers there is not a Visdom server")
        return bool(answer == "true")


def check(answer: object, window: str) -> None:
    """Raise unless the server answered with the name of the window, its only sign of success."""
    if answer != window:
        raise ConnectionError(f"the server did not accept window {window}")
