"""A page with small runs, served inside the test's process."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from inference import load
from inference.app.runs import Runs
from inference.app.service import Service
from inference.app.store import Store
from inference.app.uploads import Limits
from inference.app.work_queue import WorkQueue
from options.app import Login, parse_app
from tests.images import write_aligned, write_unaligned
from tests.optional import need
from tests.runs import make_run
from util.run_folder import image_path

PIXELS, BYTES = 10_000, 100_000
PAIRS = "--netG unet_32 --direction BtoA --load_size 40 --crop_size 32 --dataset_mode aligned"


class Served(NamedTuple):
    """A page.

    Attributes:
        client: a browser of few words; its type is of a package that is optional.
    """

    client: Any
    service: Service


def call(page: Served, name: str, data: list[Any]) -> str:
    """Call an action of the page as Gradio's clients do; return what comes of it."""
    answer = page.client.post(f"/gradio_api/call/{name}", json={"data": data})
    assert answer.status_code == 200, answer.text
    return str(page.client.get(f"/gradio_api/call/{name}/{answer.json()['event_id']}").text)


def sent(path: str) -> dict[str, Any]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


Serve = Callable[..., AbstractContextManager[Served]]


@pytest.fixture(scope="session")
def runs_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs ``cg`` and ``p2p``, from B to A, with their data and some images of the training."""
    place = tmp_path_factory.mktemp("page")
    unaligned, aligned = write_unaligned(place / "unaligned"), write_aligned(place / "aligned")
    runs = place / "checkpoints"
    make_run(runs / "cg", flags=f"--dataroot {unaligned} --load_size 24 --crop_size 24")
    make_run(runs / "p2p", "pix2pix", f"{PAIRS} --dataroot {aligned}")
    for epoch in (1, 2):
        for label, kind in (("samples", "jpg"), ("real_A", "png"), ("fake_B", "png")):
            path = runs / "cg" / "web" / image_path(epoch, label, kind)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{epoch} {label}".encode())
    return runs


@contextmanager
def application(place: Path, *flags: str, login: Login | None = None) -> Iterator[tuple[Any, Service]]:
    """Build the app for the runs in a folder, and what it does its work with; flags are those of ``app.py``."""
    from inference.app.application import build_app

    opt = parse_app(["--checkpoints_dir", str(place), *flags])
    runs = Runs(opt.runs, opt.checkpoints_dir, lambda run: load(run, device="cpu", precision="fp32"))
    with Store(600) as store:
        service = Service(runs, WorkQueue(opt.max_waiting), Limits(BYTES, PIXELS, opt.max_files), store)
        yield build_app(service, opt, login), service


@pytest.fixture(scope="session")
def serve(runs_place: Path) -> Serve:
    """Serve the runs; flags are those of ``app.py``."""
    need("gradio")

    @contextmanager
    def served(*flags: str, login: Login | None = None, place: Path = runs_place) -> Iterator[Served]:
        from starlette.testclient import TestClient

        with application(place, *flags, login=login) as (app, service), TestClient(app) as client:
            yield Served(client, service)

    return served


@pytest.fixture(scope="module")
def page(serve: Serve) -> Iterator[Served]:
    """The page of all runs."""
    with serve("--max_upload", str(BYTES), "--max_files", "3") as opened:
        yield opened
