"""Download a file so that it appears only when it is whole; an interrupted download goes on where it stopped."""

import hashlib
import http.client
import re
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from options.errors import DamagedError, UserError

BASE_URL = "http://efrosgans.eecs.berkeley.edu"  # of the official data sets and models
CHUNK_BYTES = 1 << 16
TIMEOUT_S = 30


class Checksum(NamedTuple):
    """What a file must hash to."""

    algorithm: str  # as in hashlib
    hexdigest: str


def sha256(text: str | None) -> Checksum | None:
    """Read the value of ``--sha256``.

    Raises:
        UserError: it is not a SHA-256.
    """
    if text is None:
        return None
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise UserError(f"--sha256 {text} is not a SHA-256; give its 64 hexadecimal digits")
    return Checksum("sha256", text.lower())


def check_address(url: str) -> None:
    """Refuse what is not fetched from a web server, such as ``file:``, with ``UserError``."""
    if not url.startswith(("http://", "https://")):
        raise UserError(f"--base_url {url} must start with http:// or https://")


def fetch(url: str, file: Path, *, checksum: Checksum | None = None) -> None:
    """Download ``url`` to ``file``.

    What was received stays beside it as ``<file>.partial`` and is used by the next attempt.

    Raises:
        DamagedError: the file is not the one with this checksum; it is removed.
        UserError: the server is out of reach, refuses, or breaks off.
    """
    partial = file.with_name(file.name + ".partial")
    try:
        if file.exists():  # an earlier attempt could not use it, for want of space
            file.replace(partial)
        else:
            _receive(url, partial)
    except urllib.error.HTTPError as error:
        raise UserError(f"{url} answered {error.code} ({error.reason}); check --base_url or try later") from error
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or error or type(error).__name__
        raise UserError(
            f"cannot fetch {url} ({reason}); check the network, then run the command again to go on"
        ) from error
    if checksum is not None:
        _check(partial, checksum, url=url)
    partial.replace(file)


def _request(url: str, have_bytes: int) -> http.client.HTTPResponse:
    headers = {"User-Agent": "dataset-download", "Accept-Encoding": "identity"}
    if have_bytes:
        headers["Range"] = f"bytes={have_bytes}-"
    response: http.client.HTTPResponse = urllib.request.urlopen(
        urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S
    )
    return response


def _receive(url: str, partial: Path) -> None:
    """Append to ``partial`` what it lacks; start again where the server cannot resume."""
    have = partial.stat().st_size if partial.exists() else 0
    try:
        response = _request(url, have)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise
        if error.headers.get("Content-Range", "").endswith(f"/{have}"):
            return  # all of it was there already
        have = 0
        response = _request(url, have)
    with response:
        have = have if response.status == http.HTTPStatus.PARTIAL_CONTENT else 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        _copy(response, partial, have=have, total=total)
    if total is not None and partial.stat().st_size != total:
        raise UserError(f"the connection broke off while fetching {url}; run the command again to resume")


def _copy(response: http.client.HTTPResponse, partial: Path, *, have: int, total: int | None) -> None:
    name = partial.name.removeprefix(".").removesuffix(".partial")
    with (
        partial.open("ab" if have else "wb") as file,
        tqdm(total=total, initial=have, desc=name, disable=None, unit="B", unit_scale=True) as bar,
    ):
        while chunk := response.read(CHUNK_BYTES):
            file.write(chunk)
            bar.update(len(chunk))


def _check(path: Path, checksum: Checksum, *, url: str) -> None:
    with path.open("rb") as file:
        digest = hashlib.new(checksum.algorithm)
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    if digest.hexdigest() != checksum.hexdigest:
        path.unlink()
        raise DamagedError(
            f"{url} is not the file that was expected (its {checksum.algorithm} is {digest.hexdigest()}, "
            f"not {checksum.hexdigest}); it was removed"
        )
