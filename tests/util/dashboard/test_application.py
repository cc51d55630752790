"""The login, the base URL and the other repairs, on real servers."""

import json
import os

import pytest

from options.errors import UserError
from tests.util.dashboard.servers import Serve, post
from util.dashboard import application
from util.dashboard.application import normal_base_url

pytest.importorskip("visdom")

import requests


def test_only_who_knows_the_password_gets_in(serve: Serve, free_port: int) -> None:
    import visdom

    serve("--login", VISDOM_USERNAME="me", VISDOM_PASSWORD="secret")
    with pytest.raises(RuntimeError, match="Authentication failed"):
        visdom.Visdom(port=free_port, username="me", password="wrong", use_incoming_socket=False, raise_exceptions=True)
    client = visdom.Visdom(
        port=free_port, username="me", password="secret", use_incoming_socket=False, raise_exceptions=True
    )
    assert client.text("hello", win="w") == "w"
    assert client.win_exists("w") is True
    page = f"http://127.0.0.1:{free_port}/"
    assert "Visdom Login" in requests.get(page, timeout=5).text
    assert requests.get(f"{page}env/main", timeout=5).status_code == 400
    assert requests.post(f"{page}events", json={}, timeout=5).status_code == 400


@pytest.mark.parametrize("path", ["socket", "vis_socket"])
def test_a_web_socket_needs_the_login_too(serve: Serve, free_port: int, path: str) -> None:
    websocket = pytest.importorskip("websocket")
    serve("--login", VISDOM_USERNAME="me", VISDOM_PASSWORD="secret")
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        websocket.create_connection(f"ws://127.0.0.1:{free_port}/{path}", timeout=5)


def test_without_a_login_a_web_socket_is_open(serve: Serve, free_port: int) -> None:
    websocket = pytest.importorskip("websocket")
    serve()
    connection = websocket.create_connection(f"ws://127.0.0.1:{free_port}/socket", timeout=5)
    assert json.loads(connection.recv())["command"] == "register"
    connection.close()


def test_behind_a_proxy_everything_is_under_the_base_url(serve: Serve, free_port: int) -> None:
    serve("--base_url", "visdom/")
    page = f"http://127.0.0.1:{free_port}/visdom"
    for address in (page, f"{page}/", f"{page}/env/main"):
        answer = requests.get(address, timeout=5)
        assert answer.status_code == 200
        assert "/visdom/static/js/main.js" in answer.text
    assert requests.get(f"{page}/static/js/main.js", timeout=5).ok
    assert requests.get(f"http://127.0.0.1:{free_port}/env/main", timeout=5).status_code == 404
    assert post(free_port, "win_exists", {"eid": "main", "win": "w"}, base_url="/visdom") == "false"


@pytest.mark.parametrize(
    ("text", "normal"),
    [("", ""), ("/", ""), ("x", "/x"), ("/x/", "/x"), ("//x//y/", "/x/y"), ("/~me/a.b-c", "/~me/a.b-c")],
)
def test_the_base_url_is_what_visdom_wants(text: str, normal: str) -> None:
    assert normal_base_url(text) == normal


def test_a_user_without_a_name_gets_one(monkeypatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setenv("USER", "")
    monkeypatch.setattr("getpass.getuser", nameless)
    application._name_the_user()
    assert os.environ["USER"] == "visdom"


def test_a_login_that_is_not_set_is_a_mistake_of_the_user(monkeypatch) -> None:
    monkeypatch.setenv("VISDOM_USERNAME", "")
    monkeypatch.delenv("VISDOM_PASSWORD", raising=False)
    with pytest.raises(UserError, match="needs VISDOM_USERNAME and VISDOM_PASSWORD"):
        application.login_from_environment()


FOREIGN, OWN = "http://elsewhere.example", "http://127.0.0.1:{}"


@pytest.mark.parametrize(("origin", "status"), [(FOREIGN, 403), (OWN, 200), (None, 200)])
def test_a_page_of_another_site_is_refused(serve: Serve, free_port: int, origin: str | None, status: int) -> None:
    serve()
    headers = {"Origin": origin.format(free_port)} if origin else {}
    message = json.dumps({"eid": "main", "win": "w", "data": [{"type": "text", "content": "x"}]})
    answer = requests.post(f"http://127.0.0.1:{free_port}/events", data=message, headers=headers, timeout=5)
    assert answer.status_code == status
    assert (post(free_port, "win_exists", {"eid": "main", "win": "w"}) == "true") is (status == 200)


@pytest.mark.parametrize("path", ["socket", "vis_socket"])
def test_a_web_socket_of_another_site_is_refused(serve: Serve, free_port: int, path: str) -> None:
    websocket = pytest.importorskip("websocket")
    serve()
    address = f"ws://127.0.0.1:{free_port}/{path}"
    websocket.create_connection(address, timeout=5, origin=OWN.format(free_port)).close()
    with pytest.raises(websocket.WebSocketBadStatusException) as refusal:
        websocket.create_connection(address, timeout=5, origin=FOREIGN)
    assert refusal.value.status_code == 403


@pytest.mark.parametrize("name", ["../victim", "a/b", "a\\b", ".."])
def test_an_environment_cannot_lie_outside_the_folder(serve: Serve, free_port: int, name: str) -> None:
    serve()
    answer = requests.post(f"http://127.0.0.1:{free_port}/env/x", json={"eid": name}, timeout=5)
    assert answer.status_code == 403
    assert name not in json.loads(post(free_port, "env_state", {}))
