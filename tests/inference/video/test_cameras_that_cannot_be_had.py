"""Cameras, ports and recordings that cannot be had, and what each system calls a camera."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from inference.video import VideoSettings, watch_camera
from options.errors import UserError
from tests.inference.video.videos import av, moving, run_of, write_video


@pytest.fixture
def camera(tmp_path: Path) -> Path:
    """A video of two frames."""
    return write_video(tmp_path / "camera.mp4", moving(2))


class TestRefusals:
    @pytest.mark.parametrize("camera", ["987", "/dev/null", "http://127.0.0.1:9/none"])
    def test_what_cannot_be_opened(self, camera: str) -> None:
        with pytest.raises(UserError, match="cannot be opened .*; give 0 for the first camera, a device such as"):
            watch_camera(run_of(), camera, VideoSettings(), port=0)

    @pytest.mark.parametrize("frames", [[([], None)], None])
    def test_one_that_shows_nothing_or_fails(
        self, frames: list[Any] | None, camera: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("inference.video.decoding.Decoder.decode", lambda decoder: frames)
        kind, words = (UserError, "camera.mp4 shows no images") if frames else (TypeError, "not iterable")
        with pytest.raises(kind, match=words):
            watch_camera(run_of(), str(camera), VideoSettings(), port=0)

    def test_a_port_that_is_taken(self, camera: Path) -> None:
        messages: list[str] = []

        def again(address: str) -> None:
            with pytest.raises(UserError) as caught:
                watch_camera(run_of(), str(camera), VideoSettings(), port=int(address.rpartition(":")[2]))
            messages.append(str(caught.value))

        watch_camera(run_of(), str(camera), VideoSettings(), port=0, opened=again)
        assert "cannot be had" in messages[0]
        assert "pass another one, such as --port 8099" in messages[0]

    def test_a_recording_that_is_no_video(self, camera: Path, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"out.png cannot be written; videos end in .mp4"):
            watch_camera(run_of(), str(camera), VideoSettings(), record=tmp_path / "out.png", port=0)

    def test_without_pyav(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(UserError, match="pip install av"):
            watch_camera(run_of(), "0", VideoSettings())


@pytest.mark.parametrize(
    ("camera", "platform", "place"),
    [
        ("0", "linux", ("/dev/video0", "v4l2")),
        ("/dev/video3", "linux", ("/dev/video3", "v4l2")),
        ("1", "darwin", ("1", "avfoundation")),
        ("USB Camera", "win32", ("video=USB Camera", "dshow")),
        ("rtsp://host/one", "win32", ("rtsp://host/one", "")),
        ("http://host/one", "linux", ("http://host/one", "")),
    ],
)
def test_where_each_system_has_its_cameras(camera: str, platform: str, place: tuple[str, str]) -> None:
    from inference.video.camera import place_of  # it imports av

    assert place_of(camera, platform)[:2] == place


def test_a_number_on_windows_is_looked_up_in_the_list_of_names(monkeypatch: pytest.MonkeyPatch) -> None:
    from inference.video.camera import place_of

    monkeypatch.setattr(av, "enumerate_input_devices", lambda kind: [], raising=False)
    with pytest.raises(UserError, match="there is no camera 0 .none is known.; give its name"):
        place_of("0", "win32")
    devices = [SimpleNamespace(description=f"{kind} one", media_types=[kind]) for kind in ("audio", "video")]
    monkeypatch.setattr(av, "enumerate_input_devices", lambda kind: devices, raising=False)
    assert place_of("0", "win32")[0] == "video=video one"
