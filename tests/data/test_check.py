"""``python -m data.check``: what it finds in small data sets made for it, and what it leaves alone."""

import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from data.check import main
from tests.damage import cut_in_half
from tests.images import an_image, side_by_side, write
from util.raster.kinds import Raster
from util.raster.reading import read_raster


class Outcome(NamedTuple):
    code: int
    out: str
    err: str
    found: dict[str, list[Any]]  # kind -> its items
    json: dict[str, Any]


Check = Callable[..., Outcome]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Run the command in ``tmp_path`` without a sheet; an item is (names of its files, detail)."""
    monkeypatch.chdir(tmp_path)

    def run(root: object, *flags: object) -> Outcome:
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        words = ["--dataroot", root, "--threads", 2, "--json", report, *flags]
        code = main([str(word) for word in (*words, "--no_sheet")])
        out, err = capsys.readouterr()
        content = json.loads(report.read_text()) if report.exists() else {"findings": []}
        found: dict[str, list[Any]] = {}
        for finding in content["findings"]:
            items = [(tuple(Path(path).name for path in item["files"]), item["detail"]) for item in finding["items"]]
            found.setdefault(finding["kind"], []).extend(items)
        return Outcome(code, out, err, found, content)

    return run


@pytest.fixture
def distinct(tmp_path: Path) -> Path:
    """Unpaired images, no two of them alike."""
    for number, folder in enumerate(("trainA", "trainB", "testA", "testB")):
        for index in range(3):
            write(an_image(100 * number + index), tmp_path / "set" / folder / f"{folder}_{index}.png")
    return tmp_path / "set"


def test_a_sound_set_is_described_and_passes(check: Check, distinct: Path) -> None:
    outcome = check(distinct)
    assert outcome.code == 0
    assert outcome.found == {}
    assert "trainA  3 files; 40x36; landscape; PNG; rgb" in outcome.out
    assert [folder["name"] for folder in outcome.json["folders"]] == ["trainA", "trainB", "testA", "testB"]
    assert outcome.json["command"].endswith("--dataset_mode unaligned")


def test_every_file_that_cannot_be_read_is_named_with_its_reason(check: Check, distinct: Path) -> None:
    cut_in_half(distinct / "trainA" / "trainA_1.png")
    (distinct / "trainA" / "empty.jpg").write_bytes(b"")
    (distinct / "trainB" / "text.png").write_text("hello")
    (distinct / "testB" / "bomb.ppm").write_bytes(b"P6 60000 60000 255\n")
    outcome = check(distinct)
    assert outcome.code == 1
    reasons = {names[0]: detail for names, detail in outcome.found["unreadable"]}
    assert set(reasons) == {"trainA_1.png", "empty.jpg", "text.png", "bomb.ppm"}
    assert reasons["empty.jpg"] == "the file is empty"
    assert "60000 x 60000" in reasons["bomb.ppm"]
    assert "2 files in trainA cannot be read" in outcome.out


def test_bad_files_are_moved_and_the_rest_stays(check: Check, distinct: Path, tmp_path: Path) -> None:
    cut_in_half(distinct / "trainA" / "trainA_1.png")
    (distinct / "trainB" / "deep").mkdir()
    (distinct / "trainB" / "deep" / "zero.png").write_bytes(b"")
    outcome = check(distinct, "--move_bad", tmp_path / "bad")
    assert outcome.code == 1
    assert "moved 2 files" in outcome.out
    moved = sorted(str(path.relative_to(tmp_path / "bad")) for path in (tmp_path / "bad").rglob("*.png"))
    assert moved == ["trainA/trainA_1.png", "trainB/deep/zero.png"]
    assert check(distinct).code == 0
    assert len(list(distinct.rglob("*.png"))) == 11


def test_bad_files_are_not_moved_into_the_set_or_over_others(check: Check, distinct: Path, tmp_path: Path) -> None:
    bad = distinct / "trainA" / "trainA_1.png"
    cut_in_half(bad)
    inside = check(distinct, "--move_bad", distinct / "bad")
    assert (inside.code, "outside of it" in inside.err) == (2, True)
    (tmp_path / "bad" / "trainA").mkdir(parents=True)
    (tmp_path / "bad" / "trainA" / "trainA_1.png").write_text("mine")
    taken = check(distinct, "--move_bad", tmp_path / "bad")
    assert (taken.code, "exists already" in taken.err, bad.exists()) == (2, True, True)
    assert (tmp_path / "bad" / "trainA" / "trainA_1.png").read_text() == "mine"
    refused = check(distinct, "--move_bad", tmp_path / "bad" / "trainA" / "trainA_1.png")
    assert (refused.code, f"cannot move {bad} to" in refused.err, bad.exists()) == (2, True, True)


def test_the_same_pixels_in_training_and_test_are_a_leak_whatever_the_format(check: Check, distinct: Path) -> None:
    with Image.open(distinct / "trainA" / "trainA_0.png") as image:
        image.save(distinct / "testA" / "copy.bmp")
    shutil.copy(distinct / "trainB" / "trainB_1.png", distinct / "trainB" / "again.png")
    outcome = check(distinct)
    assert outcome.code == 0  # it would run
    assert outcome.found["leak"] == [(("trainA_0.png", "copy.bmp"), "")]
    assert outcome.found["duplicate"] == [(("again.png", "trainB_1.png"), "")]
    assert "trainA/trainA_0.png = testA/copy.bmp" in outcome.out


def test_an_image_of_training_in_another_size_looks_alike_in_the_test(check: Check, tmp_path: Path) -> None:
    large = [wavy(seed) for seed in range(4)]
    for index, image in enumerate(large):
        write(image, tmp_path / "set" / "trainA" / f"a{index}.png")
        write(an_image(100 + index), tmp_path / "set" / "trainB" / f"b{index}.png")
    write(large[2].resize((120, 120), Image.Resampling.BICUBIC), tmp_path / "set" / "testA" / "small.png")
    outcome = check(tmp_path / "set")
    assert outcome.found["look_alike"] == [(("a2.png", "small.png"), "")]
    assert "leak" not in outcome.found


def wavy(seed: int) -> Image.Image:
    """A smooth image with a hill or a valley in every place, 240x240."""
    coarse = np.random.RandomState(seed).randint(0, 256, (7, 7, 3)).astype(np.uint8)
    return Image.fromarray(coarse).resize((240, 240), Image.Resampling.BICUBIC)


def test_what_is_odd_but_readable_is_told_and_passes(check: Check, distinct: Path) -> None:
    write(Image.new("RGB", (40, 36), "red"), distinct / "trainA" / "red.png")
    an_image(50).save(distinct / "trainA" / "png_inside.jpg", "PNG")
    for name in ("one.gif", "two.gif", "Thumbs.db"):
        (distinct / "trainB" / name).write_bytes(b"x")
    outcome = check(distinct)
    assert outcome.code == 0
    assert outcome.found["constant"] == [(("red.png",), "")]
    assert outcome.found["ending"] == [(("png_inside.jpg",), "PNG")]
    assert "3 files in trainB not read: 2 .gif, 1 .db" in outcome.out


def test_pairs_in_two_folders_need_partners_of_one_size(check: Check, tmp_path: Path) -> None:
    for index in range(6):
        write(an_image(index), tmp_path / "set" / "trainA" / f"{index}.png")
        size = (40, 36) if index else (80, 36)
        write(an_image(100 + index, size), tmp_path / "set" / "trainB" / f"{index}.jpg")
    outcome = check(tmp_path / "set")
    assert outcome.json["dataset_mode"] == "aligned"
    assert (outcome.code, outcome.found) == (0, {"unequal": [(("0.png", "0.jpg"), "40x36 and 80x36")]})
    assert "pairs, by their names; if they are not: --dataset_mode unaligned" in outcome.out
    (tmp_path / "set" / "trainB" / "3.jpg").unlink()
    outcome = check(tmp_path / "set")
    assert (outcome.code, outcome.found["partner"]) == (1, [(("3.png",), "")])
    assert check(tmp_path / "set", "--dataset_mode", "unaligned").code == 0  # the names may mean nothing


def test_stacked_folders_need_one_size(check: Check, tmp_path: Path) -> None:
    for index in range(3):
        for folder in ("trainA1", "trainA2", "trainB"):
            size = (20, 18) if (folder, index) == ("trainA2", 1) else (40, 36)
            seed = 10 * index + len(folder) * ord(folder[-1])
            write(an_image(seed, size), tmp_path / "set" / folder / f"{index}.png")
    outcome = check(tmp_path / "set")
    assert (outcome.code, outcome.found) == (1, {"unequal": [(("1.png", "1.png"), "40x36 and 20x18")]})
    assert "--input_nc 6" in outcome.json["command"]


def test_pairs_side_by_side_of_odd_width_are_named(check: Check, tmp_path: Path) -> None:
    for index in range(3):
        pair = side_by_side(an_image(index), an_image(100 + index, (41, 36) if index == 1 else (40, 36)))
        write(pair, tmp_path / "set" / "train" / f"{index}.png")
    outcome = check(tmp_path / "set")
    assert outcome.json["dataset_mode"] == "aligned"
    assert outcome.found["odd_width"] == [(("1.png",), "")]


def test_deep_images_get_the_range_and_channels_that_they_need(check: Check, tmp_path: Path) -> None:
    random = np.random.RandomState(0)
    for index in range(2):
        (tmp_path / "set" / "trainA").mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / "trainB").mkdir(exist_ok=True)
        twelve_bit = random.randint(0, 3000, (18, 20)).astype(np.uint16)
        Image.fromarray(twelve_bit).save(tmp_path / "set" / "trainA" / f"a{index}.png")
        np.save(tmp_path / "set" / "trainB" / f"b{index}.npy", random.uniform(-2, 3, (18, 20, 5)).astype(np.float32))
    outcome = check(tmp_path / "set")
    assert outcome.code == 0
    command = outcome.json["command"].split()
    assert command[command.index("--input_nc") + 1] == "1"
    assert command[command.index("--output_nc") + 1] == "5"
    assert "--value_range_A=0,4095" in command
    low, high = (float(part) for part in command[-1].removeprefix("--value_range_B=").split(","))
    assert -2.01 < low < -1.9
    assert 2.9 < high < 3.01
    assert outcome.json["folders"][0]["kinds"] == {"gray 16-bit": 2}
    _, largest = outcome.json["folders"][1]["values"]
    assert largest <= high


def test_values_that_are_no_numbers_stop_a_training(check: Check, distinct: Path) -> None:
    values = np.random.RandomState(0).rand(36, 40, 3).astype(np.float32)
    values[1, 2, 0] = np.nan
    np.save(distinct / "trainB" / "nan.npy", values)
    outcome = check(distinct)
    assert (outcome.code, outcome.found["no_numbers"]) == (1, [(("nan.npy",), "")])


def test_a_plain_folder_and_lists_are_checked_too(check: Check, distinct: Path, tmp_path: Path) -> None:
    assert check(distinct / "trainA").json["dataset_mode"] == "single"
    rows = ["A,B,phase", *(f"set/trainA/trainA_{i}.png,set/trainB/trainB_{i}.png,train" for i in range(3))]
    rows += ["set/trainA/trainA_1.png,set/testB/testB_0.png,test"]
    (tmp_path / "list.csv").write_text("\n".join(rows))
    outcome = check(tmp_path / "list.csv")
    assert [folder["name"] for folder in outcome.json["folders"]] == ["train A", "train B", "test A", "test B"]
    assert outcome.found["leak"] == [(("trainA_1.png", "trainA_1.png"), "")]
    (tmp_path / "list.csv").write_text("A\nset/trainA/trainA_0.png\nset/gone.png\n")
    refused = check(tmp_path / "list.csv", "--move_bad", tmp_path / "bad")
    assert (refused.code, "off the list" in refused.err) == (2, True)
    gone = check(tmp_path / "list.csv")
    assert (gone.code, [names for names, _ in gone.found["unreadable"]]) == (1, [("gone.png",)])


@pytest.mark.skipif(multiprocessing.get_start_method() != "fork", reason="the crash is planted in this process")
def test_a_decoder_crash_is_reported_like_damage(check: Check, distinct: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crashing(path: str) -> Raster:
        if path.endswith("testB_1.png"):
            os.kill(os.getpid(), signal.SIGKILL)
        return read_raster(path)

    monkeypatch.setattr("data.checking.one_file.read_raster", crashing)
    outcome = check(distinct)
    assert (outcome.code, outcome.found["unreadable"]) == (1, [(("testB_1.png",), "the decoder crashed")])
