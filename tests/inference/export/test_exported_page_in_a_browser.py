"""The page of ``--to web``, served as static files, in a real browser."""

import functools
import json
import shutil
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from inference import load
from inference.export.runtime_files import runtime_files
from inference.export.web_page import write_page
from inference.export.writing import read_generators
from options.errors import UserError
from tests.browser import Page, browser
from tests.images import an_image, write
from tests.optional import need, skip
from tests.runs import make_run

need("onnx", "onnxscript", "onnxruntime", "requests", "websocket", chromium=True)
try:
    runtime_files()
except UserError as error:
    skip(str(error))

pytestmark = pytest.mark.slow
FLAGS = {
    "cycle_gan": "",
    "pix2pix": "--netG unet_32 --direction BtoA --input_nc 1",
    "colorization": "--netG unet_32",
}
SHOWN = """(canvas => ({
    size: [canvas.width, canvas.height],
    levels: [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data],
}))(document.getElementById(%s))"""


class Site(NamedTuple):
    """A page that is served, and the run that it was made of."""

    url: str
    folder: Path
    run: Path


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("browser") / "profile") as opened:
        yield opened


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Site]]:
    """A page for each model, from one static server."""
    runs, served = tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("served")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(served)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found = {}
    for model, flags in FLAGS.items():
        run = make_run(runs / model, model, flags)
        folder = served / model
        *_, index = write_page(read_generators(run, "latest"), folder, f"<b>{model}</b>")
        assert index == folder / "index.html"
        found[model] = Site(f"http://127.0.0.1:{server.server_port}/{model}/", folder, run)
    yield found
    server.shutdown()
    server.server_close()


def visit(page: Page, site: Site) -> None:
    page.visit(site.url)
    page.wait_for("document.body.dataset.state == 'ready'")


def choose(page: Page, part: str, value: str) -> None:
    script = f"part => {{ part.value = {json.dumps(value)}; part.dispatchEvent(new Event('change')) }}"
    page.ask(f"({script})(document.getElementById({json.dumps(part)}))")


def finished(page: Page) -> str:
    """Wait for the end of a translation, good or bad; return the message."""
    page.wait_for("['done', 'error'].includes(document.body.dataset.state)")
    return str(page.ask("document.getElementById('message').innerText"))


def shown(page: Page, part: str) -> np.ndarray:
    """Return what a canvas shows, H x W x 4."""
    found = page.ask(SHOWN % json.dumps(part))
    width, height = found["size"]
    return np.array(found["levels"], np.uint8).reshape(height, width, 4)


def levels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def assert_near(made: np.ndarray, wanted: np.ndarray) -> None:
    assert made.shape[:2] == wanted.shape[:2]
    assert (made[:, :, 3] == 255).all()
    assert np.abs(made[:, :, :3].astype(int) - wanted.astype(int)).max() <= 2


@pytest.mark.parametrize("model", FLAGS)
@pytest.mark.parametrize("size", [(64, 64), (51, 38)])
def test_an_image_becomes_what_pytorch_makes_of_it(
    model: str, size: tuple[int, int], page: Page, sites: dict[str, Site], tmp_path: Path
) -> None:
    visit(page, sites[model])
    assert page.ask("document.title") == page.ask("document.querySelector('h1').innerText") == f"<b>{model}</b>"
    path = write(an_image(3, size), tmp_path / "a.png")
    page.attach("#file", path)
    assert "Translated in " in finished(page)
    assert np.array_equal(shown(page, "input")[:, :, :3], levels(path))
    wanted = np.asarray(load(sites[model].run, precision="fp32")(Image.open(path)).convert("RGB"))
    assert_near(shown(page, "result"), wanted)
    assert np.std(wanted) > 5
    assert page.errors == []
    assert all(url.startswith((sites[model].url, "blob:")) for url in page.asked)


def test_the_other_direction(page: Page, sites: dict[str, Site], tmp_path: Path) -> None:
    visit(page, sites["cycle_gan"])
    path = write(an_image(4, (40, 30)), tmp_path / "a.png")
    page.attach("#file", path)
    finished(page)
    choose(page, "direction", "B to A")
    finished(page)
    translator = load(sites["cycle_gan"].run, precision="fp32")
    there, back = (translator(levels(path), way) for way in ("AtoB", "BtoA"))
    assert np.abs(there.astype(int) - back.astype(int)).max() > 20
    assert_near(shown(page, "result"), back)


def test_images_are_dropped_and_pasted(page: Page, sites: dict[str, Site], tmp_path: Path) -> None:
    visit(page, sites["pix2pix"])
    translator = load(sites["pix2pix"].run, precision="fp32")
    events = ("new DragEvent('drop', {dataTransfer: it})", "new ClipboardEvent('paste', {clipboardData: it})")
    for seed, event in enumerate(events):
        path = write(an_image(seed, (48, 33)), Path(tmp_path, f"{seed}.bmp"))
        octets = list(path.read_bytes())
        page.ask(
            f"(it => {{ it.items.add(new File([new Uint8Array({octets})], '{path.name}')); "
            f"document.dispatchEvent({event}) }})(new DataTransfer())"
        )
        page.wait_for("document.getElementById('input').width == 48")
        finished(page)
        page.wait_for("!document.getElementById('result').classList.contains('stale')")
        assert np.array_equal(shown(page, "input")[:, :, :3], levels(path))
        assert_near(shown(page, "result"), np.asarray(translator(Image.open(path)).convert("RGB")))


def test_large_images_are_scaled_down_and_too_large_ones_refused(
    page: Page, sites: dict[str, Site], tmp_path: Path
) -> None:
    visit(page, sites["cycle_gan"])
    path = write(Image.new("RGB", (2000, 1500), (200, 30, 90)), tmp_path / "large.png")
    page.attach("#file", path)
    finished(page)
    assert shown(page, "result").shape == (443, 591, 4)
    assert "591 x 443, scaled from 2000 x 1500" in page.text()
    choose(page, "size", "full")
    assert finished(page) == "2000 x 1500 pixels are too many for a browser; choose a smaller size."
    choose(page, "size", "256")
    assert "Translated" in finished(page)
    assert shown(page, "result").shape == (192, 256, 4)


def test_what_is_no_image_is_said_and_the_next_one_works(page: Page, sites: dict[str, Site], tmp_path: Path) -> None:
    visit(page, sites["pix2pix"])
    (tmp_path / "text.png").write_text("no image")
    page.attach("#file", tmp_path / "text.png")
    assert finished(page) == "text.png is no image that this browser can read."
    page.attach("#file", write(an_image(3), tmp_path / "a.png"))
    page.wait_for("document.body.dataset.state == 'done'")


def test_a_network_that_is_not_there_is_said_and_tried_again(
    page: Page, sites: dict[str, Site], tmp_path: Path
) -> None:
    whole = sites["pix2pix"]
    folder = shutil.copytree(whole.folder, whole.folder.with_name("broken"))
    (network,) = folder.glob("*.onnx")
    content = network.read_bytes()
    network.unlink()
    visit(page, whole._replace(url=whole.url.replace("pix2pix", "broken")))
    path = write(an_image(3), tmp_path / "a.png")
    page.attach("#file", path)
    assert finished(page) == (
        "The translation failed: the network latest_net_G.onnx cannot be downloaded (404 File not found)"
    )
    network.write_bytes(content)
    page.attach("#file", path)
    page.wait_for("document.body.dataset.state == 'done'")


def test_transparency_is_kept(page: Page, sites: dict[str, Site], tmp_path: Path) -> None:
    visit(page, sites["cycle_gan"])
    image = an_image(3, (40, 40)).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize((40, 40)).point(lambda level: max(level, 128)))
    image.save(tmp_path / "a.png")
    page.attach("#file", tmp_path / "a.png")
    finished(page)
    assert np.array_equal(shown(page, "result")[:, :, 3], np.asarray(image)[:, :, 3])


def test_the_result_can_be_downloaded(page: Page, sites: dict[str, Site], tmp_path: Path) -> None:
    visit(page, sites["pix2pix"])
    assert page.ask("document.getElementById('download').disabled")
    page.attach("#file", write(an_image(3), tmp_path / "my.horse.png"))
    finished(page)
    page.ask("HTMLAnchorElement.prototype.click = function() { window.saved = [this.download, this.href] }")
    page.click("#download")
    page.wait_for("window.saved !== undefined")
    name, address = page.ask("window.saved")
    assert name == "my.horse_BtoA.png"
    reading = f"fetch({json.dumps(address)}).then(answer => answer.arrayBuffer())"
    page.ask(f"{reading}.then(it => {{ window.octets = [...new Uint8Array(it)] }})")
    page.wait_for("window.octets !== undefined")
    saved = tmp_path / "saved.png"
    saved.write_bytes(bytes(page.ask("window.octets")))
    assert np.array_equal(levels(saved), shown(page, "result")[:, :, :3])
