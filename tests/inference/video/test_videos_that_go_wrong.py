"""Bad videos, full disks and Ctrl-C: one sentence, and nothing half."""

import errno
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inference.video import VideoSettings, translate_video
from options.errors import UserError
from tests.images import an_image
from tests.inference.video.videos import av, moving, read_video, run_of, translated, write_video

OLD = b"an older translation"


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    """A translation that is there already, alone in its folder, and in the end still is."""
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "video.mp4"
    path.write_bytes(OLD)
    yield path
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == OLD


class TestNoVideo:
    def refusal(self, source: Path, target: Path) -> str:
        with pytest.raises(UserError) as caught:
            translate_video(run_of(), source, target, VideoSettings())
        return str(caught.value)

    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (lambda path: path.write_text("no video " * 100), "a.mp4 is no video, or damaged at its beginning"),
            (lambda path: path.touch(), "a.mp4 is no video"),
            (lambda path: an_image(1).save(path, "PNG"), "a.mp4 is an image"),
            (lambda path: an_image(1).save(path, "JPEG"), "a.mp4 is an image"),
            (lambda path: an_image(1).save(path, "BMP"), "a.mp4 is an image"),
            (lambda path: damaged(write_video(path, moving(6)), 0.0, 1.0), "no frame of"),
            (
                lambda path: path.write_bytes(write_video(path, moving(1)).read_bytes().replace(b"avc1", b"zzzz")),
                "stored in a way that the installed PyAV does not know",
            ),
            (
                lambda path: path.write_bytes(write_video(path, moving(6)).read_bytes()[:700]),  # before its index
                "a.mp4 is no video, or damaged at its beginning",
            ),
        ],
    )
    def test_what_is_none(self, make: Callable[[Path], object], words: str, tmp_path: Path, target: Path) -> None:
        make(tmp_path / "a.mp4")
        assert words in self.refusal(tmp_path / "a.mp4", target)

    def test_sound_alone(self, tmp_path: Path, target: Path) -> None:
        video = write_video(tmp_path / "video.mp4", moving(3), tracks=1)
        with av.open(str(video)) as source, av.open(str(tmp_path / "a.mp4"), "w") as sound:
            stream = sound.add_stream_from_template(source.streams.audio[0])
            for packet in source.demux(source.streams.audio[0]):
                if packet.size:
                    packet.stream = stream
                    sound.mux(packet)
        assert "a.mp4 has no images, only audio; give a video" in self.refusal(tmp_path / "a.mp4", target)

    def test_missing(self, tmp_path: Path, target: Path) -> None:
        with pytest.raises(FileNotFoundError) as caught:
            translate_video(run_of(), tmp_path / "a.mp4", target, VideoSettings())
        assert caught.value.filename == str(tmp_path / "a.mp4")


def damaged(path: Path, first: float, last: float) -> Path:
    """Overwrite a part of the images of an MP4, from one share to another; headers stay."""
    data = bytearray(path.read_bytes())
    begin = data.index(b"mdat") + 4
    size = int.from_bytes(data[begin - 8 : begin - 4], "big") - 8
    for place in range(begin + int(first * size), begin + int(last * size)):
        data[place] = 0xA5
    path.write_bytes(data)
    return path


class TestDamagedVideo:
    def test_the_rest_is_translated(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        source = damaged(write_video(tmp_path / "in.mp4", moving(40), group=4), 0.4, 0.6)
        count = len(translated(source, "out.mp4").pixels)
        assert 20 <= count < 40
        assert f"in.mp4 is damaged; frames translated: {count}, lost: about {40 - count}" in caplog.text

    def test_one_that_breaks_off(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        source = write_video(tmp_path / "in.mkv", moving(40), tracks=1)
        source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
        count = len(translated(source, "out.mkv").pixels)
        assert 10 < count < 35
        frames, lost = re.findall(r"is damaged; frames translated: (\d+), lost: about (\d+)", caplog.text)[0]
        assert int(frames) == count
        assert int(lost) == pytest.approx(40 - count, abs=2)

    def test_a_whole_one_is_not_called_damaged(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.WARNING)
        for suffix in (".mp4", ".mkv", ".avi", ".ts"):
            source = write_video(tmp_path / f"in{suffix}", moving(40), tracks=1)
            translated(source, "out.mkv")
        assert caplog.text == ""


class TestInterruption:
    def test_ctrl_c_leaves_nothing(self, tmp_path: Path, target: Path) -> None:
        source = write_video(tmp_path / "in.mp4", moving(30), tracks=1)

        def interrupt(done: int, total: int) -> None:
            if done == 5:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            translate_video(run_of(), source, target, VideoSettings(), progress=interrupt)

    def test_a_file_that_cannot_grow_leaves_nothing(self, tmp_path: Path, target: Path) -> None:
        resource = pytest.importorskip("resource")
        signal = pytest.importorskip("signal")
        source = write_video(tmp_path / "in.mp4", moving(60, (96, 64)))
        limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        try:
            with pytest.raises(OSError, match="large") as caught:
                translate_video(run_of(), source, target, VideoSettings(crf=1))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)
        assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(target))


class TestRefusals:
    def test_the_video_itself(self, tmp_path: Path) -> None:
        source = write_video(tmp_path / "in.mp4", moving(2))
        (tmp_path / "link.mp4").symlink_to(source)
        for target in (source, tmp_path / "link.mp4"):
            with pytest.raises(UserError, match="is the video itself; give another place"):
                translate_video(run_of(), source, target, VideoSettings())

    def test_an_image_too_wide_for_the_kind(self, tmp_path: Path) -> None:
        source = write_video(tmp_path / "in.mkv", moving(1, (8200, 16)))
        with pytest.raises(UserError, match=r"out.avi cannot be written \(.+\); try another ending, such as .mkv"):
            translated(source, "out.avi")
        assert not (tmp_path / "out.avi").exists()

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"smooth": 1.5}, "--smooth 1.5 is outside 0 to 1"),
            ({"smooth": float("nan")}, "--smooth nan is outside 0 to 1"),
            ({"crf": 52}, "--crf 52 is outside 0"),
            ({"load_size": -1}, "--load_size -1 is too small"),
        ],
    )
    def test_settings_out_of_range(self, settings: dict[str, float], words: str) -> None:
        with pytest.raises(UserError, match=words):
            VideoSettings(**settings)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("channels", "limits", "words"),
        [
            ((3, 2), None, "the run makes 2 channels of uint8 numbers; a video needs colours or grays"),
            ((7, 3), None, "the run takes images of 7 channels; videos have three"),
            ((3, 3), (-500.0, 9000.0), "trained on values from -500 to 9000; videos have 0 to 255, or to 65535"),
        ],
    )
    def test_a_run_that_is_not_for_colours(
        self, channels: tuple[int, int], limits: tuple[float, float] | None, words: str, tmp_path: Path, target: Path
    ) -> None:
        source = write_video(tmp_path / "in.mp4", moving(2))
        with pytest.raises(UserError, match=words):
            translate_video(run_of(channels=channels, limits=limits), source, target, VideoSettings())

    def test_without_pyav(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(UserError, match="videos and cameras need the package av; type: pip install av"):
            translate_video(run_of(), tmp_path / "in.mp4", tmp_path / "out.mp4", VideoSettings())

    def test_a_build_that_lacks_every_encoder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        source = write_video(tmp_path / "in.mp4", moving(2))
        monkeypatch.setattr(av, "codecs_available", set())
        with pytest.raises(UserError, match="cannot write webm videos, it lacks libvpx-vp9; take .mkv"):
            translate_video(run_of(), source, tmp_path / "out.webm", VideoSettings())

    def test_a_build_without_x264_makes_mpeg4(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        source = write_video(tmp_path / "in.ts", moving(5))
        monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
        translate_video(run_of(), source, tmp_path / "out.mp4", VideoSettings())
        assert "lacks libx264; videos are made with mpeg4" in caplog.text
        assert (read_video(tmp_path / "out.mp4").codec, len(read_video(tmp_path / "out.mp4").pixels)) == ("mpeg4", 5)
