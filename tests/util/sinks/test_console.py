import logging

import pytest

from tests.util.sinks.events import scalars
from util.progress import Progress
from util.sinks.console import ConsoleSink


def test_losses_are_logged_in_the_line_of_the_official_code(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        ConsoleSink(total_epochs=2).scalars(scalars(1, D_A=0.064, G_A=0.623))
    assert caplog.messages == ["(epoch: 1, iters: 100, time: 0.311, data: 0.000) D_A: 0.064 G_A: 0.623 "]


def test_the_bar_starts_where_a_resumed_run_does_and_is_new_in_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    sink = ConsoleSink(total_epochs=3)
    progress = Progress(epoch=2, images_seen=14, seen_in_epoch=4, epoch_size=10)
    progress.advance(2)
    sink.step(progress, 2)
    assert (first := sink._bar)
    assert (first.initial, first.n, first.total, first.desc) == (4, 6, 10, "epoch 2/3")
    assert "left" in first.postfix
    progress.next_epoch()
    progress.advance(2)
    sink.step(progress, 2)
    assert sink._bar
    assert sink._bar is not first
    assert (sink._bar.initial, sink._bar.n) == (0, 2)
    sink.close()


def test_there_is_no_bar_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    sink = ConsoleSink(total_epochs=1)
    sink.step(Progress(epoch_size=10, seen_in_epoch=1, images_seen=1), 1)
    sink.close()
    assert capsys.readouterr().err == ""
