"""Where a dashboard is: the server's address and the name of the run's environment on it."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from options.errors import UserError

LOCAL = ("localhost", "127.0.0.1", "::1")
DEFAULT_PORT = 8097


class Address(NamedTuple):
    """A server: scheme and host, port, and the path it serves under, ``""`` or ``/path``."""

    server: str
    port: int
    base_url: str = ""

    def __str__(self) -> str:
        return f"{self.server}:{self.port}{self.base_url}"

    @property
    def is_local(self) -> bool:
        """True where it is this machine."""
        return urlsplit(self.server).hostname in LOCAL


def parse_address(server: str, port: int) -> Address:
    """Read ``--display_server``: a host with or without scheme, port and path.

    Args:
        port: ``--display_port``; the port within ``server`` may stand in for it.

    Raises:
        UserError: it is no address, or names another port than ``port``.
    """
    text = server.strip()
    if text.count(":") > 1 and "[" not in text and "//" not in text:
        text = f"[{text}]"  # a bare IPv6 address
    try:
        parts = urlsplit(text if "//" in text else f"http://{text}")
        host, inside = parts.hostname or "", parts.port
    except ValueError:
        host, inside = "", None
    if not host or parts.scheme not in ("http", "https") or inside == 0 or re.search(r"[\s@]", parts.netloc):
        given = "(with a login)" if "@" in server else server
        raise UserError(
            f"--display_server {given} is no address of a server; give it as http://host or https://host/path (a "
            "login goes into VISDOM_USERNAME and VISDOM_PASSWORD)"
        )
    if inside and port not in (inside, DEFAULT_PORT):
        raise UserError(f"--display_server {server} and --display_port {port} name two ports; leave one out")
    host = f"[{host}]" if ":" in host else host
    return Address(f"{parts.scheme}://{host}", inside or port, parts.path.rstrip("/"))


def environment_name(text: str) -> str:
    """Return a name that the server keeps as it is: letters, digits, dots and dashes.

    A slash would become two environments, and what stands before an underscore a group of its own.
    """
    return re.sub(r"[^\w.-]|_", "-", text).strip("-.") or "main"
