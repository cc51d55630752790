"""How a program ends when something outside it is wrong."""

import errno
import logging

import pytest

from options.errors import UserError
from util.run import entry_point


@pytest.fixture(autouse=True)
def _restored_log() -> object:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (UserError("--x is wrong; use --y"), 2, "train.py: error: --x is wrong; use --y"),
        (
            OSError(errno.ENOSPC, "No space left on device", "a.png"),
            2,
            "train.py: error: No space left on device (a.png); make room",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "b"),
            2,
            "train.py: error: Permission denied (b); choose another place",
        ),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset"), 2, "train.py: error: Connection reset"),
        (KeyboardInterrupt(), 130, "train.py: stopped"),
    ],
)
def test_it_ends_in_one_sentence(
    error: BaseException, code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop, entry_point("train.py"):
        raise error
    assert stop.value.code == code
    assert capsys.readouterr().err.strip() == sentence


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), entry_point("train.py"):
        _ = 1 / 0
