"""Many images on one: where each lies, how it is scaled, and what is written above and below."""

import io

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from util.images import ImageArray, jpeg
from util.sheet import in_rows, sheet

WHITE = 255
BLUE = (30, 60, 200)


def gray(level: int, height: int = 30, width: int = 40) -> ImageArray:
    return np.full((height, width), level, np.uint8)


def colour(rgb: tuple[int, int, int] = BLUE, height: int = 30, width: int = 40) -> ImageArray:
    return np.tile(np.array(rgb, np.uint8), (height, width, 1))


def boxes(drawn: ImageArray, rgb: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the area of one colour."""
    rows, columns = np.nonzero((drawn == np.array(rgb, np.uint8)).all(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def written_rows(drawn: ImageArray) -> npt.NDArray[np.bool_]:
    """Tell for each row of pixels whether something gray is written in it; the images are blue or red."""
    levels = drawn.astype(int)
    is_gray = (levels.max(axis=2) - levels.min(axis=2) < 8) & (levels.max(axis=2) < 200)
    written: npt.NDArray[np.bool_] = is_gray.any(axis=1)
    return written


def strips(drawn: ImageArray) -> int:
    """Count the lines of text."""
    rows = np.concatenate([[False], written_rows(drawn)])
    return int((rows[1:] & ~rows[:-1]).sum())


@pytest.mark.parametrize("width", [200, 700, 1200])
@pytest.mark.parametrize("columns", [1, 2, 4, 7])
def test_images_fill_columns_of_one_width(columns: int, width: int) -> None:
    colours = [(200, 10 * index, 50) for index in range(columns)]
    drawn = sheet([{f"{index}": colour(rgb) for index, rgb in enumerate(colours)}], "", width=width)
    assert drawn.dtype == np.uint8
    assert drawn.shape[1:] == (width, 3)
    places = [boxes(drawn, rgb) for rgb in colours]
    assert len({right - left for left, _, right, _ in places}) == 1
    assert len({(top, bottom) for _, top, _, bottom in places}) == 1
    left, top, right, bottom = places[0]
    assert abs((right - left) * 30 - (bottom - top) * 40) <= 40, "the shape of the image is kept"
    gap = left
    assert all(after[0] - before[2] == gap for before, after in zip(places[:-1], places[1:], strict=True))
    assert 0 < gap <= width - places[-1][2] < gap + columns


def test_the_height_is_that_of_the_rows_and_of_the_text() -> None:
    one = sheet([{"a": colour()}], "", width=400)
    two = sheet([{"a": colour()}, {"a": colour()}], "", width=400)
    other = sheet([{"a": colour()}, {"b": colour()}], "", width=400)
    _, top, _, bottom = boxes(one, BLUE)
    gap = len(two) - len(one) - (bottom - top)
    assert 0 < gap < 10, "a row of the same labels adds its images and a gap"
    assert len(other) - len(two) > 12, "a row of other labels adds a line of text"


@pytest.mark.parametrize(
    ("labels", "lines"),
    [
        (["ab", "ab", "ab"], 1),
        (["ab", "ab", "cd"], 2),
        (["ab", "cd", "cd"], 2),
        (["ab", "cd", "ab"], 3),
        (["ab", "a", "a"], 2),
        (["ab", "ba"], 2),
    ],
)
def test_labels_are_written_where_they_change(labels: list[str], lines: int) -> None:
    rows = [{name: colour() for name in names} for names in labels]
    assert strips(sheet(rows, "")) == lines
    assert strips(sheet(rows, "epoch 3")) == lines + 1


def test_a_label_stands_above_its_image_and_the_caption_below_all() -> None:
    drawn = sheet([{"HH": colour((200, 0, 0)), "II": colour()}], "")
    left, top, right, bottom = boxes(drawn, BLUE)
    assert (drawn[:top, left:right] < 200).any()
    assert written_rows(drawn[bottom:]).sum() == 0
    below = sheet([{"HH": colour()}], "caption")
    assert written_rows(below[boxes(below, BLUE)[3] :]).any()


def test_gray_images_stay_gray_and_colours_what_they_are() -> None:
    drawn = sheet([{"a": gray(90), "b": colour()}], "")
    left, top, right, bottom = boxes(drawn, BLUE)
    assert (drawn[top:bottom, left:right] == np.array(BLUE)).all()
    assert (drawn[top:bottom, 4 : left - 4] == 90).all()  # the gap is 4 pixels wide


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 5), (512, 512), (2000, 300)])
def test_an_image_of_any_size_has_a_place(shape: tuple[int, int]) -> None:
    height, width = shape
    drawn = sheet([{"a": colour(height=height, width=width), "b": colour((200, 0, 0))}], "", width=100)
    left, top, right, bottom = boxes(drawn, BLUE)
    shown = min(44, 4 * 44 * width / height)  # 100 pixels: two images and three gaps; at most four times as high
    assert right - left == pytest.approx(shown, abs=1)
    assert bottom - top == pytest.approx(shown * height / width, abs=1)


def test_images_of_one_row_may_differ_in_size() -> None:
    rows = [{"a": colour(height=60), "b": colour((200, 0, 0), height=15)}, {"a": colour((0, 200, 0)), "b": gray(90)}]
    drawn = sheet(rows, "", width=400)
    tall, flat, second = (boxes(drawn, rgb) for rgb in (BLUE, (200, 0, 0), (0, 200, 0)))
    assert tall[1] == flat[1], "they begin at one height"
    assert tall[3] > flat[3]
    assert second[1] > tall[3], "the next row begins below the tallest"


def test_a_shorter_row_leaves_its_columns_white() -> None:
    drawn = sheet([{"a": colour(), "b": colour()}, {"c": colour((200, 0, 0))}], "", width=400)
    left, top, right, bottom = boxes(drawn, (200, 0, 0))
    assert right < 200
    assert (drawn[top:bottom, right:] == WHITE).all()


@pytest.mark.parametrize("columns", [12, 50, 200])
def test_many_columns_are_all_on_the_sheet(columns: int) -> None:
    colours = [(index + 1, 255 - index, 7) for index in range(columns)]
    drawn = sheet([{f"{index}": colour(rgb) for index, rgb in enumerate(colours)}], "")
    shown = {tuple(pixel) for pixel in np.unique(drawn.reshape(-1, 3), axis=0).tolist()}
    assert set(colours) <= shown


@pytest.mark.parametrize(("count", "columns", "rows"), [(8, 4, [4, 4]), (5, 4, [4, 1]), (3, 4, [3]), (3, 1, [1, 1, 1])])
def test_images_are_laid_out_row_by_row(count: int, columns: int, rows: list[int]) -> None:
    images = {f"p{index}": gray(index) for index in range(count)}
    laid_out = in_rows(images, columns)
    assert [len(row) for row in laid_out] == rows
    assert [name for row in laid_out for name in row] == list(images)


@pytest.mark.parametrize("pixels", [gray(90), colour(), gray(90, 1, 1)])
def test_a_jpeg_shows_the_image_again(pixels: ImageArray) -> None:
    data = jpeg(pixels)
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (pixels.shape[1], pixels.shape[0]))
        wanted = np.broadcast_to(pixels if pixels.ndim == 3 else pixels[..., None], (*pixels.shape[:2], 3))
        assert np.abs(np.asarray(image).astype(int) - wanted).max() <= 4
