"""TensorBoard is optional: what happens without it, and what the real one keeps."""

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from options.errors import UserError
from tests.util.sinks.events import NUMBERS, SHEET, scalars, tell_everything
from util.sinks.tensorboard import TensorBoardSink


def test_without_tensorboard_the_message_says_what_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UserError, match="pip install tensorboard"):
        TensorBoardSink(tmp_path)


def read_back(folder: Path) -> Any:
    """Return what TensorBoard shows of a folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    return events.Reload()


@pytest.fixture
def tensorboard_folder(tmp_path: Path) -> Path:
    pytest.importorskip("tensorboard")
    return tmp_path / "tensorboard"


def test_tensorboard_shows_everything_at_the_images_seen(tensorboard_folder: Path) -> None:
    sink = TensorBoardSink(tensorboard_folder)
    tell_everything(sink)
    sink.close()
    events = read_back(tensorboard_folder)
    found = {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    assert {tag: values for tag, [(_, values)] in found.items()} == pytest.approx(NUMBERS)
    assert {step for [(step, _)] in found.values() for step in [step]} == {400}
    shown = {tag: events.Images(tag) for tag in events.Tags()["images"]}
    assert set(shown) == {"real_A", "fake_B", "samples"}
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(shown["samples"][0].encoded_image_string))), SHEET)
    assert {event.step for [event] in shown.values()} == {400}


@pytest.mark.parametrize(("resume_at", "steps"), [(200, [100, 200, 300]), (400, [100, 200, 300, 400, 300]), (0, [300])])
def test_after_a_resume_tensorboard_shows_no_later_step_of_before(
    tensorboard_folder: Path, resume_at: int, steps: list[int]
) -> None:
    first = TensorBoardSink(tensorboard_folder)
    for number in range(1, 5):
        first.scalars(scalars(number))
    first.close()
    again = TensorBoardSink(tensorboard_folder, resume_at=resume_at)
    again.scalars(scalars(3))
    again.close()
    shown = read_back(tensorboard_folder)
    assert [event.step for event in shown.Scalars("loss/G_A")] == steps
    assert "memory" not in shown.Tags()["scalars"], "it is not known"
