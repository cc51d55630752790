from pathlib import Path

import pytest


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """The folder of the page, not there yet."""
    return tmp_path / "web"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the sink reads, to be changed."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> list[int]:
    """Grows with every drawing of the curves."""
    count: list[int] = []

    def draw(*_: object) -> dict[str, str]:
        count.append(1)
        return {}

    monkeypatch.setattr("util.sinks.html.loss_charts", draw)
    return count
