"""A page that translates images in the visitor's browser: static files, for any web server."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from inference.direction import Direction
from inference.export.runtime_files import runtime_files
from inference.export.writing import Written, write_all
from options.errors import UserError
from util.files import whole_file

SOURCES = Path(__file__).parent / "web"
FILES = ("index.html", "style.css", "translate.js", "pixels.js", "worker.js")
NETWORKS = "networks.json"
CHANNELS = (1, 3)
BYTES = (None, (0.0, 255.0))


def write_page(
    ways: Sequence[Direction], folder: Path, title: str, *, precision: str = "fp32"
) -> Iterator[Written | Path]:
    """Write the networks as ONNX and a page around them; yield each network, then the page.

    Raises:
        UserError: images of a browser do not suit the run, or ONNX Runtime for browsers cannot be downloaded.
        DeviationError: a network does not translate as PyTorch does; there is no page of it.
        OSError: a file cannot be written.
    """
    for way in ways:
        _check_for_browsers(way)
    contents = {name: (SOURCES / name).read_bytes() for name in FILES} | runtime_files()
    networks = []
    for written in write_all(ways, folder, "onnx", precision=precision):
        networks.append(_entry(written))
        yield written
    contents[NETWORKS] = json.dumps({"title": title, "networks": networks}, indent=2).encode()
    for name, content in contents.items():
        with whole_file(folder / name) as file:
            file.write(content)
    yield folder / FILES[0]


def _check_for_browsers(way: Direction) -> None:
    """Refuse what images of a browser cannot be fed to: they have colours or gray, of 8 bits."""
    allowed = "a browser's images have 1 or 3 channels of 8 bits"
    for count, limits in ((way.image_nc, way.limits), (way.result_nc, way.target_limits)):
        if count not in CHANNELS:
            raise UserError(f"{allowed}, but {way.file} is for {count} channels; use --to onnx")
        if limits not in BYTES:
            low, high = limits
            raise UserError(f"{allowed}, but {way.file} was trained with --value_range {low:g},{high:g}; use --to onnx")


def _entry(written: Written) -> dict[str, object]:
    way = written.way
    return {
        "file": written.path.name,
        "direction": way.name,
        "label": f"{way.name[0]} to {way.name[-1]}",
        "input": way.image_nc,
        "megabytes": round(written.path.stat().st_size / 1e6, 1),
        "metadata": dict(written.metadata),
    }
