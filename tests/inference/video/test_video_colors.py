"""Colours of a video as it means them, their depth, and runs that make something else."""

import logging
from pathlib import Path

import numpy as np
import pytest

from options.data import Range
from tests.inference.video.videos import NEAR, av, distance, moving, run_of, translated, write_video

MATRICES = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}  # H.273, table 4


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", MATRICES)
def test_colours_are_those_that_the_video_says(matrix: int, full: bool, tmp_path: Path) -> None:
    color = np.array([200, 40, 90])
    source = write_flat(tmp_path / "in.mp4", stored(color, matrix, full=full), matrix, full=full)
    translated(source, "out.mp4", crf=1)
    with av.open(str(tmp_path / "out.mp4")) as video:
        frame = next(video.decode(video=0))
        assert (frame.color_range, MATRICES[frame.colorspace]) == (1, MATRICES[matrix])
        planes = [int(np.frombuffer(plane, np.uint8)[0]) for plane in frame.planes]
    assert planes == pytest.approx(stored(color, matrix, full=False), abs=2)


def stored(color: "np.ndarray[tuple[int], np.dtype[np.int64]]", matrix: int, *, full: bool) -> list[int]:
    """Return brightness and the two differences of a colour, by the definition."""
    red, green, blue = color / 255
    kr, kb = MATRICES[matrix]
    y = kr * red + (1 - kr - kb) * green + kb * blue
    differences = [(blue - y) / (2 * (1 - kb)), (red - y) / (2 * (1 - kr))]
    scales = (255, 255, 0) if full else (219, 224, 16)
    return [round(scales[2] + scales[0] * y), *(round(128 + scales[1] * one) for one in differences)]


def write_flat(path: Path, values: list[int], matrix: int, *, full: bool) -> Path:
    with av.open(str(path), "w") as video:
        stream = video.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, 2 if full else 1
        frame = av.VideoFrame(32, 32, "yuv420p")
        frame.colorspace, frame.color_range = matrix, 2 if full else 1
        for plane, value in zip(frame.planes, values, strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        video.mux(stream.encode(frame))
        video.mux(stream.encode(None))
    return path


class TestDepth:
    def test_10_bits_are_kept(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        slope = np.linspace(20000, 24000, 48).astype(np.uint16)[None, :, None].repeat(32, 0).repeat(3, 2)
        source = write_video(tmp_path / "in.mkv", [slope] * 3, pixel_format="yuv420p10le")
        translated(source, "out.mkv", crf=1)
        assert "the video's 10 bits a value are kept" in caplog.text
        with av.open(str(tmp_path / "out.mkv")) as video:
            frame = next(video.decode(video=0))
            assert frame.format.name == "yuv420p10le"
            row = frame.to_ndarray(format="rgb48le")[16, :, 0]
        assert len(np.unique(row // 64)) > 40  # 8 bits have 16 values there
        assert np.abs(row.astype(float) - slope[0, :, 0]).max() < 300

    @pytest.mark.parametrize(("target", "limits"), [("out.mkv", (0.0, 255.0)), ("out.webm", None)])
    def test_a_run_or_a_kind_of_8_bits_gets_8(
        self, target: str, limits: Range | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        source = write_video(tmp_path / "in.mkv", moving(2), pixel_format="yuv420p10le")
        assert translated(source, target, run_of(limits=limits)).pixel_format == "yuv420p"
        assert "the video's 10 bits a value become 8" in caplog.text

    def test_a_run_of_16_bits_takes_any_video(self, tmp_path: Path) -> None:
        pixels = moving(2)
        source = write_video(tmp_path / "in.mkv", pixels)
        after = translated(source, "out.mkv", run_of(limits=(0.0, 65535.0)), crf=4)
        assert after.pixel_format == "yuv420p10le"
        assert distance(pixels[0], after.pixels[0]) < NEAR


def test_a_run_that_makes_grays(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", moving(2))
    (pixels, _) = translated(source, "out.mp4", run_of(channels=(1, 1))).pixels
    assert np.abs(pixels - pixels.mean(2, keepdims=True)).max() <= 2
