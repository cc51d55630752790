"""Write the generators of a run as files, each of which is tried before it takes its name."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from inference.export.bare import write_bare
from inference.export.check import Deviation, DeviationError, compare, milliseconds
from inference.export.described import describe
from inference.export.formats import FORMATS
from inference.export.portable import portable
from inference.export.sources import Source
from util.run_folder import make_folder
from util.whole_file import whole_file


class Written(NamedTuple):
    """A file that translates as PyTorch does.

    Attributes:
        times: milliseconds for an image of 256 x 256 pixels, by precision, where they were measured.
        metadata: of a program.
    """

    path: Path
    source: Source
    deviation: Deviation
    times: Mapping[str, float] = MappingProxyType({})
    metadata: Mapping[str, str] = MappingProxyType({})

    def __str__(self) -> str:
        size = self.path.stat().st_size / 1e6
        speed = ", ".join(f"{time:.0f} ms in {name}" for name, time in self.times.items())
        told = f"; an image of 256x256 pixels takes {speed}" if speed else ""
        return f"{self.path} ({size:.1f} MB): {self.source.way.name}, {self.deviation}{told}"


def write_all(
    sources: Sequence[Source], folder: Path, kind: str, *, precision: str = "fp32", training_norms: bool = False
) -> Iterator[Written]:
    """Write ``<epoch>_net_<G...>`` with the suffix of the format for each direction; existing files are replaced.

    Args:
        kind: ``safetensors`` or one of ``FORMATS``.
        precision: ``fp32``; for ONNX also ``fp16`` and ``int8``.
        training_norms: as the sources were read; for the metadata.

    Raises:
        DeviationError: a file does not translate as PyTorch does; it is not there.
        UserError: the folder cannot be made.
        OSError: a file cannot be written.
    """
    make_folder(folder)
    for source in sources:
        try:
            if kind == "safetensors":
                path = folder / f"{source.file.stem}.safetensors"
                written = Written(path, source, write_bare(source, path))
            else:
                written = _write_program(source, folder, kind, precision, training_norms=training_norms)
        except DeviationError as error:
            told = f"as {kind}, {source.way.name} of {source.file} {error}; it was not written"
            raise DeviationError(told) from error
        yield written


def _write_program(source: Source, folder: Path, kind: str, precision: str, *, training_norms: bool) -> Written:
    way, (suffix, make, run) = source.way, FORMATS[kind]
    network = portable(way.network, colorizes=way.colorizes)

    def described(numbers: str) -> dict[str, str]:
        return describe(way, weights=source.weights, precision=numbers, training_norms=training_norms)

    metadata = described(precision)
    content = make(network, way.image_nc, metadata)
    program = run(content)
    deviation = compare(way, program).checked(precision)
    path = folder / (source.file.stem + ("" if precision == "fp32" else f"_{precision}") + suffix)
    with whole_file(path) as file:
        file.write(content)
    programs = {precision: program} if kind == "onnx" else {}
    if precision != "fp32":  # how much faster it is
        programs["fp32"] = run(make(network, way.image_nc, described("fp32")))
    return Written(path, source, deviation, milliseconds(programs, way.image_nc), metadata)
