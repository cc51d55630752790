"""Who and what is let in."""

import base64
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inference.app import guard
from inference.app.store import Store
from options.app import Login
from tests.inference.app.conftest import BYTES, Serve, Served, call, sent
from tests.inference.app.test_rest import png

LOGIN = Login("me", "se:cret ü")
OUTSIDE = ("/etc/passwd", "../../../../../../etc/passwd", "{runs}/cg/latest_net_G_A.pth", "{runs}/cg/train_opt.json")


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture(scope="module")
def locked(serve: Serve) -> Iterator[Served]:
    with serve(login=LOGIN) as page:
        yield page


class TestLogin:
    @pytest.mark.parametrize(
        "path", ["/", "/config", "/runs", "/assets/x.js", "/gradio_api/info", "/gradio_api/heartbeat/x", "/theme.css"]
    )
    def test_everything_asks_for_it(self, path: str, locked: Served) -> None:
        answer = locked.client.get(path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic ")
        assert answer.json() == {"error": "a user and a password are needed here"}

    def test_programs_and_the_page_are_let_in_with_it(self, locked: Served) -> None:
        assert locked.client.post("/translate?run=cg", content=png()).status_code == 401
        assert locked.client.post("/translate?run=cg", content=png(), headers=basic(*LOGIN)).status_code == 200
        assert "Translate images" in locked.client.get("/", headers=basic(*LOGIN)).text

    @pytest.mark.parametrize(
        "headers",
        [
            basic("me", "secret"),
            basic("me", ""),
            basic("you", LOGIN.password),
            {"Authorization": "Basic !!!"},
            {"Authorization": "Bearer x"},
            {"Authorization": ""},
        ],
    )
    def test_others_are_not(
        self, headers: dict[str, str], locked: Served, monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        monkeypatch.setattr(guard, "PATIENCE", 0)
        with caplog.at_level(logging.WARNING):
            assert locked.client.get("/runs", headers=headers).status_code == 401
        assert "a wrong user or password" in caplog.text


@pytest.mark.parametrize("path", OUTSIDE)
def test_files_outside_are_not_served(path: str, page: Served, runs_place: Path) -> None:
    place = path.format(runs=runs_place)
    for address in (f"/gradio_api/file={place}", f"/file={place}", f"/gradio_api/file/{place}", f"/static/{place}"):
        answer = page.client.get(address)
        assert answer.status_code in (403, 404), address
        assert b"root:" not in answer.content


@pytest.mark.parametrize(
    "path", [*OUTSIDE, "http://127.0.0.1/a.png", "https://huggingface.co/a.png", "file:///etc/passwd"]
)
def test_files_outside_cannot_be_named_as_images(path: str, page: Served, runs_place: Path) -> None:
    before = {file for file in page.service.store.folder.rglob("*") if file.is_file()}
    place = path.format(runs=runs_place)
    for data in (["cg", "AtoB", "own", True, sent(place), None], [sent(place), "AtoB", "own", True, None, None]):
        text = call(page, "translate", data)
        assert "event: error" in text
        assert "only files that were sent here can be used" in text or "send the image itself" in text
    assert "event: error" in call(page, "translate_all", ["cg", "AtoB", "own", [sent(place)]])
    assert {file for file in page.service.store.folder.rglob("*") if file.is_file()} == before


def test_a_path_without_gradios_mark_is_not_read_either(page: Served) -> None:
    assert "passwd is not here" in call(page, "translate", ["cg", "AtoB", "own", True, {"path": "/etc/passwd"}, None])


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/proxy=https://x.hf.space",
        "/gradio_api/file=http://example.com/a.png",
        "/gradio_api/deep_link",
        "/gradio_api/vibe-code",
        "/gradio_api/component_server",
        "/gradio_api/process_recording",
        "/gradio_api/dev/reload",
        "/monitoring",
        "/monitoring/summary",
        "/openapi.json",
        "/docs",
        "/login",
    ],
)
def test_what_gradio_offers_beside_the_page_is_closed(path: str, page: Served) -> None:
    answer = page.client.get(path)
    assert (answer.status_code, answer.json()) == (404, {"error": "there is nothing here"})


def test_websockets_are_closed(page: Served) -> None:
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect) as caught, page.client.websocket_connect("/gradio_api/queue/join"):
        pass
    assert caught.value.code == 1008


def test_pages_of_other_sites_are_refused(page: Served) -> None:
    for origin, status in (("http://evil.example", 403), ("null", 403), ("http://testserver", 200)):
        answer = page.client.post("/translate?run=cg", content=png(), headers={"Origin": origin})
        assert answer.status_code == status


def test_uploads_that_are_too_large_are_refused(page: Served) -> None:
    for size, status in ((BYTES - 1000, 200), (BYTES + 1, 413), (30 * BYTES, 413)):
        answer = page.client.post("/gradio_api/upload", files={"files": ("a.png", bytes(size))})
        assert answer.status_code == status
    assert page.client.post("/gradio_api/queue/join", content=bytes(guard.SMALL + 1)).status_code == 413


def test_what_was_sent_runs_no_scripts(page: Served) -> None:
    script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    (place,) = page.client.post("/gradio_api/upload", files={"files": ("../../a.svg", script)}).json()
    assert page.service.store.holds(place)
    answer = page.client.get(f"/gradio_api/file={place}")
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].endswith("sandbox")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_full_disk_is_told(page: Served, monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    monkeypatch.setattr(Store, "is_full", lambda store: True)
    with serve() as full:
        answer = full.client.post("/translate?run=cg", content=png())
        assert (answer.status_code, answer.json()["error"]) == (
            507,
            "the disk of this machine is full; try again later",
        )


def test_each_request_is_one_line_in_the_log(page: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        page.client.post("/translate?run=cg&direction=BtoA", content=png())
        page.client.post("/translate?run=no%0Asuch%0Arun", content=png())
        page.client.get("/gradio_api/file=/etc/passwd")
    lines = [line for line in caplog.messages if line.startswith("testclient ")]
    assert len(lines) == 3
    assert lines[0].startswith("testclient program cg BtoA 40x36: ")
    assert lines[0].endswith(" s")
    assert lines[1].startswith("testclient program no?such?run: refused: there is no run 'no\\nsuch\\nrun'")
    assert lines[2] == "testclient GET /gradio_api/file=/etc/passwd: 403"
    assert not any("\n" in line for line in lines)
