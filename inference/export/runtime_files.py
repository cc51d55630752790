"""ONNX Runtime for browsers, from the npm registry, kept for the next time."""

import os
from pathlib import Path

from util.files import whole_file
from util.npm_package import Package, download, unpacked
from util.run_folder import make_folder

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
        contents = unpacked(_download(), PACKAGE.files)
        make_folder(folder)
        for name, content in contents.items():
            with whole_file(folder / name) as file:
                file.write(content)
    return {name: (folder / name).read_bytes() for name in names}


def _download() -> bytes:
    import requests

    advice = (
        "NPM_CONFIG_REGISTRY names another registry; or copy "
        f"{' and '.join(PACKAGE.files.values())} to {cache()} from a machine that has them there"
    )
    with requests.Session() as session:
        return download(session, PACKAGE, advice=advice)
