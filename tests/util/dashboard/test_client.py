"""The client against servers that misbehave: it never waits for long, and says in one sentence what is wrong."""

import hashlib
import json
import logging
import socket
import threading
from collections.abc import Callable

import pytest

from tests.util.dashboard.fake_visdom import FakeVisdom, fake_visdom
from util.dashboard.address import Address, parse_address

pytest.importorskip("visdom")

import requests

from util.dashboard import client as module
from util.dashboard.client import Client

TEXT = {"data": [{"type": "text", "content": "马 🐎 é <b>"}]}
LOGIN = ("VISDOM_USERNAME", "VISDOM_PASSWORD")
PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*LOGIN, *PROXIES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module, "TIMEOUT", (5.0, 5.0))


def client_of(server: FakeVisdom, env: str = "run", path: str = "") -> Client:
    return Client(Address("http://localhost", server.port, path), env)


def show(client: Client, window: str = "w") -> None:
    client.show(window, TEXT, title="a title", size=(40, 30))


def test_a_window_arrives_whole_in_its_environment() -> None:
    with fake_visdom() as server:
        client = client_of(server, "马-🐎")
        client.open_environment()
        show(client)
        assert client.has_window("w")
        assert not client.has_window("other")
        options = {"title": "a title", "width": 40, "height": 30}
        assert server.windows == {"w": {"eid": "马-🐎", "win": "w", "opts": options, **TEXT}}
        assert server.asked[0].path == "/env/马-🐎"
        client.append("w", TEXT)
        assert len(server.windows["w"]["data"]) == 2
        client.keep()
        assert server.asked[-1].message["data"] == ["马-🐎"]
        client.remove("w")
        client.remove("w")
        assert server.windows == {}


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, "oops", "it answers 500"),
        (400, "", "it asks for a login; set VISDOM_USERNAME and VISDOM_PASSWORD"),
        (200, "<html><title>Welcome to nginx!</title></html>", "what answers there is not a Visdom server"),
        (200, "", "what answers there is not a Visdom server"),
    ],
)
def test_an_answer_that_visdom_would_not_give_is_refused(
    status: int, body: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with fake_visdom(status, body) as server, pytest.raises(ConnectionError) as error:
        client_of(server).open_environment()
    assert str(error.value) == reason
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("answer", ["", "other", "w\n", "win does not exist", "<html></html>", "true"])
def test_only_the_name_of_the_window_is_success(answer: str) -> None:
    with fake_visdom(200, answer) as server:
        for call in (show, lambda client: client.append("w", TEXT)):
            with pytest.raises(ConnectionError, match="^it did not accept window w$"):
                call(client_of(server))


def test_a_window_that_the_server_has_lost_is_named() -> None:
    with fake_visdom(200, "") as server, pytest.raises(ConnectionError, match="does not know window w"):
        client_of(server).fill("w", [])


@pytest.mark.parametrize("answer", ["[]", '["other"]', "", "<html></html>", "null", "1"])
def test_an_environment_that_was_not_saved_is_said(answer: str) -> None:
    with fake_visdom(200, answer) as server, pytest.raises(ConnectionError, match="the server did not save run"):
        client_of(server).keep()


@pytest.mark.parametrize("login", ["", "x"])
def test_nothing_answers(login: str, free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LOGIN:
        monkeypatch.setenv(name, login)
    with pytest.raises(ConnectionError, match="^nothing answers there$"):
        Client(Address("http://localhost", free_port), "run").open_environment()


def test_a_server_without_https_is_not_said_to_be_absent() -> None:
    with fake_visdom() as server, pytest.raises(ConnectionError) as error:
        Client(Address("https://localhost", server.port), "run").open_environment()
    assert "https" in str(error.value)
    assert server.asked == []


@pytest.mark.parametrize("login", [False, True])
def test_a_server_that_hangs_is_left_and_used_again_once_it_answers(
    login: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in LOGIN if login else ():
        monkeypatch.setenv(name, "x")
    monkeypatch.setattr(module, "TIMEOUT", (0.1, 0.1))
    with fake_visdom(hangs=True) as server:
        client = client_of(server)
        for attempt in (1, 2):
            with pytest.raises(ConnectionError, match="^it does not answer in time$"):
                client.open_environment()
            assert (len(server.asked), server.answered) == (attempt, 0)
        server.behave()
        monkeypatch.setattr(module, "TIMEOUT", (5.0, 5.0))
        client.open_environment()  # the late answers to the first attempts are not taken for those of this one
        show(client)
        assert server.windows.keys() == {"w"}


def test_an_answer_that_stops_half_way_is_a_connection_error() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ntru")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises(ConnectionError):
            Client(Address("http://localhost", listener.getsockname()[1]), "run").has_window("w")
        thread.join(5)


def test_base_url_and_scheme_are_part_of_every_address(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = []

    def post(_: object, address: str, **__: object) -> None:
        addresses.append(address)
        raise requests.ConnectionError

    monkeypatch.setattr(requests.Session, "post", post)
    client = Client(parse_address("https://gpu.example.org/vis/dom/", 8443), "run")
    calls: list[Callable[[], object]]
    calls = [lambda: client.has_window("w"), lambda: show(client), lambda: client.append("w", TEXT)]
    calls += [lambda: client.remove("w"), client.keep, client.open_environment]
    for call in calls:
        with pytest.raises(ConnectionError):
            call()
    endpoints = ("win_exists", "events", "update", "close", "save", "env/run")
    assert addresses == [f"https://gpu.example.org:8443/vis/dom/{endpoint}" for endpoint in endpoints]


def test_the_login_is_posted_under_the_base_url_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISDOM_USERNAME", "mé")
    monkeypatch.setenv("VISDOM_PASSWORD", "geheim ✓")
    with fake_visdom() as server:
        client_of(server, path="/visdom").open_environment()
        assert [asked.path for asked in server.asked] == ["/visdom", "/visdom/env/run", "/visdom/win_exists"]
        hashed = hashlib.sha256("geheim ✓".encode()).hexdigest()
        assert server.asked[0].message == {"username": "mé", "password": hashed}
        assert "geheim" not in json.dumps([asked.message for asked in server.asked], ensure_ascii=False)


@pytest.mark.parametrize("values", [{}, dict.fromkeys(LOGIN[:1], "x"), dict.fromkeys(LOGIN[1:], "x"), {LOGIN[0]: ""}])
def test_without_both_variables_there_is_no_login(values: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with fake_visdom() as server:
        client_of(server).open_environment()
        assert server.asked[0].path == "/env/run"


def test_a_wrong_password_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LOGIN:
        monkeypatch.setenv(name, "x")
    with fake_visdom(400) as server:
        with pytest.raises(ConnectionError, match="^it refuses VISDOM_USERNAME and VISDOM_PASSWORD$"):
            client_of(server).open_environment()
        assert len(server.asked) == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_proxy_is_not_for_this_machine(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_visdom() as server, fake_visdom() as proxy:
        for name in PROXIES[:-2]:
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        Client(Address(f"http://{host}", server.port), "run").open_environment()
        assert (len(server.asked), len(proxy.asked)) == (2, 0)


def test_a_proxy_is_used_for_other_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_visdom() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        Client(Address("http://gpu.invalid", 8097, "/vis"), "run").open_environment()
        assert proxy.asked[0].path == "http://gpu.invalid:8097/vis/env/run"


def test_a_proxy_that_is_not_there_is_named(free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port}")
    with pytest.raises(ConnectionError, match="^the proxy of HTTP_PROXY or HTTPS_PROXY"):
        Client(Address("http://gpu.invalid", 8097), "run").open_environment()


def test_the_log_holds_nothing_of_the_libraries(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with fake_visdom() as server:
        client = client_of(server)
        client.open_environment()
        show(client)
    assert caplog.messages == []
