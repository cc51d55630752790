"""The filter over time: what it calms, and what it leaves alone."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from inference.video.smoothing import Smoother

Pixels = npt.NDArray[Any]  # H x W x C
SIDE = 40


def noise(count: int, spread: float, seed: int = 0) -> list[Pixels]:
    random = np.random.default_rng(seed)
    return [np.clip(random.normal(128, spread, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8) for _ in range(count)]


def filtered(smooth: float, video: list[Pixels], made: list[Pixels]) -> list[Pixels]:
    smoother = Smoother(smooth)
    return [smoother(frame, one) for frame, one in zip(video, made, strict=True)]


@pytest.mark.parametrize("smooth", [0.5, 0.9])
def test_where_the_video_stands_still_flicker_shrinks_as_a_recursive_average(smooth: float) -> None:
    video, made = [np.full((SIDE, SIDE, 3), 90, np.uint8)] * 120, noise(120, 20)
    last = filtered(smooth, video, made)[-1].astype(float)
    # a first-order average of white noise has (1 - w) / (1 + w) of its variance
    assert last.var() == pytest.approx(400 * (1 - smooth) / (1 + smooth), rel=0.1)


def test_a_moving_edge_does_not_smear() -> None:
    video = [np.full((SIDE, SIDE, 3), 40, np.uint8) for _ in range(10)]
    for step, frame in enumerate(video):
        frame[10:20, 3 * step : 3 * step + 9] = 220
    out = filtered(1.0, video, video)  # the video as its own translation: a trail would be of its old places
    for before, frame, one in zip(video, video[1:], out[1:], strict=False):
        moved = (frame != before).any(2)
        assert moved.any()
        assert np.abs(one.astype(int) - frame)[moved].max() <= 1


def test_a_slow_fade_is_followed() -> None:
    video = [np.full((SIDE, SIDE, 3), 40 + level // 4, np.uint8) for level in range(200)]
    out = filtered(1.0, video, video)
    assert max(np.abs(one.astype(int) - frame).max() for one, frame in zip(out, video, strict=True)) <= 4


def test_a_new_scene_begins_afresh() -> None:
    video = [np.full((SIDE, SIDE, 3), 90, np.uint8)] * 5 + [np.full((SIDE, SIDE, 3), 150, np.uint8)] * 2
    made = noise(7, 20)
    out = filtered(1.0, video, made)
    assert (out[0] == made[0]).all()
    assert (out[4] == made[0]).all()
    assert (out[5] == made[5]).all()
    assert (out[6] == made[5]).all()


def test_deep_images_stay_deep() -> None:
    video = [np.full((SIDE, SIDE, 3), 23000, np.uint16)] * 40
    made = [(one.astype(np.uint16) << 8) for one in noise(40, 20)]
    out = filtered(0.9, video, made)
    assert out[-1].dtype == np.uint16
    assert out[-1].astype(float).std() < 0.4 * made[-1].astype(float).std()
