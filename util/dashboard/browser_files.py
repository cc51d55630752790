"""The scripts, style sheets and fonts that the dashboard's page needs and visdom's package lacks.

They come from the npm registry, without npm, or from a folder of a machine that has them. MathJax, which visdom
downloads too, is left out: it is many more files, and titles without formulas do not need it.
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from options.errors import UserError
from util.files import whole_file
from util.npm_package import Package, download, unpacked

ADVICE = (
    "type: python -m util.dashboard files, which tries again (NPM_CONFIG_REGISTRY names another registry), "
    "or: python -m util.dashboard files --from FOLDER, with a folder from a machine that has them"
)
PACKAGES = (
    Package(
        "jquery",
        "3.1.1",
        "zuiWRmx65Kd1oFGdWLvAjbsumdOBFvs3r1vuqCyKFF79R7exBHNbiNEJ8LR+xkzgfxqBznMD/4Cv6PHXS6mvEw==",
        {"dist/jquery.min.js": "js/jquery.min.js"},
    ),
    Package(
        "bootstrap",
        "3.3.7",
        "qcFaisBrcBhTFkz1IUnGDYnX6ZWfFzH8zOixUDtHW9Ip+r+7MfMFav2rzy7cIHc7rgIg7xjhWBoo1mS/U26j4g==",
        {  # of the five font formats the two that today's browsers ask for
            "dist/js/bootstrap.min.js": "js/bootstrap.min.js",
            "dist/css/bootstrap.min.css": "css/bootstrap.min.css",
            "dist/fonts/glyphicons-halflings-regular.woff": "fonts/glyphicons-halflings-regular.woff",
            "dist/fonts/glyphicons-halflings-regular.woff2": "fonts/glyphicons-halflings-regular.woff2",
        },
    ),
    Package(
        "react",
        "16.2.0",
        "ZmIomM7EE1DvPEnSFAHZn9Vs9zJl5A9H7el0EGTE6ZbW9FKe/14IYAlPbC8iH25YarEQxZL+E8VW7Mi7kfQrDQ==",
        {"umd/react.production.min.js": "js/react-react.min.js"},
    ),
    Package(
        "react-dom",
        "16.2.0",
        "zpGAdwHVn9K0091d+hr+R0qrjoJ84cIBFL2uU60KvWBPfZ7LPSrfqviTxGHWN0sjPZb2hxWzMexwrvJdKePvjg==",
        {"umd/react-dom.production.min.js": "js/react-dom.min.js"},
    ),
    Package(
        "react-resizable",
        "1.4.6",
        "4zLORO51u0/mlDsrVCAA4p266d+3mb2ZMNdiWOotAh/PdnfrRzZhgePmKE08PSQatXVIfMjmyD+Sapay8tmxdQ==",
        {"css/styles.css": "css/react-resizable-styles.css"},
    ),
    Package(
        "react-grid-layout",
        "0.16.3",
        "ytP92EqUjqcFhGzvdeKrK610dQ04GdFwRCWtD6PoeL5wR3liETcFISO7k8RBqnosV86JtXf/DwIfrL0COLs0gg==",
        {"css/styles.css": "css/react-grid-layout-styles.css"},
    ),
    Package(
        "layout-bin-packer",
        "1.4.0",
        "dQOZnajbOBGIcS9YlzKrkRtMCGa2oEpyf1zGRn93suphSvPclJe54Sbgtb053GJ21DUk84IBzaeQvjn+Gb10fA==",
        {"dist/layout-bin-packer.js": "js/layout_bin_packer.js"},
    ),
    Package(
        "plotly.js-dist-min",
        "2.11.1",
        "F9WWNht0D3yBLZGHbLoJNfvplXvy+GUPSsA/lCbMuYd/UwzSu6Vmyprxlps9Einw1LDS1hYBrJeioK0lE3ieXA==",
        {"plotly.min.js": "js/plotly-plotly.min.js"},
    ),
    Package(
        "d3",
        "3.5.17",
        "yFk/2idb8OHPKkbAL8QaOaqENNoMhIaSHZerk3oQsECwkObkCpJyjYwCe+OHiq6UEdhe1m8ZGARRRO3ljFjlKg==",
        {"d3.min.js": "js/d3.v3.min.js"},
    ),
    Package(
        "d3-selection-multi",
        "1.0.1",
        "mEnRkJ6A+Otd1LuRPV3az+s/RLDmIEhuz/MnT21O2nPcWNH7wZotdIlRjMA4Wpr+n7AESQ5fD8v1J3nL2Mnw9g==",
        {"build/d3-selection-multi.js": "js/d3-selection-multi.v1.js"},
    ),
    Package(
        "save-svg-as-png",
        "1.4.17",
        "7QDaqJsVhdFPwviCxkgHiGm9omeaMBe1VKbHySWU6oFB2LtnGCcYS13eVoslUgq6VZC6Tjq/HddBd1K6p2PGpA==",
        {"lib/saveSvgAsPng.js": "js/saveSvgAsPng.js"},
    ),
    Package(  # the login page hashes the password with it
        "sjcl",
        "1.0.7",
        "xQbiwKfiAj6vyk44ANJ5RRymALRdRZOuRoKNYkWUU404p/RFXmMaay1Z5vRn30GJjkD+psox4Jd38jZojSuNYA==",
        {"sjcl.js": "js/sjcl.js"},
    ),
)


def static_folder() -> Path:
    """Return where the installed visdom package looks for its browser files, without importing it.

    Raises:
        ModuleNotFoundError: visdom is not installed.
    """
    found = importlib.util.find_spec("visdom")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("No module named 'visdom'", name="visdom")
    return Path(found.origin).parent / "static"


def names() -> list[str]:
    """Return all browser files, as paths in the static folder."""
    return [name for package in PACKAGES for name in package.files.values()]


def missing() -> list[str]:
    """Return those that are not installed."""
    folder = static_folder()
    return [name for name in names() if not (folder / name).is_file()]


def fetch() -> list[str]:
    """Download what is missing, all of it or nothing; return the names of the new files.

    Raises:
        DamagedError: an archive is not the one that was published.
        UserError: the registry gives no answer or no package, or the files cannot be written.
    """
    import requests

    absent = missing()
    contents: dict[str, bytes] = {}
    with requests.Session() as session:
        for package in PACKAGES:
            wanted = {inside: name for inside, name in package.files.items() if name in absent}
            if wanted:
                contents |= unpacked(download(session, package, advice=ADVICE), wanted)
    _install(contents)
    return absent


def copy_from(folder: Path) -> list[str]:
    """Copy what is missing, all of it or nothing; return the names of the new files.

    Args:
        folder: the static folder of another visdom, or one that holds the files by name.

    Raises:
        UserError: the folder lacks some of them, or the files cannot be written.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder; name one that holds the browser files")
    places = {name: (folder / name, folder / Path(name).name) for name in missing()}
    found = {name: next((path for path in paths if path.is_file()), None) for name, paths in places.items()}
    lacking = [name for name, path in found.items() if path is None]
    if lacking:
        raise UserError(
            f"{folder} lacks {', '.join(lacking)}; name visdom's folder 'static' of a machine that shows the "
            "dashboard, or a folder that holds these files by name"
        )
    _install({name: path.read_bytes() for name, path in found.items() if path is not None})
    return list(found)


def _install(contents: Mapping[str, bytes]) -> None:
    """Write the files so that a browser never sees half of one."""
    folder = static_folder()
    for name, content in contents.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as file:
                file.write(content)
        except OSError as error:
            raise UserError(
                f"the browser files cannot be written to {folder} ({error.strerror}); "
                "type as a user who can: python -m util.dashboard files"
            ) from error
