"""The flags of ``app.py``."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from options.arguments import QuietParser, add_flags
from options.errors import UserError
from options.flag import at_least, flag

USAGE = "python app.py [RUN ...] [flags]"
PASSWORD_VARIABLE = "APP_PASSWORD"
BYTES: Mapping[str, int] = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}
COUNT: Mapping[str, int] = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}


class Login(NamedTuple):
    """Who may use the page."""

    user: str
    password: str


@dataclass(frozen=True, kw_only=True)
class AppOptions:
    """Which runs, for whom, and how much of anything.

    Attributes:
        runs: names or folders; empty takes all in ``checkpoints_dir``.
    """

    runs: tuple[str, ...] = ()
    checkpoints_dir: str = flag("./checkpoints", "folder of all runs")
    host: str = flag("127.0.0.1", "address to listen on: 127.0.0.1 is for this machine alone, 0.0.0.0 for the network")
    port: int = flag(7860, "port to listen on")
    login: str = flag(
        "", f"USER:PASSWORD to ask everybody for; USER alone takes the password from the variable {PASSWORD_VARIABLE}"
    )
    no_login: bool = flag(False, "with another --host: let everybody in without a password")
    max_upload: str = flag("50M", "largest file that is taken, in bytes: 500K, 50M, 2G")
    max_pixels: str = flag("50M", "largest image that is taken, in pixels: 500K, 50M, 2G")
    max_files: int = flag(50, "most images that are taken together")
    max_waiting: int = flag(20, "most requests that wait for their turn, of the page and of programs each")
    keep_minutes: float = flag(60.0, "how long uploads and results are kept")
    examples: int = flag(8, "images of the run's own data set to choose from; 0 shows none")
    device: str = flag("auto", "auto, cpu, cuda, cuda:1 or mps")
    precision: Literal["auto", "fp32", "tf32", "bf16", "fp16", "int8"] = flag(
        "auto", "numbers, as for translate.py; fp32 is exact"
    )

    def __post_init__(self) -> None:
        at_least("--port", self.port, 1)
        if self.port > 65535:
            raise UserError(f"--port {self.port} is too large; it must be at most 65535")
        for name, least in (("max_files", 1), ("max_waiting", 1), ("keep_minutes", 1), ("examples", 0)):
            at_least(f"--{name}", getattr(self, name), least)
        at_least("--max_upload", self.upload_bytes, 1)
        at_least("--max_pixels", self.pixels, 1)
        if self.login and self.no_login:
            raise UserError("--login and --no_login contradict each other; leave one of both out")
        if not (self.login or self.no_login or is_loopback(self.host)):
            raise UserError(
                f"--host {self.host} opens the page to the network; add --login USER:PASSWORD, or --no_login if "
                "everybody there may use it"
            )

    @property
    def upload_bytes(self) -> int:
        """``--max_upload`` as a number."""
        return amount("--max_upload", self.max_upload, BYTES)

    @property
    def pixels(self) -> int:
        """``--max_pixels`` as a number."""
        return amount("--max_pixels", self.max_pixels, COUNT)


def amount(name: str, text: str, units: Mapping[str, int]) -> int:
    """Parse a number with a unit such as ``50M``.

    Raises:
        UserError: it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMG]?)", text.strip().upper())
    if not match:
        raise UserError(f"{name} {text!r} is no amount; give 500K, 50M or 2G for example")
    return int(float(match[1]) * units[match[2]])


def is_loopback(host: str) -> bool:
    """Tell whether only programs on this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def parse_login(text: str, environment: Mapping[str, str]) -> Login | None:
    """Return who is let in; None where everybody is.

    Args:
        text: ``USER:PASSWORD``, or ``USER`` with the password in the environment; empty asks nobody.

    Raises:
        UserError: one of both is missing.
    """
    if not text:
        return None
    user, colon, password = text.partition(":")
    password = password if colon else environment.get(PASSWORD_VARIABLE, "")
    if not (user and password):
        raise UserError(
            f"--login needs a user and a password; give USER:PASSWORD, or USER with {PASSWORD_VARIABLE}=... in the "
            "environment, which other users of this machine do not see"
        )
    return Login(user, password)


def parse_app(argv: Sequence[str] | None = None) -> AppOptions:
    """Parse the flags of ``app.py``.

    Raises:
        UserError: a flag is unknown, or its value impossible.
    """
    parser = QuietParser(prog="app.py", usage=USAGE, description=__doc__)
    parser.add_argument("runs", nargs="*", default=[], help="runs to offer, by name or folder; all if none is given")
    add_flags(parser, AppOptions, bare_switches=True)
    values = vars(parser.parse_intermixed_args(argv))
    return AppOptions(**values | {"runs": tuple(values["runs"])})
