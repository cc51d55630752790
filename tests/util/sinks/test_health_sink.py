"""Health signals in the log: each kind once."""

import logging

import pytest

from tests.util.curves.test_health import NAN, WON, fed, report, reports, varieties
from util.curves.health import Health
from util.sinks.health import HealthSink


def test_the_log_gets_each_kind_once_and_a_new_kind_as_well(caplog: pytest.LogCaptureFixture) -> None:
    sink = HealthSink(Health(num_threads=4))
    for event in reports(100, accuracies=WON):
        sink.scalars(event)
    assert [(record.levelno, record.getMessage()[:9]) for record in caplog.records] == [(logging.WARNING, "D has won")]
    for measured in varieties(0.0, 0.0, 0.0):
        sink.scores(measured)
    for event in reports(4, start=10_000, accuracies=WON):
        sink.scalars(event)
    assert [message[:10] for message in caplog.messages] == ["D has won:", "G's output"]


def test_the_log_does_not_repeat_what_an_earlier_process_said(caplog: pytest.LogCaptureFixture) -> None:
    sink = HealthSink(fed(reports(30, accuracies=WON)))
    for event in reports(10, start=3000, accuracies=WON):
        sink.scalars(event)
    assert caplog.messages == []
    sink.scalars(report(4300, losses={"G": NAN}, accuracies=WON))
    assert [message[:9] for message in caplog.messages] == ["no number"]
