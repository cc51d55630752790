"""Decoders are silent in every thread, and nothing of it is left afterwards."""

import logging
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.images import an_image, write
from util.raster.header import read_header
from util.raster.reading import read_raster


def test_reading_in_many_threads_leaves_warnings_and_loggers_as_they_were(tmp_path: Path) -> None:
    paths = [write(an_image(seed), tmp_path / f"{seed}.tif") for seed in range(20)] * 10
    before = list(warnings.filters), [logging.getLogger(name).level for name in ("PIL", "tifffile")]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read_header, paths))
        list(pool.map(read_raster, paths))
    assert (list(warnings.filters), [logging.getLogger(name).level for name in ("PIL", "tifffile")]) == before
