"""A camera, for which a video stands in: the page, its stream, the recording, and how it ends."""

import _thread
import io
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inference.video import VideoSettings, watch_camera
from inference.video.threads import Newest
from tests.conftest import RunCli
from tests.inference.video.videos import SIZE, Negative, distance, moving, read_video, run_of, write_video
from tests.serving import serving

LONGEST = 20  # seconds that anything may take


@pytest.fixture
def camera(tmp_path: Path, keyboard: None) -> Path:
    """A video of a minute; whoever looks at it presses Ctrl-C."""
    return write_video(tmp_path / "camera.mp4", moving(60), rate=Fraction(20), times=list(range(0, 1200, 20)))


class Visitors:
    """Look at the page in threads of their own; Ctrl-C is pressed when all have looked."""

    def __init__(self, *looks: Callable[[str], Any]) -> None:
        self._looks = looks
        self._found: list[Any] = []
        self._all = threading.Thread(target=self._run)

    def __call__(self, address: str) -> None:
        self._address = address
        self._all.start()

    def found(self) -> list[Any]:
        """Return what they have found, in their order."""
        self._all.join(LONGEST)
        return self._found

    def _run(self) -> None:
        try:
            with ThreadPoolExecutor(len(self._looks)) as threads:
                self._found = list(threads.map(lambda look: look(self._address), self._looks))
        finally:
            _thread.interrupt_main()


def opened(address: str, path: str, **headers: str) -> HTTPResponse:
    answer = urllib.request.urlopen(urllib.request.Request(address + path, headers=headers), timeout=LONGEST)
    assert isinstance(answer, HTTPResponse)
    return answer


def images(address: str, count: int = 2) -> list[Image.Image]:
    """Read some images of the stream."""
    with opened(address, "/stream") as stream:
        assert stream.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=image"
        return [next_image(stream) for _ in range(count)]


def next_image(stream: HTTPResponse) -> Image.Image:
    lines = [stream.readline() for _ in range(4)]
    assert (lines[0], lines[1], lines[3]) == (b"--image\r\n", b"Content-Type: image/jpeg\r\n", b"\r\n")
    image = stream.read(int(lines[2].removeprefix(b"Content-Length: ")))
    assert stream.read(2) == b"\r\n"
    return Image.open(io.BytesIO(image)).convert("RGB")


def test_the_command_watches_and_records(cycle: Path, run_cli: RunCli, free_port: int, tmp_path: Path) -> None:
    camera = write_video(tmp_path / "camera.mp4", moving(2))
    done = run_cli("translate", [cycle, "--camera", camera, "-o", "seen.mkv", "--port", free_port])
    assert f"look at http://127.0.0.1:{free_port} in a browser" in done.stdout
    assert done.stdout.endswith("frames translated; they are in seen.mkv\n")
    assert read_video(Path("seen.mkv")).pixels


def test_watchers_see_the_camera_and_its_translation_and_disturb_nobody(camera: Path) -> None:
    def leave_and_come_again(address: str) -> list[Image.Image]:
        return images(address, 1) + images(address)

    visitors = Visitors(images, images, leave_and_come_again)
    watch_camera(run_of(Negative()), str(camera), VideoSettings(), port=0, opened=visitors)
    found = visitors.found()
    assert [len(seen) for seen in found] == [2, 2, 3]
    for one in sum(found, []):
        assert one.size == (2 * SIZE[0], SIZE[1])
        left, right = np.asarray(one)[:, : SIZE[0]].astype(int), np.asarray(one)[:, SIZE[0] :].astype(int)
        assert np.abs(255 - left - right)[:, 4:-4].mean() < 6  # JPEG
        assert min(distance(left, frame) for frame in moving(60)) < 6


def test_a_stream_ends_with_the_camera(tmp_path: Path) -> None:
    camera = write_video(tmp_path / "camera.mp4", moving(2), rate=Fraction(1), times=[0, 2])
    reading: list[Future[bytes]] = []
    with ThreadPoolExecutor(1) as threads:

        def start(address: str) -> None:
            reading.append(threads.submit(lambda: opened(address, "/stream").read()))

        watch_camera(run_of(), str(camera), VideoSettings(), port=0, opened=start)
        stream = reading[0].result(LONGEST)
    assert stream.endswith(b"\r\n--image--\r\n")
    last = Image.open(io.BytesIO(stream.split(b"\r\n\r\n")[-1].removesuffix(b"\r\n--image--\r\n")))
    assert distance(np.asarray(last)[:, : SIZE[0]], moving(2)[1]) < 6


def test_the_page_and_its_state(camera: Path) -> None:
    def look(address: str) -> tuple[str, dict[str, float]]:
        images(address)
        return opened(address, "/").read().decode(), json.load(opened(address, "/state"))

    def refusal(address: str, path: str, **headers: str) -> int:
        with pytest.raises(urllib.error.HTTPError) as caught:
            opened(address, path, **headers)
        return caught.value.code

    visitors = Visitors(
        look,
        lambda address: refusal(address, "/etc/passwd"),
        lambda address: refusal(address, "/stream", Host="elsewhere.example:80"),
        lambda address: images(address.replace("127.0.0.1", "localhost")),
    )
    watch_camera(run_of(), str(camera), VideoSettings(), port=0, opened=visitors)
    (page, state), missing, foreign, local = visitors.found()
    assert '<img src="/stream"' in page
    assert (state["width"], state["height"]) == SIZE
    assert state["frames_per_second"] > 0
    assert (missing, foreign, len(local)) == (404, 403, 2)


def test_the_recording_has_the_times_of_the_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inference.video import camera as module  # it imports av

    taken: list[float] = []
    shot = module.Shot

    def note(frame: Any, at: float) -> Any:
        taken.append(at)
        return shot(frame, at)

    monkeypatch.setattr(module, "Shot", note)
    video = moving(12)
    camera = write_video(tmp_path / "camera.mp4", video, rate=Fraction(20))
    watch_camera(run_of(Negative()), str(camera), VideoSettings(), record=tmp_path / "out.mp4", port=0)
    after = read_video(tmp_path / "out.mp4")
    numbers = [int(np.argmin([distance(255 - shown, one) for one in video])) for shown in after.pixels]
    assert numbers == sorted(set(numbers))
    assert after.times == pytest.approx([taken[number] - taken[numbers[0]] for number in numbers], abs=0.002)
    assert taken[-1] - taken[0] > 0.1  # not as fast as it can be decoded


def test_ctrl_c_keeps_the_recording(camera: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    visitors = Visitors(images)
    watch_camera(run_of(), str(camera), VideoSettings(), record=tmp_path / "out.mp4", port=0, opened=visitors)
    assert len(visitors.found()[0]) == 2
    assert "stopped" in caplog.text
    assert len(read_video(tmp_path / "out.mp4").pixels) >= 2
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["camera.mp4", "out.mp4"]


def test_frames_that_come_while_the_network_computes_are_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = write_video(tmp_path / "camera.mp4", moving(12), rate=Fraction(1000))
    ended, end = threading.Event(), Newest.end

    def note(newest: Newest[Any], error: BaseException | None = None) -> None:
        end(newest, error)
        ended.set()

    monkeypatch.setattr(Newest, "end", note)
    shown: list[bool] = []
    network = Negative()
    network.register_forward_hook(lambda *step: shown.append(ended.wait(LONGEST)))
    watch_camera(run_of(network), str(camera), VideoSettings(), record=tmp_path / "out.mp4", port=0)
    assert 1 <= len(shown) <= 2  # the first that was there, and the last
    assert distance(255 - read_video(tmp_path / "out.mp4").pixels[-1], moving(12)[-1]) < 6


def test_an_address_in_the_place_of_a_camera(tmp_path: Path) -> None:
    video = write_video(tmp_path / "camera.ts", moving(12), rate=Fraction(20))
    with serving() as server:
        server.files["/camera.ts"] = video.read_bytes()
        watch_camera(run_of(), f"{server.url}/camera.ts", VideoSettings(), record=tmp_path / "out.mkv", port=0)
    assert len(read_video(tmp_path / "out.mkv").pixels) >= 1
