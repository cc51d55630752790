"""The addresses for programs."""

import io
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from inference import load
from tests.images import an_image
from tests.inference.app.conftest import BYTES, PIXELS, Serve, Served
from util.raster.reading import read_raster
from util.raster.writing import encode_png

IMAGE = np.array(an_image(3))


def png(levels: Any = IMAGE) -> bytes:
    out = io.BytesIO()
    Image.fromarray(levels).save(out, "PNG")
    return out.getvalue()


def tiff(levels: Any) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, levels, photometric="rgb")
    return out.getvalue()


def npy(levels: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, levels)
    return out.getvalue()


def post(page: Served, query: str, data: bytes | None = None, **headers: str) -> Any:
    return page.client.post(f"/translate?{query}", content=png() if data is None else data, headers=headers)


def test_the_runs_are_listed_with_their_directions(page: Served) -> None:
    assert page.client.get("/runs").json() == [
        {"run": "cg", "directions": ["AtoB", "BtoA"], "load_size": 24},
        {"run": "p2p", "directions": ["BtoA"], "load_size": 40},
    ]


@pytest.mark.parametrize(
    ("query", "run", "direction", "load_size"),
    [
        ("run=cg", "cg", "AtoB", 0),
        ("run=cg&direction=BtoA", "cg", "BtoA", 0),
        ("run=p2p&load_size=40", "p2p", "BtoA", 40),
    ],
)
def test_an_image_is_translated_as_by_load(
    query: str, run: str, direction: str, load_size: int, page: Served, runs_place: Path
) -> None:
    answer = post(page, query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    wanted = load(runs_place / run, device="cpu", precision="fp32")(IMAGE, direction, load_size=load_size)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content))), wanted)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (encode_png(IMAGE.astype(np.uint16) * 257), "image/png"),
        (tiff(IMAGE.astype(np.float32) / 255), "image/tiff"),
        (npy(IMAGE.astype(np.float32) / 255), "application/octet-stream"),
        (png(np.dstack([IMAGE, IMAGE[:, :, :1]])), "image/png"),
    ],
)
def test_size_and_depth_stay(data: bytes, kind: str, page: Served) -> None:
    answer = post(page, "run=cg", data)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    given, made = (read_raster("x.npy", part) for part in (data, answer.content))
    assert (made.levels.shape, made.levels.dtype, made.color) == (given.levels.shape, given.levels.dtype, given.color)


def test_nothing_of_a_request_stays(page: Served) -> None:
    def left() -> list[Path]:
        return [path for path in page.service.store.folder.rglob("*") if path.is_file()]

    before = left()
    assert post(page, "run=cg").status_code == 200
    assert post(page, "run=cg", b"no image").status_code == 415
    assert left() == before


@pytest.mark.parametrize(
    ("query", "data", "status", "words"),
    [
        ("run=nope", None, 404, "there is no run 'nope'; there are: cg, p2p"),
        ("", None, 404, "the name of a run is missing; there are: cg, p2p"),
        ("run=p2p&direction=AtoB", None, 400, "p2p translates BtoA, not 'AtoB'"),
        ("run=cg&load_size=-1", None, 400, "load_size='-1' is no number of pixels"),
        ("run=cg&loadsize=64", None, 400, "unknown parameter 'loadsize'; there are: run, direction, load_size"),
        ("run=cg&load_size=99999", None, 413, "would have more than 10,000 pixels"),
        ("run=cg", png(np.zeros((120, 120), np.uint8)), 413, "120 x 120 pixels; at most 10,000 are translated here"),
        ("run=cg", bytes(BYTES + 1), 413, "at most 100,000 bytes are taken here"),
        ("run=cg", b"hello", 415, "it is no JPEG, PNG"),
        ("run=cg", b"", 415, "there is no image; send its bytes as the body, as curl --data-binary"),
        ("run=cg", npy(np.zeros((9, 9, 7), np.uint8)), 400, "has 7 channels, but the run takes 3"),
    ],
)
def test_each_refusal_is_a_sentence_with_a_status(
    query: str, data: bytes | None, status: int, words: str, page: Served
) -> None:
    answer = post(page, query, data)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert words in answer.json()["error"]
    assert post(page, "run=cg").status_code == 200


def test_a_body_of_untold_length_is_counted(page: Served) -> None:
    assert PIXELS * 3 < BYTES
    answer = page.client.post("/translate?run=cg", content=iter([bytes(BYTES // 2)] * 3))
    assert answer.status_code == 413
    assert "at most 100,000 bytes" in answer.json()["error"]


def test_a_form_is_refused_with_advice(page: Served) -> None:
    answer = page.client.post("/translate?run=cg", files={"file": ("a.png", png())})
    assert answer.status_code == 415
    assert "curl --data-binary @" in answer.json()["error"]


def test_where_there_is_one_run_it_need_not_be_named(serve: Serve) -> None:
    with serve("p2p") as page:
        assert post(page, "").status_code == 200
        assert post(page, "run=cg").status_code == 404


def test_ten_at_once_have_their_turns_and_too_many_are_sent_away(serve: Serve) -> None:
    began, go = threading.Event(), threading.Event()

    def hold() -> None:
        began.set()
        assert go.wait(30)

    with serve("--max_waiting", "10") as page:
        wanted = post(page, "run=cg").content
        page.service.queue.submit(hold)
        assert began.wait(10)
        answers: list[Any] = []
        visitors = [threading.Thread(target=lambda: answers.append(post(page, "run=cg"))) for _ in range(10)]
        for visitor in visitors:
            visitor.start()
        deadline = time.monotonic() + 30
        while page.service.queue.waiting < 10:
            assert time.monotonic() < deadline
        refused = post(page, "run=cg")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
        assert refused.json() == {"error": "10 others are waiting already; try again in a minute"}
        go.set()
        for visitor in visitors:
            visitor.join(60)
        assert [(answer.status_code, answer.content == wanted) for answer in answers] == [(200, True)] * 10


def test_a_failure_is_told_without_its_details(page: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret path /home/me")

    monkeypatch.setattr(page.service.runs, "translator", fail)
    answer = post(page, "run=cg")
    assert (answer.status_code, answer.json()) == (
        500,
        {"error": "that did not work; the log of this program says why"},
    )


def test_damaged_weights_are_told_without_their_place(serve: Serve, runs_place: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    for path in (runs_place / "p2p").iterdir():
        if path.is_file():
            (tmp_path / "bad" / path.name).write_bytes(path.read_bytes()[:3000])
    with serve(place=tmp_path) as page:
        answer = post(page, "run=bad")
    assert answer.status_code == 500
    assert answer.json() == {"error": "bad cannot be loaded; the log of this program says why"}
