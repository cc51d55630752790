"""Bad videos, full disks and Ctrl-C: one sentence, and nothing half."""

import errno
import logging
from pathlib import Path

import pytest

from inference.video import VideoSettings, translate_video
from options.errors import UserError
from tests.images import an_image
from tests.inference.video.videos import Watched, av, moving, read_video, run_of, write_video

OLD = b"an older translation"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A translation that is there already, alone in its folder."""
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "video.mp4"
    path.write_bytes(OLD)
    return path


def assert_untouched(target: Path) -> None:
    assert list(target.parent.iterdir()) == [target]
    assert target.read_bytes() == OLD


class TestNoVideo:
    def refusal(self, source: Path, target: Path) -> str:
        with pytest.raises(UserError) as caught:
            translate_video(run_of(), source, target, VideoSettings())
        assert_untouched(target)
        return str(caught.value)

    def test_text(self, tmp_path: Path, target: Path) -> None:
        (tmp_path / "a.mp4").write_text("no video " * 100)
        assert "a.mp4 is no video, or damaged at its beginning" in self.refusal(tmp_path / "a.mp4", target)

    def test_nothing(self, tmp_path: Path, target: Path) -> None:
        (tmp_path / "a.mp4").touch()
        assert "a.mp4 is no video" in self.refusal(tmp_path / "a.mp4", target)

    @pytest.mark.parametrize("suffix", ["png", "jpg", "bmp"])
    def test_an_image(self, suffix: str, tmp_path: Path, target: Path) -> None:
        an_image(1).save(tmp_path / f"a.{suffix}")
        (tmp_path / f"a.{suffix}").rename(tmp_path / "a.mp4")
        assert "a.mp4 is an image" in self.refusal(tmp_path / "a.mp4", target)

    def test_sound_alone(self, tmp_path: Path, target: Path) -> None:
        video = write_video(tmp_path / "video.mp4", moving(3), tracks=1)
        with av.open(str(video)) as source, av.open(str(tmp_path / "a.mp4"), "w") as sound:
            stream = sound.add_stream_from_template(source.streams.audio[0])
            for packet in source.demux(source.streams.audio[0]):
                if packet.size:
                    packet.stream = stream
                    sound.mux(packet)
        assert "a.mp4 has no images, only audio; give a video" in self.refusal(tmp_path / "a.mp4", target)

    def test_no_frame_that_can_be_decoded(self, tmp_path: Path, target: Path) -> None:
        source = damaged(write_video(tmp_path / "a.mp4", moving(6)), 0.0, 1.0)
        assert "no frame of" in self.refusal(source, target)

    def test_cut_off_before_its_index(self, tmp_path: Path, target: Path) -> None:
        source = write_video(tmp_path / "a.mp4", moving(6))
        source.write_bytes(source.read_bytes()[:700])
        assert "a.mp4 is no video, or damaged at its beginning" in self.refusal(source, target)

    def test_missing(self, tmp_path: Path, target: Path) -> None:
        with pytest.raises(FileNotFoundError) as caught:
            translate_video(run_of(), tmp_path / "a.mp4", target, VideoSettings())
        assert caught.value.filename == str(tmp_path / "a.mp4")
        assert_untouched(target)


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
        report = translate_video(run_of(), source, tmp_path / "out.mp4", VideoSettings())
        after = read_video(tmp_path / "out.mp4")
        assert 20 <= len(after.pixels) == report.frames < 40
        assert report.lost == 40 - report.frames
        assert f"frames translated: {report.frames}, lost: about {report.lost}" in caplog.text

    def test_one_that_breaks_off(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        source = write_video(tmp_path / "in.mkv", moving(40), tracks=1)
        source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
        report = translate_video(run_of(), source, tmp_path / "out.mkv", VideoSettings())
        assert 10 < report.frames < 35
        assert report.lost == pytest.approx(40 - report.frames, abs=2)
        assert "is damaged" in caplog.text

    def test_a_whole_one_is_not_called_damaged(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.WARNING)
        for suffix in (".mp4", ".mkv", ".avi", ".ts"):
            source = write_video(tmp_path / f"in{suffix}", moving(40), tracks=1)
            assert translate_video(run_of(), source, tmp_path / "out.mkv", VideoSettings()).lost == 0
        assert caplog.text == ""


class TestInterruption:
    def test_ctrl_c_leaves_nothing(self, tmp_path: Path, target: Path) -> None:
        source = write_video(tmp_path / "in.mp4", moving(30), tracks=1)

        def interrupt(done: int, total: int) -> None:
            if done == 5:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            translate_video(run_of(), source, target, VideoSettings(), progress=interrupt)
        assert_untouched(target)

    def test_a_full_disk_leaves_nothing(self, tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(writer: object, piece: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device", "video.mp4")

        monkeypatch.setattr("inference.video.writing.VideoWriter.write", full)
        source = write_video(tmp_path / "in.mp4", moving(30))
        with pytest.raises(OSError, match="No space left") as caught:
            translate_video(run_of(), source, target, VideoSettings())
        assert caught.value.errno == errno.ENOSPC
        assert_untouched(target)

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
        assert_untouched(target)

    def test_a_network_that_fails_leaves_nothing(self, tmp_path: Path, target: Path) -> None:
        network = Watched()
        network.register_forward_hook(lambda *step: 1 / 0)
        source = write_video(tmp_path / "in.mp4", moving(30))
        with pytest.raises(ZeroDivisionError):
            translate_video(run_of(network), source, target, VideoSettings())
        assert_untouched(target)


class TestRefusals:
    def test_an_ending_that_no_video_has(self, tmp_path: Path) -> None:
        source = write_video(tmp_path / "in.mp4", moving(2))
        with pytest.raises(UserError, match=r"out.xyz cannot be written; videos end in .mp4, .m4v"):
            translate_video(run_of(), source, tmp_path / "out.xyz", VideoSettings())

    def test_the_video_itself(self, tmp_path: Path) -> None:
        source = write_video(tmp_path / "in.mp4", moving(2))
        (tmp_path / "link.mp4").symlink_to(source)
        for target in (source, tmp_path / "link.mp4"):
            with pytest.raises(UserError, match="is the video itself; give another place"):
                translate_video(run_of(), source, target, VideoSettings())

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"smooth": 1.5}, "--smooth 1.5 is outside 0 to 1"),
            ({"smooth": float("nan")}, "--smooth nan is outside 0 to 1"),
            ({"crf": 52}, "--crf 52 is outside 0"),
            ({"load_size": -1}, "--load_size -1 is below 0"),
        ],
    )
    def test_settings_out_of_range(self, settings: dict[str, float], words: str) -> None:
        with pytest.raises(UserError, match=words):
            VideoSettings(**settings)  # type: ignore[arg-type]

    def test_a_direction_that_the_run_has_not(self, tmp_path: Path, target: Path) -> None:
        source = write_video(tmp_path / "in.mp4", moving(2))
        with pytest.raises(UserError, match="translates AtoB, not 'BtoA'"):
            translate_video(run_of(), source, target, VideoSettings(direction="BtoA"))
        assert_untouched(target)

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
        assert_untouched(target)

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
