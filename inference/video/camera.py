"""A camera, an address that sends images, or a video in the place of one: always the newest frame."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
from av.container import InputContainer

from inference.video.colors import colors_of, to_levels
from inference.video.decoding import Decoder
from inference.video.reading import images_of, quarter_turns
from inference.video.threads import Newest
from options.errors import UserError
from util.raster.kinds import Levels

TIMEOUT = 10.0  # seconds in which an address must answer
HINT = "give 0 for the first camera, a device such as /dev/video1, or an address such as rtsp://..."


class Shot(NamedTuple):
    """A frame as the camera gave it.

    Attributes:
        at: when it came, seconds of ``time.monotonic``.
    """

    frame: "av.VideoFrame"
    at: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, upright."""
        size = (self.frame.width, self.frame.height)
        return size[::-1] if quarter_turns(self.frame) % 2 else size

    def levels(self, size: tuple[int, int], *, deep: bool) -> Levels:
        """Return it as H x W x 3, upright, of uint8, or uint16 if ``deep``; one of another size is scaled."""
        turn = quarter_turns(self.frame)
        stored = size[::-1] if turn % 2 else size
        return to_levels(self.frame, colors_of(self.frame), deep=deep, size=stored, turn=turn)


@contextmanager
def opened_camera(camera: str) -> Iterator[Newest[Shot]]:
    """Follow a camera in a thread.

    Raises:
        UserError: it cannot be opened, or shows no images.
    """
    container = _open(camera)
    decoder = Decoder(container, images_of(container, f"the camera {camera}"))
    newest, stop = Newest[Shot](), threading.Event()
    thread = threading.Thread(target=_follow, args=(decoder, newest, stop), name="camera", daemon=True)
    thread.start()
    try:
        yield newest
    finally:
        stop.set()
        thread.join(TIMEOUT)  # one that hangs in its device is left behind


def place_of(camera: str, platform: str = sys.platform) -> tuple[str, str, dict[str, str]]:
    """Return what FFmpeg calls a camera: its name, its kind (empty: by the name) and options.

    Args:
        camera: a number, a device, an address or a video.
        platform: as ``sys.platform`` names it.
    """
    if "://" in camera:
        return camera, "", {"rtsp_transport": "tcp"} if camera.startswith("rtsp") else {}
    if Path(camera).is_file():
        return camera, "", {}
    if platform == "darwin":
        return camera, "avfoundation", {"framerate": "30"}
    if platform == "win32":
        return f"video={_windows_name(int(camera)) if camera.isdigit() else camera}", "dshow", {}
    return f"/dev/video{camera}" if camera.isdigit() else camera, "v4l2", {}


def _open(camera: str) -> InputContainer:
    name, kind, options = place_of(camera)
    try:
        timeout = None if kind else TIMEOUT
        opened: InputContainer = av.open(name, format=kind or None, options=options, timeout=timeout)
    except (av.FFmpegError, ValueError) as error:  # the latter: this FFmpeg has no such devices
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"the camera {camera} ({name}) cannot be opened ({reason}); {HINT}") from error
    return opened


def _windows_name(number: int) -> str:
    """Return the name of a camera by its number; Windows knows only names."""
    listing: Any = getattr(av, "enumerate_input_devices", None)  # new in PyAV 17
    devices = listing("dshow") if listing else []
    names = [device.description for device in devices if "video" in device.media_types]
    if number >= len(names):
        raise UserError(f"there is no camera {number} ({', '.join(names) or 'none is known'}); give its name")
    return str(names[number])


def _follow(decoder: Decoder, newest: Newest[Shot], stop: threading.Event) -> None:
    """Hand on every frame as it comes; those of a video, which has a length, as its times say."""
    error: BaseException | None = None
    began = time.monotonic()
    try:
        with decoder.container:  # no other thread may close it while this one reads
            for _, frame in decoder.decode():
                if frame is None or stop.is_set():
                    break
                if decoder.length:
                    unit = frame.time_base or Fraction(1)
                    due = float(((frame.pts or 0) - decoder.begin(unit)) * unit)
                    stop.wait(max(0.0, due - (time.monotonic() - began)))
                newest.put(Shot(frame, time.monotonic()))
    except BaseException as caught:  # noqa: BLE001  # handed to the main thread
        error = caught
    newest.end(error)
