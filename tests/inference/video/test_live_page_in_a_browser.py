"""The page of a camera as a browser shows it."""

import _thread
import importlib.util
import os
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from inference.video import VideoSettings, watch_camera
from tests.browser import PROGRAM, browser
from tests.inference.video.videos import Negative, run_of, write_video

reason = "" if PROGRAM and importlib.util.find_spec("websocket") else "there is no Chromium, or no websocket-client"
if reason:
    if os.environ.get("REQUIRE_ALL_TESTS"):  # as in .ci/run
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)

SIDE, GRAY = 64, 200
SHOWN = "document.querySelector('img').naturalWidth == 128"
TOLD = "document.getElementById('rate').innerText.includes('frames per second, 64 x 64')"
PLACE = """(() => {
    const box = document.querySelector('img').getBoundingClientRect()
    return [box.left, box.top, box.width, box.height]
})()"""


def test_the_camera_is_left_and_its_translation_right(tmp_path: Path, keyboard: None) -> None:
    camera = write_video(tmp_path / "camera.mp4", [np.full((SIDE, SIDE, 3), GRAY, np.uint8)] * 200, rate=Fraction(4))
    seen: list[float] = []
    errors: list[str] = []

    def look(address: str) -> None:
        try:
            with browser(tmp_path / "profile") as page:
                page.visit(address)
                page.wait_for(SHOWN)
                page.wait_for(TOLD)
                left, top, width, height = page.ask(PLACE)
                row = np.asarray(page.an_image())[round(top + height / 2), :, 0]
                seen.extend(float(row[round(left + width * share)]) for share in (0.25, 0.75))
                errors.extend(page.errors)
        finally:
            _thread.interrupt_main()  # Ctrl-C

    visitor = threading.Thread(target=lambda: None)

    def start(address: str) -> None:
        nonlocal visitor
        visitor = threading.Thread(target=look, args=(address,))
        visitor.start()

    watch_camera(run_of(Negative()), str(camera), VideoSettings(), port=0, opened=start)
    visitor.join()
    assert seen == [pytest.approx(GRAY, abs=4), pytest.approx(255 - GRAY, abs=4)]
    assert errors == []
