"""Images as callers have them, and back."""

import pytest
from PIL import Image

from inference.inputs import read_input


@pytest.mark.parametrize("mode", ["CMYK", "I;16", "F"])
def test_pil_images_that_are_not_of_8_bit_colours_come_back_in_their_mode(mode: str) -> None:
    image = Image.new(mode, (4, 3), 7)
    given = read_input(image)
    assert given.back(given.raster) == image
