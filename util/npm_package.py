"""Files of npm packages, from the registry and without npm, compared with what was published."""

import base64
import hashlib
import io
import os
import tarfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from options.errors import DamagedError, UserError

if TYPE_CHECKING:
    import requests

REGISTRY = "https://registry.npmjs.org"
TIMEOUTS = (5.0, 60.0)  # seconds to connect, and between two pieces of an answer


class Package(NamedTuple):
    """An npm package; ``files`` are paths inside it and what they are called here."""

    name: str
    version: str
    sha512: str  # of the archive in base64, as in the registry's "integrity"
    files: dict[str, str]


def registry() -> str:
    """Return the registry's address, from ``NPM_CONFIG_REGISTRY`` in any case, as for npm."""
    chosen = [value for name, value in os.environ.items() if name.upper() == "NPM_CONFIG_REGISTRY" and value]
    return (chosen or [REGISTRY])[0].rstrip("/")


def download(session: "requests.Session", package: Package, *, advice: str) -> bytes:
    """Return a package's archive, verified.

    Args:
        advice: ends the messages.

    Raises:
        DamagedError: it is not the one that was published.
        UserError: the registry gives no answer or no package.
    """
    import requests

    url = f"{registry()}/{package.name}/-/{package.name}-{package.version}.tgz"
    try:
        answer = session.get(url, timeout=TIMEOUTS)
        answer.raise_for_status()
    except requests.RequestException as error:
        reason = type(error).__name__ if error.response is None else f"status {error.response.status_code}"
        raise UserError(f"{url} cannot be downloaded ({reason}); {advice}") from error
    if base64.b64encode(hashlib.sha512(answer.content).digest()).decode() != package.sha512:
        raise DamagedError(f"{url} is not the archive that was published, so nothing of it is used; {advice}")
    return answer.content


def unpacked(archive: bytes, wanted: Mapping[str, str]) -> dict[str, bytes]:
    """Return files of an archive by what they are called here.

    Args:
        wanted: names here by paths in the package.
    """
    contents = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for inside, name in wanted.items():
            member = tar.extractfile(f"package/{inside}")
            assert member is not None, f"{inside} is a folder"
            contents[name] = member.read()
    return contents
