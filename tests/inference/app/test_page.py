"""What happens on the page, through the addresses that it calls itself."""

import io
import json
import urllib.parse
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inference import load
from tests.images import an_image, write_aligned
from tests.inference.app.conftest import PAIRS, Serve, Served, call, sent
from tests.inference.app.test_rest import IMAGE, png, tiff
from tests.runs import make_run
from util.raster.reading import read_raster

DEEP = tiff(IMAGE.astype(np.uint16) * 257)


def upload(page: Served, data: bytes, name: str = "horse.png") -> dict[str, Any]:
    (path,) = page.client.post("/gradio_api/upload", files={"files": (name, data)}).json()
    return sent(path) | {"orig_name": name}


def results(page: Served, name: str, *data: Any, event: str = "complete") -> Any:
    """Call an action; return its outputs."""
    text = call(page, name, list(data))
    assert f"event: {event}" in text, text
    return json.loads(text.split("data: ", 1)[1].split("\n")[0])


def complaint(page: Served, name: str, *data: Any) -> str:
    return str(results(page, name, *data, event="error")["error"])


def file_of(page: Served, output: Any) -> bytes:
    """Return the file that an output shows or gives to download."""
    value = output.get("value", output) if isinstance(output, dict) else output
    answer = page.client.get("/gradio_api/file=" + urllib.parse.quote(value["path"]))
    assert answer.status_code == 200
    return bytes(answer.content)


def levels(data: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(data)))


def choices(update: dict[str, Any]) -> list[str]:
    return [label for label, _ in update["choices"]]


class TestChoosing:
    def test_visitors_find_the_runs_and_the_first_is_chosen(self, page: Served) -> None:
        runs, directions, sizes, round_trip, notice, go, go_batch = results(page, "arrive", "")
        assert (choices(runs), runs["value"]) == (["cg", "p2p"], "cg")
        assert (choices(directions), directions["value"]) == (["A -> B", "B -> A"], "AtoB")
        assert choices(sizes) == ["the image's own", "24 pixels, as in training"]
        assert [part["visible"] for part in (round_trip, notice)] == [True, False]
        assert [part["interactive"] for part in (go, go_batch)] == [True, True]

    def test_a_choice_stays_when_the_page_is_loaded_again_and_only_its_directions_are_offered(
        self, page: Served
    ) -> None:
        runs, *chosen = results(page, "arrive", "p2p")
        assert runs["value"] == "p2p"
        assert chosen == results(page, "choose", "p2p")
        directions, sizes, round_trip, *_ = chosen
        assert choices(directions) == ["B -> A"]
        assert choices(sizes)[1] == "40 pixels, as in training"
        assert not round_trip["visible"]

    def test_nothing_to_choose_is_told_with_what_to_type(self, serve: Serve, tmp_path: Path) -> None:
        with serve(place=tmp_path) as page:
            runs, *_, notice, go, _ = results(page, "arrive", "")
            assert (choices(runs), go["interactive"]) == ([], False)
            assert "python train.py --model cycle_gan --dataroot" in notice["value"]
            (tmp_path / "young").mkdir()
            (tmp_path / "young" / "train_opt.json").write_text("{}")
            assert "young will be here as soon as its training" in results(page, "arrive", "")[-3]["value"]
        with serve("young", place=tmp_path) as page:
            assert "young has saved no weights yet" in results(page, "arrive", "")[-3]["value"]
            assert "young has saved no weights yet" in complaint(
                page, "translate", "young", "", "own", True, upload(page, png()), None
            )

    def test_samples_are_shown_by_epoch_newest_first(self, page: Served) -> None:
        sheets, images, word = results(page, "samples", "cg")
        assert [one["caption"] for one in sheets["value"]] == ["epoch 2", "epoch 1"]
        captions = ["epoch 2: fake_B", "epoch 2: real_A", "epoch 1: fake_B", "epoch 1: real_A"]
        assert [one["caption"] for one in images["value"]] == captions
        assert [file_of(page, one["image"]) for one in sheets["value"]] == [b"2 samples", b"1 samples"]
        assert not word["visible"]
        assert "p2p has no images of its training" in results(page, "samples", "p2p")[2]["value"]
        assert "This run is gone" in results(page, "samples", "old")[2]["value"]


class TestExamples:
    def test_small_images_of_the_runs_own_data_are_shown(self, page: Served) -> None:
        for run, direction, first in (("cg", "AtoB", 0), ("cg", "BtoA", 100), ("p2p", "BtoA", 100)):
            (shown,) = results(page, "examples", run, direction)
            assert np.array_equal(levels(file_of(page, shown["value"][0]["image"])), np.asarray(an_image(first)))
        assert not results(page, "examples", "gone", "AtoB")[0]["visible"]

    def test_files_that_cannot_be_read_are_left_out(self, serve: Serve, tmp_path: Path) -> None:
        data = write_aligned(tmp_path / "data")
        (data / "test" / "pair0.png").write_bytes(b"hello")
        Image.new("RGB", (240, 120)).save(data / "test" / "pair2.png")  # more pixels than are taken
        make_run(tmp_path / "runs" / "p2p", "pix2pix", f"{PAIRS} --dataroot {data}")
        with serve(place=tmp_path / "runs") as page:
            (update,) = results(page, "examples", "p2p", "BtoA")
            assert [one["caption"] for one in update["value"]] == ["1"]
            gone = Path(update["value"][0]["image"]["path"])
            gone.unlink()  # as after an hour
            results(page, "examples", "p2p", "BtoA")
            assert np.array_equal(levels(gone.read_bytes()), np.asarray(an_image(101)))


class TestOneImage:
    def test_an_image_its_translation_and_the_way_back_are_shown(self, page: Served, runs_place: Path) -> None:
        out = results(page, "translate", "cg", "AtoB", "own", True, upload(page, png()), None)
        _, _, given, made, back, truth, slider, second, download, facts = out
        forth, again = load(runs_place / "cg", device="cpu", precision="fp32").round_trip(IMAGE)
        assert np.array_equal(levels(file_of(page, given)), IMAGE)
        assert np.array_equal(levels(file_of(page, made)), forth)
        assert np.array_equal(levels(file_of(page, back)), again)
        assert [file_of(page, part) for part in slider] == [file_of(page, given), file_of(page, made)]
        assert np.array_equal(levels(file_of(page, download)), forth)
        assert [part["visible"] for part in (back, truth, second)] == [True, False, False]
        assert facts.startswith("cg, A -> B: 40 x 36, rgb, 8 bits; ")

    def test_the_true_image_is_shown_beside_it(self, page: Served) -> None:
        true = upload(page, png(np.asarray(an_image(9, (80, 72)))))
        out = results(page, "translate", "p2p", "BtoA", "training", True, upload(page, png()), true)
        _, _, _, made, back, truth, _, second, *_ = out
        assert levels(file_of(page, truth)).shape == levels(file_of(page, made)).shape
        assert [file_of(page, part) for part in second["value"]] == [file_of(page, made), file_of(page, truth)]
        assert not back["visible"]

    def test_the_download_has_the_depth_of_the_image(self, page: Served) -> None:
        out = results(page, "translate", "cg", "BtoA", "own", False, upload(page, DEEP, "horse.tif"), None)
        made, download = out[3], out[8]
        assert levels(file_of(page, made)).dtype == np.uint8
        assert read_raster("x.png", file_of(page, download)).levels.dtype == np.uint16
        assert download["label"] == "Download PNG"

    def test_an_image_that_no_browser_shows_is_drawn(self, page: Served) -> None:
        shown, _, _, about = results(page, "inspect", "cg", "AtoB", upload(page, DEEP, "horse.tif"), None, "")
        assert np.array_equal(levels(file_of(page, shown)), IMAGE)
        assert about["value"] == "horse.tif: 40 x 36, rgb, 16 bits"

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"hello", "cannot read the image horse.png (it is no JPEG, PNG"),
            (png(np.zeros((120, 120), np.uint8)), "horse.png has 120 x 120 pixels; at most 10,000 are translated here"),
        ],
    )
    def test_what_cannot_be_translated_is_told_at_once(self, data: bytes, words: str, page: Served) -> None:
        shown, _, _, about = results(page, "inspect", "cg", "AtoB", upload(page, data), None, "")
        assert shown is None
        assert about["value"].startswith("**Not taken:** ")
        assert words in about["value"]
        assert words in complaint(page, "translate", "cg", "AtoB", "own", True, upload(page, data), None)

    def test_what_is_missing_is_told(self, page: Served) -> None:
        assert not results(page, "inspect", "cg", "AtoB", None, None, "")[3]["visible"]
        assert "there is no image yet" in complaint(page, "translate", "cg", "AtoB", "own", True, None, None)
        gone = upload(page, png())
        Path(gone["path"]).unlink()
        words = "horse.png is not here (any more); files are kept for 10 minutes, so send it again"
        assert complaint(page, "translate", "cg", "AtoB", "own", True, gone, None) == words
        words = complaint(page, "translate", "p2p", "AtoB", "own", True, upload(page, png()), None)
        assert "p2p translates BtoA, not 'AtoB'" in words


class TestRunsWithAValueRange:
    def test_their_images_are_drawn_in_it(self, serve: Serve, tmp_path: Path) -> None:
        make_run(tmp_path / "p2p", "pix2pix", f"{PAIRS} --dataroot x --value_range_A=-20,1000 --value_range_B=-20,1000")
        wide = tiff(IMAGE.astype(np.float32) * 4 - 20)
        with serve(place=tmp_path) as page:
            given = upload(page, wide, "horse.tif")
            shown, _, _, about = results(page, "inspect", "p2p", "BtoA", given, None, "")
            assert about["value"] == "horse.tif: 40 x 36, rgb, floats"
            assert np.array_equal(levels(file_of(page, shown)), IMAGE)
            out = results(page, "translate", "p2p", "BtoA", "own", True, given, upload(page, wide, "true.tif"))
            assert np.array_equal(levels(file_of(page, out[2])), IMAGE)
            assert np.array_equal(levels(file_of(page, out[5])), IMAGE)
            made = read_raster("x.tif", file_of(page, out[8])).levels
            assert made.dtype == np.float32
            assert out[8]["label"] == "Download TIF"
            assert made.max() > 255


class TestSeveral:
    def test_a_zip_of_all_and_words_about_those_that_failed(self, page: Served, runs_place: Path) -> None:
        files = [upload(page, png()), upload(page, b"hello", "bad.png"), upload(page, DEEP, "horse.tif")]
        images, archive, words = results(page, "translate_all", "cg", "BtoA", "own", files)
        with zipfile.ZipFile(io.BytesIO(file_of(page, archive))) as file:
            assert file.namelist() == ["horse.png", "horse_2.png"]
            wanted = load(runs_place / "cg", device="cpu", precision="fp32")(IMAGE, "BtoA")
            assert np.array_equal(levels(file.read("horse.png")), wanted)
            assert read_raster("x.png", file.read("horse_2.png")).levels.dtype == np.uint16
        assert [one["caption"] for one in images["value"]] == ["horse.png", "horse_2.png"]
        assert words.startswith("2 of 3 translated:")
        assert "cannot read the image bad.png" in words

    def test_too_many_and_none_are_refused(self, page: Served) -> None:
        for files, words in (
            ([], "there are no images yet"),
            (None, "there are no images yet"),
            ([upload(page, png())] * 4, "these are 4 images; at most 3 are taken together"),
            ([upload(page, b"hello")], "none of them could be translated: cannot read"),
        ):
            assert words in complaint(page, "translate_all", "cg", "AtoB", "own", files)
