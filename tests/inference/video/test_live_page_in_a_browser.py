"""The page of a camera as a browser shows it."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from inference.video import VideoSettings, watch_camera
from tests.browser import browser
from tests.inference.video.test_watching_a_camera import Visitors
from tests.inference.video.videos import Negative, run_of, write_video
from tests.optional import need

need("websocket", chromium=True)

SIDE, GRAY = 64, 200
SHOWN = "document.querySelector('img').naturalWidth == 128"
TOLD = "document.getElementById('rate').innerText.includes('frames per second, 64 x 64')"
PLACE = """(() => {
    const box = document.querySelector('img').getBoundingClientRect()
    return [box.left, box.top, box.width, box.height]
})()"""


def test_the_camera_is_left_and_its_translation_right(tmp_path: Path, keyboard: None) -> None:
    camera = write_video(tmp_path / "camera.mp4", [np.full((SIDE, SIDE, 3), GRAY, np.uint8)] * 200, rate=Fraction(4))

    def look(address: str) -> tuple[list[float], list[str]]:
        with browser(tmp_path / "profile") as page:
            page.visit(address)
            page.wait_for(SHOWN)
            page.wait_for(TOLD)
            left, top, width, height = page.ask(PLACE)
            row = np.asarray(page.image())[round(top + height / 2), :, 0]
            return [float(row[round(left + width * share)]) for share in (0.25, 0.75)], page.errors

    visitors = Visitors(look)
    watch_camera(run_of(Negative()), str(camera), VideoSettings(), port=0, opened=visitors)
    ((seen, errors),) = visitors.found()
    assert seen == [pytest.approx(GRAY, abs=4), pytest.approx(255 - GRAY, abs=4)]
    assert errors == []
