"""The dashboard's sink and the kinds of servers: with a login, behind a path, shared, and one of its own."""

import pytest

from tests.util.dashboard.servers import Serve
from tests.util.dashboard.sinks_under_test import ALL, make_sink, points, tell, warnings, windows
from tests.util.sinks.events import images, samples, scalars
from util.dashboard.windows import Layout

pytest.importorskip("visdom")
pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize("password", ["secret", "wrong", None])
def test_a_login_is_needed_where_one_is_asked_for(
    serve: Serve,
    free_port: int,
    password: str | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    serve("--login", "--base_url", "/visdom", VISDOM_USERNAME="me", VISDOM_PASSWORD="secret")
    monkeypatch.setenv("VISDOM_USERNAME", "me")
    monkeypatch.delenv("VISDOM_PASSWORD", raising=False)
    if password:
        monkeypatch.setenv("VISDOM_PASSWORD", password)
    sink = make_sink(free_port, server="localhost/visdom")
    tell(sink, 1)
    sink.close()
    saved = f"Visdom dashboard saved: http://localhost:{free_port}/visdom/env/run"
    reasons = {"secret": saved, "wrong": "(it refuses VISDOM_USERNAME and VISDOM_PASSWORD)", None: "(it asks for a l"}
    assert reasons[password] in caplog.messages[-1]
    assert len(warnings(caplog)) == (password != "secret")


def test_a_login_that_nobody_asks_for_does_no_harm(
    serve: Serve, free_port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("VISDOM_USERNAME", "me")
    monkeypatch.setenv("VISDOM_PASSWORD", "secret")
    serve()
    make_sink(free_port, before=[scalars(1)]).close()
    assert "1-gan" in windows(free_port)
    assert warnings(caplog) == []


def test_two_runs_share_an_environment_without_touching_each_other(
    serve: Serve, free_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    serve()
    first = make_sink(free_port, env="both", name="one", layout=Layout(1, "one: ", 4))
    second = make_sink(free_port, env="both", name="two", layout=Layout(20, "two: ", 0))
    tell(first, 1)
    tell(first, 2)
    second.scalars(scalars(4, G_A=2.0))
    second.images(images())
    second.samples(samples())
    second.close()
    first.close()
    shown = windows(free_port, "both")
    others = {
        f"20-{name}"
        for name in ("status", "gan", "speed", "waiting", "rate", "samples", "current-real_A", "current-fake_B")
    }
    assert set(shown) == ALL | others
    assert points(free_port, env="both") == [0.25, 0.5]
    assert points(free_port, "20-gan", env="both") == [1.0]
    assert {title for window, title in ((w["id"], w["title"]) for w in shown.values()) if window == "20-gan"} == {
        "two: Losses"
    }
    assert shown["1-gan"]["title"] == "one: GAN losses"
    assert warnings(caplog) == []
