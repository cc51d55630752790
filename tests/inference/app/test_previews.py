"""What a browser is shown."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inference.app.previews import preview, shown
from inference.app.store import Store
from options.data import Range
from tests.images import an_image
from util.raster.kinds import Color, Raster

LEVELS = np.array(an_image(0))


@pytest.mark.parametrize(
    ("levels", "color", "limits"),
    [
        (LEVELS, "rgb", None),
        (LEVELS.astype(np.uint16) * 257, "rgb", None),
        (LEVELS.astype(np.float32) / 255, "rgb", None),
        (LEVELS.astype(np.float32) * 4 - 20, "rgb", (-20.0, 1000.0)),
        (np.dstack([LEVELS, np.full(LEVELS.shape[:2], 99, np.uint8)]), "rgba", None),
        (np.dstack([LEVELS, LEVELS]), "channels", None),
        (np.dstack([255 - LEVELS, np.zeros(LEVELS.shape[:2], np.uint8)]), "cmyk", None),
    ],
)
def test_every_depth_is_shown_as_the_same_8_bits(
    levels: np.ndarray[Any, Any], color: Color, limits: Range | None
) -> None:
    assert np.array_equal(np.asarray(shown(Raster(levels, color), limits)), LEVELS)


def test_small_images_are_shown_without_loss_and_large_ones_smaller(tmp_path: Path) -> None:
    with Store(60) as store:
        small = Image.open(preview(Raster(LEVELS, "rgb"), None, store, "small"))
        assert np.array_equal(np.asarray(small), LEVELS)
        large = Image.open(preview(Raster(np.tile(LEVELS, (40, 100, 1)), "rgb"), None, store, "large"))
        assert (large.format, large.size) == ("JPEG", (2048, round(2048 * 36 * 40 / 4000)))
