"""Write the generators of a run as files, each of which is tried before it takes its name."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from inference.direction import Direction
from inference.export.check import Deviation, DeviationError, compare, milliseconds
from inference.export.formats import FORMATS
from inference.export.metadata import describe
from inference.export.portable import portable
from inference.export.weights import write_weights
from inference.load import read_directions
from options.errors import UserError
from options.stored import read_options
from util.files import whole_file
from util.run_folder import make_folder


class Written(NamedTuple):
    """A file that translates as PyTorch does.

    Attributes:
        times: milliseconds for an image of 256 x 256 pixels, by precision, where they were measured.
        metadata: of a program.
    """

    path: Path
    way: Direction
    deviation: Deviation
    times: Mapping[str, float] = MappingProxyType({})
    metadata: Mapping[str, str] = MappingProxyType({})

    def __str__(self) -> str:
        size = self.path.stat().st_size / 1e6
        speed = ", ".join(f"{time:.0f} ms in {name}" for name, time in self.times.items())
        told = f"; an image of 256x256 pixels takes {speed}" if speed else ""
        return f"{self.path} ({size:.1f} MB): {self.way.name}, {self.deviation}{told}"


def read_generators(
    place: Path, prefix: str, *, ema: float | None = None, direction: str = "", running_statistics: bool = False
) -> list[Direction]:
    """Read the generators of a run, or the one in a file.

    Args:
        place: the run's folder, or a file of weights.
        prefix: ``latest``, an epoch number, ``iter_<N>`` ...; a file's own name says it.
        ema: above 0 for averaged weights, whose file names end in ``_ema``; 0 for raw ones; None for those that a
            test of the run would take.
        direction: ``AtoB`` or ``BtoA``; empty takes all that there are.
        running_statistics: let batch norms use what they gathered in training.

    Raises:
        UserError: there is no such run, file or direction, or one is damaged.
    """
    if place.is_file() and (ema is not None or prefix != "latest"):
        raise UserError(f"{place} is one file, so --ema, --epoch and --load_iter have no choice; leave them out")
    averaged = float(read_options(place).get("ema", 0) if ema is None else ema) > 0
    ways = read_directions(place, epoch=prefix, ema=averaged, running_statistics=running_statistics)
    if direction and direction not in ways:
        raise UserError(f"{place} translates {' and '.join(ways)}, not {direction}; leave --direction out")
    return [ways[direction]] if direction else list(ways.values())


def write_all(ways: Sequence[Direction], folder: Path, kind: str, *, precision: str = "fp32") -> Iterator[Written]:
    """Write ``<epoch>_net_<G...>`` with the suffix of the format for each direction; existing files are replaced.

    Args:
        kind: ``safetensors`` or one of ``FORMATS``.
        precision: ``fp32``; for ONNX also ``fp16`` and ``int8``.

    Raises:
        DeviationError: a file does not translate as PyTorch does; it is not there.
        UserError: the folder cannot be made.
        OSError: a file cannot be written.
    """
    make_folder(folder)
    for way in ways:
        try:
            if kind == "safetensors":
                path = folder / f"{way.file.stem}.safetensors"
                written = Written(path, way, write_weights(way, path))
            else:
                written = _write_program(way, folder, kind, precision)
        except DeviationError as error:
            raise DeviationError(f"as {kind}, {way.name} of {way.file} {error}; it was not written") from error
        yield written


def _write_program(way: Direction, folder: Path, kind: str, precision: str) -> Written:
    suffix, graph_of, content_of, run = FORMATS[kind]
    graph, metadata = graph_of(portable(way.network, colorizes=way.colorizes), way.image_nc), describe(way, precision)
    content = content_of(graph, metadata)
    program = run(content)
    deviation = compare(way, program).checked(precision)
    path = folder / (way.file.stem + ("" if precision == "fp32" else f"_{precision}") + suffix)
    with whole_file(path) as file:
        file.write(content)
    programs = {precision: program} if kind == "onnx" else {}
    if precision != "fp32":  # how much faster it is
        programs["fp32"] = run(content_of(graph, describe(way, "fp32")))
    return Written(path, way, deviation, milliseconds(programs, way.image_nc), metadata)
