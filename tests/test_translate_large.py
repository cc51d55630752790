"""``translate.py``: images larger than any that is read at once."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference import load
from tests.conftest import RunCli
from tests.images import an_image, write
from tests.refusals import refused
from util.raster import kinds
from util.raster.reading import read_raster
from util.raster.writing import encode_tiff


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_image_larger_than_any_that_is_read_goes_by_way_of_the_disk(
    cycle: Path, tmp_path: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, dtype: Any
) -> None:
    pytest.importorskip("pyvips")
    levels = (np.random.default_rng(0).integers(0, 256, (150, 140, 4)) * (np.iinfo(dtype).max // 255)).astype(dtype)
    (tmp_path / "large.tif").write_bytes(encode_tiff(levels, "rgba", "HWC"))
    wanted = load(cycle, precision="fp32")(tmp_path / "large.tif")
    monkeypatch.setattr(kinds, "MOST_PIXELS", 20_000)
    for name in ("made.tif", "made.png", "made.npy"):
        done = run_cli("translate", [cycle, "large.tif", "-o", name, "--precision", "fp32", "--tiling", "exact"])
        assert done.code == 0, done.stderr
    monkeypatch.undo()
    for name in ("made.tif", "made.png", "made.npy"):
        made = read_raster(tmp_path / name)
        assert made.color == ("channels" if name == "made.npy" else "rgba")
        assert np.abs(made.levels.astype(int) - np.asarray(wanted)).max() <= 1
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []


def test_a_large_image_without_its_package_is_one_sentence(
    cycle: Path, tmp_path: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "MOST_PIXELS", 100)
    monkeypatch.setitem(sys.modules, "pyvips", None)
    done = run_cli("translate", [cycle, write(an_image(0), tmp_path / "b.png"), "-o", "x.png"])
    refused(done, r"needs the package pyvips; pip install 'pyvips\[binary\]'")
