"""What is no image, or too large a one: the sentence that says so, before anything is decoded."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from options.errors import UserError
from tests.conftest import PROJECT
from tests.util.raster.lossless_files import KINDS, levels_of
from util.raster import tiff_file
from util.raster.reading import read_header, read_raster

REFUSED: dict[str, tuple[Any, str]] = {  # bytes, or an array
    "empty.png": (b"", "the file is empty"),
    "text.png": (b"<!DOCTYPE html><html>404</html>", "it is no JPEG, PNG, .* but begins with b'<!DOCTYPE"),
    "int64.npy": (np.zeros((3, 3), np.int64), "its numbers are int64"),
    "complex.npy": (np.zeros((3, 3), complex), "its numbers are complex128"),
    "objects.npy": (np.array([[{}, {}]]), "its numbers are object"),
    "axes.npy": (np.zeros((2, 3, 3, 3), np.uint8), "its array has 4 axes"),
    "nothing.npy": (np.zeros((0, 3), np.uint8), "it has no pixels"),
    "plain.ppm": (b"P3 1 1 65535\n1 2 3\n", "colours of more than 8 bits are read from a binary PPM only"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_image_is_named_with_the_reason(name: str, tmp_path: Path) -> None:
    content, reason = REFUSED[name]
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    else:
        np.save(tmp_path / name, content, allow_pickle=True)
    for reader in (read_header, read_raster):
        with pytest.raises(UserError, match=rf"^cannot read the image .*{name} \({reason}.*\); repair or remove it$"):
            reader(tmp_path / name)


def test_a_file_that_is_not_there_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the image .*gone.png \(there is no such file\); check the path"):
        read_raster(tmp_path / "gone.png")
    with pytest.raises(UserError, match=r"cannot read the image .* \(Is a directory\)"):
        read_header(tmp_path)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied"), r"\(no permission\); check who may read it"),
        (MemoryError(), r"\(there is not enough memory for it\)"),
    ],
)
def test_a_file_that_cannot_be_read_now_is_named(
    error: Exception, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UserError, match=f"cannot read the image .*a.png {words}"):
        read_raster(tmp_path / "a.png")


@pytest.mark.parametrize("count", [0, 2])
def test_an_npz_holds_exactly_one_array(count: int, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", *[np.zeros((3, 3))] * count)
    with pytest.raises(UserError, match=f"it holds {count} arrays; an image is one array"):
        read_header(tmp_path / "a.npz")


def test_a_changed_number_in_an_npz_is_found(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", np.arange(100, dtype=np.uint8).reshape(10, 10))
    data = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(data.replace(bytes(range(50, 60)), bytes(10)))
    with pytest.raises(UserError, match="Bad CRC-32"):
        read_raster(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("shape", "dtype", "reason"),
    [
        ((20_000, 9_000), "uint8", "more than 178,956,970"),
        ((9_000, 9_000, 4), "float32", "take more than 1 GiB"),
        ((12_000, 12_000), "float64", "take more than 1 GiB"),
    ],
)
@pytest.mark.parametrize("suffix", [".npy", ".npz", ".tif"])
def test_too_large_an_image_is_refused_by_its_header(
    suffix: str, shape: tuple[int, ...], dtype: str, reason: str, tmp_path: Path
) -> None:
    path, header = tmp_path / f"a{suffix}", io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": dtype, "fortran_order": False, "shape": shape})
    if suffix == ".tif":
        tifffile.imwrite(path, shape=shape, dtype=dtype, photometric="minisblack" if len(shape) == 2 else "separated")
    elif suffix == ".npy":
        path.write_bytes(header.getvalue())
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("image.npy", header.getvalue())
    for reader in (read_header, read_raster):
        with pytest.raises(UserError, match=reason):
            reader(path)


def test_a_circle_of_pages_is_refused(tmp_path: Path) -> None:
    """tifffile finds circles of up to 99 pages itself and follows longer ones without end."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((150, 2, 2), np.uint16), photometric="minisblack", metadata=None)
    with tifffile.TiffFile(path) as tif:
        offsets = [page.offset for page in tif.pages]
    data = bytearray(path.read_bytes())
    place = offsets[-1] + 2 + 12 * int.from_bytes(data[offsets[-1] :][:2], "little")
    assert data[place : place + 4] == bytes(4)
    data[place : place + 4] = offsets[20].to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(UserError, match="its pages form a circle"):
        read_header(path)


def test_more_pages_than_channels_can_be_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff_file, "MOST_PAGES", 3)
    for pages in (3, 4):
        tifffile.imwrite(tmp_path / f"{pages}.tif", np.zeros((pages, 8, 8), np.uint16), photometric="minisblack")
    assert read_header(tmp_path / "3.tif").channels == 3
    with pytest.raises(UserError, match="it has more than 3 pages"):
        read_header(tmp_path / "4.tif")


def test_without_imagecodecs_it_is_said_what_to_install(tmp_path: Path) -> None:
    codecs = pytest.importorskip("imagecodecs")
    path = tmp_path / "a.tif"
    levels = levels_of(KINDS["tiff rgb 16"], (9, 8))
    assert codecs.LZW.available
    tifffile.imwrite(path, levels, photometric="rgb", compression="lzw")
    np.testing.assert_array_equal(read_raster(path).levels, levels)
    code = (
        "import sys; sys.modules['imagecodecs'] = None\n"
        "from util.raster.reading import read_raster\n"
        f"try: read_raster({str(path)!r})\n"
        "except ValueError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    reason = "its compression or packing needs the package imagecodecs"
    assert result.stdout.strip() == f"cannot read the image {path} ({reason}); type pip install imagecodecs"
    assert result.stderr == ""
