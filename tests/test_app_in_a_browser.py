"""The page as a visitor has it: a real server, a real browser."""

import contextlib
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from inference import load
from inference.app.server import listening
from tests import browser as browsing
from tests.browser import Page, browser
from tests.images import an_image, write, write_unaligned
from tests.inference.app.conftest import application
from tests.optional import need
from tests.runs import make_run
from util.run_folder import image_path

need("gradio", "websocket", chromium=True)

OLD = "window.old = [...document.querySelectorAll('.view img')].map(view => view.src), 0"
VIEWS = """[...document.querySelectorAll(".view img")]
    .filter(view => view.complete && view.naturalWidth && !window.old.includes(view.src))
    .map(view => [view.closest(".view").id, view.naturalWidth, view.naturalHeight])"""
PIXELS = """(async () => {
    const image = document.querySelector("#view-translation img")
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight)
    const context = canvas.getContext("2d")
    context.drawImage(image, 0, 0)
    window.pixels = [...context.getImageData(0, 0, canvas.width, canvas.height).data]
})()"""
SIZE = (64, 48)
Levels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CycleGAN's run with its data and an image of its training."""
    place = tmp_path_factory.mktemp("page")
    data = write_unaligned(place / "data")
    run = make_run(place / "checkpoints" / "cg", flags=f"--dataroot {data}")
    for label, kind in (("samples", "jpg"), ("fake_B", "png")):
        write(an_image(7), run / "web" / image_path(3, label, kind))
    return run


@pytest.fixture(scope="module")
def address(run: Path) -> Iterator[str]:
    """The address of a page with that run."""
    import uvicorn

    with application(run.parent) as (app, _), contextlib.closing(listening("127.0.0.1", 0)) as place:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
        thread.start()
        yield f"http://127.0.0.1:{place.getsockname()[1]}/"
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with pytest.MonkeyPatch.context() as patch, browser(tmp_path_factory.mktemp("browser") / "profile") as opened:
        patch.setattr(browsing, "LONGEST", 60.0)
        yield opened


@pytest.fixture
def page(address: str, opened: Page) -> Page:
    """The app as somebody sees it who has just come."""
    opened.resize(1400, 1000)
    opened.visit(address)
    opened.wait_for("document.querySelectorAll('#examples img').length == 2")
    return opened


def translated(page: Page) -> Levels:
    """Press the button; return the translation as it is shown."""
    page.ask(OLD)
    page.click("#translate")
    page.wait_for(f"{VIEWS}.length == 3")
    page.ask(PIXELS)
    page.wait_for("!!window.pixels")
    _, width, height = next(view for view in page.ask(VIEWS) if view[0] == "view-translation")
    shown = np.array(page.ask("window.pixels"), np.uint8).reshape(height, width, 4)
    page.ask("window.pixels = null")
    return shown[:, :, :3]


def arrived(path: Path) -> Path:
    """Return when a download is complete."""
    deadline = time.monotonic() + browsing.LONGEST
    while not path.exists():
        assert time.monotonic() < deadline, sorted(path.parent.iterdir())
        time.sleep(browsing.TICK)
    return path


def test_an_image_is_dropped_and_translated_both_ways(page: Page, address: str, run: Path, tmp_path: Path) -> None:
    given = an_image(5, SIZE)
    page.attach("#image input[type=file]", write(given, tmp_path / "horse.png"))
    page.wait_for("document.querySelector('#about')?.innerText == 'horse.png: 64 x 48, rgb, 8 bits'")
    translator = load(run, device="cpu", precision="fp32")
    assert np.array_equal(translated(page), np.asarray(translator(given)))
    assert page.ask(VIEWS) == [[f"view-{name}", *SIZE] for name in ("image", "translation", "round")]
    assert page.ask("document.querySelectorAll('#slider img').length") == 2
    assert "cg, A -> B: 64 x 48, rgb, 8 bits" in page.text()
    page.click("#direction label:nth-of-type(2)")
    page.wait_for("document.querySelector('#direction label:nth-of-type(2) input').checked")
    assert np.array_equal(translated(page), np.asarray(translator(given, "BtoA")))
    page.download_to(tmp_path)
    page.click("#download")
    result = arrived(tmp_path / "horse_BtoA.png")
    assert np.array_equal(np.asarray(Image.open(result)), np.asarray(translator(given, "BtoA")))
    assert page.errors == []
    outside = [asked for asked in page.asked if not asked.startswith((address, "data:", "blob:"))]
    assert outside == []


def test_an_example_of_the_runs_data_is_taken(page: Page, run: Path) -> None:
    page.click("#examples .gallery-item:nth-of-type(2) button")
    page.wait_for("document.querySelector('#about')?.innerText.startsWith('a1.png: 40 x 36')")
    page.wait_for("!!document.querySelector('#image img')?.naturalWidth")
    assert np.array_equal(translated(page), np.asarray(load(run, device="cpu", precision="fp32")(an_image(1))))


def test_the_samples_of_the_training_are_shown(page: Page) -> None:
    page.ask("[...document.querySelectorAll('[role=tab]')].find(tab => tab.innerText == 'Samples').id = 'samples'")
    page.click("#samples")
    for gallery, caption in (("#sheets", "epoch 3"), ("#training-images", "epoch 3: fake_B")):
        page.wait_for(f"document.querySelector('{gallery} img')?.naturalWidth == 40")
        assert page.ask(f"document.querySelector('{gallery} .caption-label').innerText") == caption


def test_it_fits_on_a_phone(page: Page, address: str) -> None:
    page.resize(390, 844)
    page.visit(address)
    page.wait_for("document.querySelectorAll('#examples img').length == 2")
    assert page.ask("document.documentElement.scrollWidth") == 390
    assert page.ask("document.querySelectorAll('[role=tab]').length") == 3  # none of them in a menu


def test_images_can_be_translated_together(page: Page, tmp_path: Path) -> None:
    page.ask("[...document.querySelectorAll('[role=tab]')].find(tab => tab.innerText == 'Several').id = 'several'")
    page.click("#several")
    page.wait_for("!!document.querySelector('#files input[type=file]')")
    files = [write(an_image(number, SIZE), tmp_path / f"{number}.png") for number in range(2)]
    page.attach("#files input[type=file]", *files)
    page.wait_for("document.querySelector('#files').innerText.replaceAll('\\n', '').includes('1.png')")
    page.click("#translate-all")
    page.wait_for("document.querySelector('#batch-words')?.innerText.includes('2 of 2 translated')")
    page.download_to(tmp_path)
    page.click("#archive")
    with zipfile.ZipFile(arrived(tmp_path / "cg_AtoB.zip")) as archive:
        assert archive.namelist() == ["0.png", "1.png"]
