"""A video through a run: frames, times, size, shape and sound stay."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from inference.inputs import InputImage
from inference.translator import MOST_TOGETHER
from inference.video import VideoSettings, is_video, translate_video, written_suffix
from tests.inference.video.videos import (
    NEAR,
    SIZE,
    Negative,
    av,
    distance,
    moving,
    read_video,
    run_of,
    translated,
    write_video,
)
from util.raster.kinds import Raster

COUNT = 14


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_frames_times_size_rate_and_sound_stay(suffix: str, tmp_path: Path) -> None:
    pixels = moving(COUNT)
    source = write_video(tmp_path / f"in{suffix}", pixels, tracks=2)
    before, after = read_video(source), translated(source, f"out{suffix}", run_of(Negative()))
    assert (len(after.pixels), after.size, after.rate, after.times) == (COUNT, SIZE, before.rate, before.times)
    assert after.sound == before.sound
    assert len(after.sound) == 2
    assert after.seconds == pytest.approx(before.seconds, abs=0.002)
    assert all(distance(255 - one, other) < NEAR for one, other in zip(pixels, after.pixels, strict=True))


def test_uneven_times_stay(tmp_path: Path) -> None:
    times = [0, 7, 8, 50, 51, 90, 200, 201]
    source = write_video(tmp_path / "in.mp4", moving(len(times)), times=times, unit=Fraction(1, 600))
    assert translated(source, "out.mp4").times == pytest.approx([time / 600 for time in times])


@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif"])
def test_odd_sizes_in_every_kind_of_video(suffix: str, tmp_path: Path) -> None:
    pixels = moving(5, (33, 21))
    source = write_video(tmp_path / "in.mkv", pixels, rate=Fraction(25))
    after = translated(source, f"new_folder/out{suffix}", crf=4)
    assert (len(after.pixels), after.size) == (5, (33, 21))
    assert after.times == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
    assert max(distance(*pair) for pair in zip(pixels, after.pixels, strict=True)) < 6


@pytest.mark.parametrize("suffix", [".mkv", ".avi"])
def test_crf_0_loses_nothing(suffix: str, tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", moving(4))
    before, after = read_video(source), translated(source, f"out{suffix}", crf=0)
    assert after.codec == "ffv1"
    assert all((one == other).all() for one, other in zip(before.pixels, after.pixels, strict=True))


def test_a_lower_crf_is_nearer_to_the_translation(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    noise = [random.integers(0, 256, (32, 48, 3), dtype=np.uint8) for _ in range(3)]
    source = write_video(tmp_path / "in.mp4", noise)
    sizes = []
    for crf in (10, 30, 50):
        translated(source, "out.mp4", crf=crf)
        sizes.append((tmp_path / "out.mp4").stat().st_size)
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize(("matrix", "turns"), [((0, 1, -1, 0), -1), ((-1, 0, 0, -1), 2), ((0, -1, 1, 0), 1)])
def test_a_video_of_a_phone_becomes_upright(matrix: tuple[int, ...], turns: int, tmp_path: Path) -> None:
    pixels = moving(3)
    source = turned(write_video(tmp_path / "in.mp4", pixels), matrix)
    after = translated(source, "out.mp4")
    assert after.size == (SIZE if turns == 2 else SIZE[::-1])
    assert all(distance(np.rot90(one, turns), other) < NEAR for one, other in zip(pixels, after.pixels, strict=True))
    with av.open(str(tmp_path / "out.mp4")) as video:
        assert [frame.rotation for frame in video.decode(video=0)] == [0, 0, 0]


def turned(path: Path, matrix: tuple[int, ...]) -> Path:
    """Say in a video's header how to show it, as phones do.

    Args:
        matrix: a, b, c and d of x' = a x + c y, y' = b x + d y (QuickTime File Format).
    """
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 40
    for number, value in zip((0, 1, 3, 4), matrix, strict=True):
        data[place + 4 * number : place + 4 * number + 4] = (value * 0x10000).to_bytes(4, "big", signed=True)
    path.write_bytes(data)
    return path


def test_the_shape_of_pixels_stays_and_turns_with_the_video(tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    with av.open(str(source), "w") as video:
        stream = video.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        video.mux(stream.encode(av.VideoFrame.from_ndarray(moving(1)[0], "rgb24")))
        video.mux(stream.encode(None))
    for shape in (Fraction(4, 3), Fraction(3, 4)):
        translated(source, "out.mp4")
        with av.open(str(tmp_path / "out.mp4")) as video:
            assert video.streams.video[0].sample_aspect_ratio == shape
        turned(source, (0, 1, -1, 0))


def test_load_size_is_the_size_of_the_work(tmp_path: Path) -> None:
    sizes: list[torch.Size] = []
    network = nn.Identity()
    network.register_forward_hook(lambda layer, inputs, out: sizes.append(out.shape))
    source = write_video(tmp_path / "in.mp4", moving(2))
    assert translated(source, "out.mp4", run_of(network), load_size=16).size == SIZE
    assert {tuple(size[2:]) for size in sizes} == {(16, 24)}


def test_smoothing_calms_a_network_that_flickers(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", [moving(1)[0]] * 10)
    flicker = {}
    for smooth in (0.0, 0.9):
        torch.manual_seed(0)
        after = translated(source, "out.mkv", run_of(Flickering()), crf=0, smooth=smooth).pixels
        flicker[smooth] = np.mean([distance(one, other) for one, other in zip(after[4:], after[5:], strict=False)])
    assert flicker[0.9] < 0.2 * flicker[0.0]


class Flickering(nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image * 0.5 + 0.2 * torch.randn(1)


def test_a_gpu_gets_several_frames_at_once_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    translator, together = run_of(Negative()), []
    translate = translator.rasters

    def count(images: list[InputImage], *rest: Any, **more: Any) -> list[Raster]:
        together.append(len(images))
        translator.device = torch.device("cpu")
        made = translate(images, *rest, **more)
        translator.device = torch.device("cuda")
        return made

    monkeypatch.setattr(translator, "rasters", count)
    monkeypatch.setattr(translator, "device", torch.device("cuda"))
    source = write_video(tmp_path / "in.mp4", moving(40), tracks=1)
    after = translated(source, "out.mp4", translator)
    assert all(distance(255 - one, other) < NEAR for one, other in zip(moving(40), after.pixels, strict=True))
    assert after.sound == read_video(source).sound
    assert (sum(together), max(together) <= MOST_TOGETHER) == (40, True)


def test_progress_counts_the_frames(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    source = write_video(tmp_path / "in.mp4", moving(4))
    translate_video(run_of(), source, tmp_path / "o.mp4", VideoSettings(), progress=lambda *step: steps.append(step))
    assert steps[:4] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert steps[-1] == (4, 4)


def test_the_ending_tells_a_video() -> None:
    assert all(is_video(Path(name)) for name in ("a.mp4", "b/C.MOV", "d.gif"))
    assert not any(is_video(Path(name)) for name in ("e.png", "mp4"))
    assert [written_suffix(Path(name)) for name in ("a.MKV", "a.mpg", "a.ts")] == [".MKV", ".mp4", ".mp4"]
