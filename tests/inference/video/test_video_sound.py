"""The sound of a video in another kind of video, and what is left out."""

from pathlib import Path

import numpy as np
import pytest

from tests.inference.video.videos import RATE, av, moving, read_video, translated, write_video

COUNT = 14


def test_what_the_target_cannot_hold_is_converted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = write_video(tmp_path / "in.mp4", moving(COUNT), tracks=1)
    translated(source, "out.webm")
    assert "cannot hold sound as aac; it becomes libopus" in caplog.text
    with av.open(str(tmp_path / "out.webm")) as video:
        samples = np.concatenate([one.to_ndarray()[0] for one in video.decode(audio=0)])
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) * 48000 / len(samples) == pytest.approx(220, abs=4)
    assert len(samples) / 48000 == pytest.approx(float(COUNT / RATE), abs=0.1)


def test_avi_takes_no_sound_of_a_broadcast_as_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = translated(write_video(tmp_path / "in.ts", moving(COUNT), tracks=1), "out.avi")
    assert "cannot hold sound as aac; it becomes" in caplog.text
    assert len(made.sound[0]) > 10


def test_sound_of_an_unknown_kind_is_left_out_with_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = write_video(tmp_path / "in.mp4", moving(3), tracks=1)
    source.write_bytes(source.read_bytes().replace(b"mp4a", b"zzzz").replace(b"esds", b"free"))
    assert translated(source, "out.mkv").kinds == ["video"]
    assert "out.mkv cannot hold sound of the source's kind, which is left out" in caplog.text


def test_a_gif_has_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = write_video(tmp_path / "in.mp4", moving(3), tracks=1)
    assert translated(source, "out.gif").kinds == ["video"]
    assert "out.gif cannot hold sound" in caplog.text


def test_a_broadcast_becomes_a_video_that_begins_at_0(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.ts", moving(COUNT), tracks=1)
    before, after = read_video(source), translated(source, "out.mp4")
    assert before.times[0] > 0.05
    start = min(before.times[0], before.sound[0][0][1])
    assert after.times == pytest.approx([time - start for time in before.times], abs=1e-3)
    assert len(after.sound[0]) == len(before.sound[0])


def test_subtitles_are_left_out_with_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "in.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    silent = write_video(tmp_path / "silent.mkv", moving(3))
    with (
        av.open(str(silent)) as images,
        av.open(str(tmp_path / "in.srt")) as words,
        av.open(str(tmp_path / "in.mkv"), "w") as video,
    ):
        targets = [video.add_stream_from_template(one.streams[0], opaque=True) for one in (images, words)]
        for one, target in zip((images, words), targets, strict=True):
            for packet in one.demux():
                if packet.size:
                    packet.stream = target
                    video.mux(packet)
    assert read_video(tmp_path / "in.mkv").kinds == ["video", "subtitle"]
    assert translated(tmp_path / "in.mkv", "out.mkv").kinds == ["video"]
    assert "out.mkv gets no subtitle" in caplog.text


def test_packets_that_go_back_in_time_are_left_out(tmp_path: Path) -> None:
    from inference.video.sound import Copied  # it imports av

    video = write_video(tmp_path / "in.mp4", moving(COUNT), tracks=1)
    with av.open(str(video)) as source, av.open(str(tmp_path / "out.mp4"), "w") as target:
        packets = [packet for packet in source.demux(audio=0) if packet.size]
        track = Copied(target, target.add_stream_from_template(source.streams.audio[0]))
        for number in (0, 1, 2, 1, 2, 3):
            track.write(packets[number])
        track.finish()
    with av.open(str(tmp_path / "out.mp4")) as written:
        assert [bytes(one) for one in written.demux(audio=0) if one.size] == [bytes(one) for one in packets[:4]]
