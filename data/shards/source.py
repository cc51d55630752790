"""Open shards where they are: files of this machine, or whatever the webdataset library opens by its URL."""

import importlib
import os
import re
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any

from options.errors import UserError

LEFT_EARLY = (0, 23, 141, -13)  # exit codes of a command whose reader has gone
CURL_SAYS = {6: "the host is unknown", 7: "the host does not answer", 22: "the server does not have it or refuses it"}
READ_BYTES = 1 << 16
PATIENCE_S = 5.0
_TAR_NAME = re.compile(r"[^/\\\s'\"=]*\.tar\b")


def is_local(url: str) -> bool:
    """Tell a path from a URL and from ``pipe:``."""
    return not url.startswith("pipe:") and "://" not in url


@contextmanager
def opened(url: str) -> Iterator[IO[bytes]]:
    """Open a file or a URL; an error inside becomes that of the command behind the URL, if it has one.

    Raises:
        OSError: it cannot be opened.
        ValueError: no way to open such a URL is known.
        UserError: the webdataset library is needed, and not installed.
    """
    if is_local(url):
        with open(url, "rb") as file:
            yield file
        return
    stream = _webdataset("gopen").gopen(url)
    process = getattr(stream, "proc", None)
    try:
        yield stream
    except (OSError, tarfile.TarError, EOFError) as error:
        if process is not None:
            _check_exit(url, process, error)
        raise
    finally:
        if process is not None:
            process.terminate()  # it may be waiting for a server
        with suppress(OSError):
            stream.close()


def rest(stream: IO[bytes]) -> bytes:
    """Return all that is left, when the command that it comes from has ended well.

    Raises:
        OSError: it has not.
    """
    found = b"".join(iter(lambda: stream.read(READ_BYTES), b""))
    process = getattr(stream, "proc", None)
    if process is not None and process.wait():
        raise OSError("it broke off")
    return found


def expanded(url: str) -> list[str]:
    """Write out the braces of a URL: ``train-{0000..0099}.tar`` is a hundred shards."""
    return list(_webdataset("shardlists").expand_urls(url)) if set(url) & set("{$") or "::" in url else [url]


def beside(url: str, name: str) -> str:
    """Put another name in the place of a shard's, in a URL or a command."""
    found = list(_TAR_NAME.finditer(url))
    if not found:
        raise UserError(
            f"{url} names no .tar file; give the shards of a set as in https://host/train-{{0000..0099}}.tar"
        )
    return url[: found[-1].start()] + name + url[found[-1].end() :]


def labels_of(urls: Sequence[str]) -> list[str]:
    """Name shards by what their URLs do not have in common, up to ``.tar``."""
    names = [url[: url.rfind(".tar") + len(".tar")] for url in urls]
    common = os.path.commonprefix([name[: name.rfind("/") + 1] for name in names])
    return [name[common.rfind("/") + 1 :] for name in names]


def reason_of(error: BaseException) -> str:
    """Return in one line what is wrong."""
    text = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return " ".join(text.split()) or type(error).__name__


def _check_exit(url: str, process: Any, error: BaseException) -> None:
    """Raise what a command says by its exit code, unless it only lost its reader."""
    process.stdout.close()
    try:
        code = process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        return
    if code not in LEFT_EARLY:
        said = None if url.startswith("pipe:") else CURL_SAYS.get(code)
        raise OSError(said or f"its command ended with code {code}") from error


def _webdataset(module: str) -> Any:  # the library has no types
    try:
        return importlib.import_module(f"webdataset.{module}")
    except ImportError as error:
        raise UserError("shards that are named by a URL need the webdataset library; pip install webdataset") from error
