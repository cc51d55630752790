"""ONNX Runtime for browsers, from the npm registry, kept for the next time."""

import base64
import hashlib
import io
import os
import tarfile
from pathlib import Path

from options.errors import DamagedError, UserError
from util.dashboard.browser_files import Package, registry
from util.run_folder import make_folder
from util.whole_file import whole_file

TIMEOUTS = (5.0, 60.0)  # seconds to connect, and between two pieces of an answer
PACKAGE = Package(
    "onnxruntime-web",
    "1.30.0",
    "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
    {  # named so that every server knows their types
        "dist/ort.wasm.bundle.min.mjs": "onnxruntime.js",
        "dist/ort-wasm-simd-threaded.wasm": "onnxruntime.wasm",
    },
)


def cache() -> Path:
    """Return the folder of what has been downloaded."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home, f"{PACKAGE.name}-{PACKAGE.version}")


def runtime_files() -> dict[str, bytes]:
    """Return the files by name, which are downloaded where they have not been yet.

    Raises:
        DamagedError: the archive is not the one that was published.
        UserError: the registry gives no answer or no package.
    """
    folder, names = cache(), PACKAGE.files.values()
    if not all((folder / name).is_file() for name in names):
        contents = _unpacked(_download())
        make_folder(folder)
        for name, content in contents.items():
            with whole_file(folder / name) as file:
                file.write(content)
    return {name: (folder / name).read_bytes() for name in names}


def _download() -> bytes:
    """Return the package's archive, verified."""
    import requests

    url = f"{registry()}/{PACKAGE.name}/-/{PACKAGE.name}-{PACKAGE.version}.tgz"
    advice = (
        "NPM_CONFIG_REGISTRY names another registry; or copy "
        f"{' and '.join(PACKAGE.files.values())} to {cache()} from a machine that has them there"
    )
    try:
        answer = requests.get(url, timeout=TIMEOUTS)
        answer.raise_for_status()
    except requests.RequestException as error:
        reason = type(error).__name__ if error.response is None else f"status {error.response.status_code}"
        raise UserError(f"{url} cannot be downloaded ({reason}); {advice}") from error
    if base64.b64encode(hashlib.sha512(answer.content).digest()).decode() != PACKAGE.sha512:
        raise DamagedError(f"{url} is not the archive that was published, so nothing of it is used; {advice}")
    return answer.content


def _unpacked(archive: bytes) -> dict[str, bytes]:
    contents = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for inside, name in PACKAGE.files.items():
            member = tar.extractfile(f"package/{inside}")
            assert member is not None, f"{inside} is a folder"
            contents[name] = member.read()
    return contents
