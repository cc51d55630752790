import logging

from tests.util.sinks.events import scalars
from util.progress import Progress
from util.sinks.console import BarSafeHandler, ConsoleSink, loss_line


def test_the_line_is_that_of_the_official_code() -> None:
    event = scalars(1, D_A=0.064, G_A=0.623)
    assert loss_line(event) == "(epoch: 1, iters: 100, time: 0.311, data: 0.000) D_A: 0.064 G_A: 0.623 "


def test_losses_are_logged(caplog) -> None:
    with caplog.at_level(logging.INFO):
        ConsoleSink(total_epochs=2).scalars(scalars(1, G=1.0))
    assert caplog.messages == ["(epoch: 1, iters: 100, time: 0.311, data: 0.000) G: 1.000 "]


def test_the_bar_starts_where_a_resumed_run_does_and_is_new_in_each_epoch(monkeypatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    sink = ConsoleSink(total_epochs=3)
    progress = Progress(epoch=2, images_seen=14, seen_in_epoch=4, epoch_size=10)
    progress.advance(2)
    sink.step(progress, 2)
    first = sink._bar
    assert (first.initial, first.n, first.total, first.desc) == (4, 6, 10, "epoch 2/3")
    assert "left" in first.postfix
    progress.next_epoch()
    progress.advance(2)
    sink.step(progress, 2)
    assert sink._bar is not first
    assert (sink._bar.initial, sink._bar.n) == (0, 2)
    sink.close()


def test_there_is_no_bar_without_a_terminal(capsys) -> None:
    sink = ConsoleSink(total_epochs=1)
    sink.step(Progress(epoch_size=10, seen_in_epoch=1, images_seen=1), 1)
    sink.close()
    assert capsys.readouterr().err == ""


def test_the_handler_writes_to_standard_output(capsys) -> None:
    BarSafeHandler().emit(logging.makeLogRecord({"msg": "%d%% done", "args": (5,)}))
    assert capsys.readouterr().out == "5% done\n"
