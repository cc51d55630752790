"""The flags of ``app.py``."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from options.amount import amount
from options.arguments import FlagParser
from options.errors import UserError
from options.flag import Settings, at_least, flag

USAGE = "python app.py [RUN ...] [flags]"
ABOUT = (
    "Shows a web page on which everybody can try trained runs, and answers programs beside it. Open the address that "
    "it prints; Ctrl-C ends it."
)
PASSWORD_VARIABLE = "APP_PASSWORD"


class Login(NamedTuple):
    """Who may use the page."""

    user: str
    password: str


@dataclass(frozen=True, kw_only=True)
class AppOptions(Settings):
    """The web page.

    Which runs it offers and to whom, and how much it takes of anything.
    """

    runs: tuple[str, ...] = ()  # names or folders; empty takes all in checkpoints_dir
    checkpoints_dir: str = flag(
        "./checkpoints", "folder of all runs. Where they lie elsewhere", metavar="FOLDER", essential=True
    )
    host: str = flag(
        "127.0.0.1",
        "address to listen on. 127.0.0.1 is for this machine alone, 0.0.0.0 for the network",
        metavar="ADDRESS",
        essential=True,
    )
    port: int = flag(
        7860, "port to listen on. Another where this one is taken", metavar="PORT", essential=True, least=1, most=65535
    )
    login: str = flag(
        "",
        f"USER:PASSWORD to ask everybody for. USER alone takes the password from the variable {PASSWORD_VARIABLE}, "
        "which others on this machine do not see",
        metavar="LOGIN",
        otherwise="none",
        essential=True,
    )
    no_login: bool = flag(
        False, "with another --host: let everybody in. Where all who reach it may use it", essential=True
    )
    max_upload: str = flag(
        "50M", "largest file that is taken, in bytes. As 500K, 50M, 2G; more for scans", metavar="AMOUNT"
    )
    max_pixels: str = flag(
        "50M", "largest image that is taken, in pixels. As 500K, 50M, 2G; less where memory is short", metavar="AMOUNT"
    )
    max_files: int = flag(50, "most images that are taken together. Fewer where many share it", least=1)
    max_waiting: int = flag(
        20, "most requests that wait for their turn, of the page and of programs each. Fewer answer sooner", least=1
    )
    keep_minutes: float = flag(
        60.0, "how long uploads and results are kept. Less where they are private", metavar="MINUTES", least=1
    )
    examples: int = flag(
        8, "images of the run's own data set to choose from; 0 shows none. 0 where they are not for everybody", least=0
    )
    device: str = flag(
        "auto", "auto, cpu, cuda, cuda:1 or mps. Another GPU than the first", metavar="DEVICE", essential=True
    )
    precision: Literal["auto", "fp32", "tf32", "bf16", "fp16", "int8"] = flag(
        "auto", "numbers, as for translate.py. fp32 is exact; on CPUs int8 is fastest"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
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
        return amount("--max_upload", self.max_upload, kilo=1024)

    @property
    def pixels(self) -> int:
        """``--max_pixels`` as a number."""
        return amount("--max_pixels", self.max_pixels, kilo=1000)


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


def parse_app(words: Sequence[str]) -> AppOptions:
    """Parse the flags of ``app.py``.

    Raises:
        UserError: a flag is unknown, or its value impossible.
    """
    parser = FlagParser("app.py", USAGE, ABOUT, words)
    parser.add_argument("runs", nargs="*", default=[], help="runs to offer, by name or folder; all if none is given")
    parser.add_flags(AppOptions, bare_switches=True)
    values = vars(parser.parse_intermixed_args(words))
    return AppOptions(**values | {"runs": tuple(values["runs"])})
