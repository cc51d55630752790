"""The login, the base URL and the other repairs, on real servers."""

import json
import os
from typing import Any

import pytest

from tests.util.dashboard.servers import Serve, post
from util.dashboard import application
from util.dashboard.application import normal_base_url

pytest.importorskip("visdom")

import requests


def test_only_who_knows_the_password_gets_in(serve: Serve, free_port: int) -> None:
    import visdom

    serve("--login", VISDOM_USERNAME="me", VISDOM_PASSWORD="secret")
    settings: dict[str, Any] = {"port": free_port, "use_incoming_socket": False, "raise_exceptions": True}
    wrong = settings | {"username": "me", "password": "wrong"}
    with pytest.raises(RuntimeError, match="Authentication failed"):
        visdom.Visdom(**wrong)
    right = settings | {"username": "me", "password": "secret"}
    client = visdom.Visdom(**right)
    assert client.text("hello", win="w") == "w"
    assert client.win_exists("w") is True
    page = f"http://127.0.0.1:{free_port}/"
    assert "Visdom Login" in requests.get(page, timeout=5).text
    assert requests.get(f"{page}env/main", timeout=5).status_code == 400
    assert requests.post(f"{page}events", json={}, timeout=5).status_code == 400
    websocket = pytest.importorskip("websocket")
    for path in ("socket", "vis_socket"):
        with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
            websocket.create_connection(f"ws://127.0.0.1:{free_port}/{path}", timeout=5)


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


def test_a_user_without_a_name_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setenv("USER", "")
    monkeypatch.setattr("getpass.getuser", nameless)
    application._name_the_user()
    assert os.environ["USER"] == "visdom"


def test_pages_and_web_sockets_of_another_site_are_refused(serve: Serve, free_port: int) -> None:
    websocket = pytest.importorskip("websocket")
    serve()
    foreign, own = "http://elsewhere.example", f"http://127.0.0.1:{free_port}"
    message = json.dumps({"eid": "main", "win": "w", "data": [{"type": "text", "content": "x"}]})
    for origin, status in ((foreign, 403), (own, 200), (None, 200)):
        headers = {"Origin": origin} if origin else {}
        assert requests.post(f"{own}/events", data=message, headers=headers, timeout=5).status_code == status
        assert (post(free_port, "win_exists", {"eid": "main", "win": "w"}) == "true") is (status == 200)
        post(free_port, "close", {"eid": "main", "win": "w"})
    for path in ("socket", "vis_socket"):
        address = f"ws://127.0.0.1:{free_port}/{path}"
        connection = websocket.create_connection(address, timeout=5, origin=own)
        assert json.loads(connection.recv())["command"] in ("register", "alive")
        connection.close()
        with pytest.raises(websocket.WebSocketBadStatusException) as refusal:
            websocket.create_connection(address, timeout=5, origin=foreign)
        assert refusal.value.status_code == 403


def test_an_environment_cannot_lie_outside_the_folder(serve: Serve, free_port: int) -> None:
    serve()
    for name in ("../victim", "a/b", "a\\b", ".."):
        answer = requests.post(f"http://127.0.0.1:{free_port}/env/x", json={"eid": name}, timeout=5)
        assert answer.status_code == 403
        assert name not in json.loads(post(free_port, "env_state", {}))
