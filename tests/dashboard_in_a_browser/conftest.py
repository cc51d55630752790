"""A browser, trainings that can be held, and servers."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import Page, browser
from tests.dashboard_in_a_browser.pages import OpenWindows, Serve, words
from tests.nursery import Nursery
from tests.util.dashboard.servers import kill
from util.dashboard.address import Address
from util.dashboard.server import BackgroundServer, start_background
from util.dashboard.windows import Windows


@pytest.fixture(scope="package")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("browser") / "profile") as opened:
        yield opened


@pytest.fixture(scope="module")
def unseen(place: Nursery) -> Path:
    """The folder of a run of two epochs that was trained without a server."""
    assert place.run(words("unseen", "--display_id 0 --n_epochs 2")).code == 0
    return place.folder / "checkpoints" / "unseen"


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def serve(port: int, tmp_path: Path) -> Iterator[Serve]:
    """Start a server at ``port`` that knows nothing; all of them end with the test."""
    started: list[BackgroundServer] = []

    def start() -> BackgroundServer:
        started.append(start_background(port, env_path=tmp_path / f"envs{len(started)}"))
        return started[-1]

    yield start
    for server in started:
        kill(server)


@pytest.fixture
def windows(port: int, serve: Serve) -> OpenWindows:
    """Return the windows of a run in the environment ``main`` of a new server."""
    from util.dashboard.client import Client

    serve()
    client = Client(Address("http://localhost", port), "main")
    client.open_environment()
    return lambda info, layout: Windows(client, info, layout)
