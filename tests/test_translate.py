"""``translate.py``: files, folders, patterns, standard input and output."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference import load
from tests.conftest import PROJECT, RunCli
from tests.refusals import refused
from util.raster.reading import read_raster


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder with five images, two of them below it, of several formats and depths."""
    folder = tmp_path / "images"
    (folder / "more").mkdir(parents=True)
    rng = np.random.default_rng(0)
    levels = [rng.integers(0, 256, (30 + n, 40, 3), np.uint8) for n in range(4)]
    for name, image in zip(("a.jpg", "b.png", "more/a.webp", "more/c.bmp"), levels, strict=True):
        Image.fromarray(image).save(folder / name, quality=100)
    np.save(folder / "d.npy", rng.random((20, 24, 3), np.float32))
    return folder


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_folder_keeps_its_tree_and_its_kinds(cycle: Path, images: Path, run_cli: RunCli) -> None:
    done = run_cli("translate", [cycle, images, "-o", "out"])
    assert done.code == 0, done.stderr
    assert "5 translated: out" in done.stdout
    assert files_in(Path("out")) == [".translated.jsonl", "a.png", "b.png", "d.npy", "more/a.png", "more/c.png"]
    translator = load(cycle)
    for name, made in (("a.jpg", "a.png"), ("more/c.bmp", "more/c.png")):
        assert np.array_equal(read_raster(Path("out", made)).levels, np.asarray(translator(images / name)))
    assert np.array_equal(np.load("out/d.npy"), translator(np.load(images / "d.npy")))


def test_one_file_becomes_the_file_that_is_named(cycle: Path, images: Path, run_cli: RunCli) -> None:
    wanted = np.asarray(load(cycle)(images / "b.png"))
    for name, close in (("x.png", 0), ("x.tif", 0), ("x.webp", 60), ("sub/x.jpg", 60), ("x.bmp", 0), ("x.npy", 0)):
        assert run_cli("translate", [cycle, images / "b.png", "-o", name]).code == 0
        assert np.abs(read_raster(Path(name)).levels.astype(int) - wanted).mean() <= close
    assert run_cli("translate", [cycle, images / "b.png", "-o", "folder"]).code == 0
    assert np.array_equal(read_raster(Path("folder/b.png")).levels, wanted)


def test_patterns_names_and_directions(cycle: Path, images: Path, run_cli: RunCli) -> None:
    words = ["cg", images / "*.jpg", images / "**" / "*.bmp", "-o", "out", "--checkpoints_dir", cycle.parent]
    assert run_cli("translate", [*words, "--direction", "BtoA", "--format", "jpg"]).code == 0
    assert files_in(Path("out")) == [".translated.jsonl", "a.jpg", "c.jpg"]
    made, wanted = (
        np.asarray(image).astype(int) for image in (Image.open("out/c.jpg"), load(cycle)(images / "more/c.bmp", "BtoA"))
    )
    assert np.abs(made - wanted).mean() < 60


def test_it_goes_on_where_it_stopped_and_overwrites_only_when_asked(cycle: Path, images: Path, run_cli: RunCli) -> None:
    words = [cycle, images, "-o", "out"]
    assert run_cli("translate", words).code == 0
    Path("out/b.png").unlink()
    with Path("out/.translated.jsonl").open("a") as file:
        file.write('{"target": "b.p')  # the disk was full
    before = {name: Path("out", name).stat().st_mtime_ns for name in files_in(Path("out")) if name[0] != "."}
    again = run_cli("translate", words)
    assert "4 of 5 are translated already; --overwrite does them again" in again.stdout
    assert "1 translated" in again.stdout
    assert all(Path("out", name).stat().st_mtime_ns == time for name, time in before.items())
    there = "5 of the files to write are there already, such as out/a.png, translated with other settings"
    refused(run_cli("translate", [*words, "--direction", "BtoA"]), there, "direction 'AtoB', now 'BtoA'")
    assert run_cli("translate", [*words, "--direction", "BtoA", "--overwrite"]).code == 0
    assert np.array_equal(read_raster(Path("out/b.png")).levels, np.asarray(load(cycle)(images / "b.png", "BtoA")))


def test_files_of_others_are_not_overwritten(cycle: Path, images: Path, run_cli: RunCli) -> None:
    Path("out").mkdir()
    Path("out/a.png").write_text("mine")
    there = "1 of the files to write are there already, such as out/a.png; pass --overwrite"
    refused(run_cli("translate", [cycle, images, "-o", "out"]), there)
    one = run_cli("translate", [cycle, images / "a.jpg", "-o", "out/a.png"])
    refused(one, "out/a.png is there already; pass --overwrite")
    assert files_in(Path("out")) == ["a.png"]
    assert Path("out/a.png").read_text() == "mine"


def test_a_translation_never_takes_the_place_of_its_source(cycle: Path, images: Path, run_cli: RunCli) -> None:
    before = (images / "b.png").read_bytes()
    for words in ([images / "b.png", "-o", images], [images / "b.png", "-o", images / "b.png"]):
        done = run_cli("translate", [cycle, *words, "--overwrite"])
        refused(done, "b.png would take its place; give another folder with -o")
    assert run_cli("translate", [cycle, images / "b.png", "-o", images / "b.PNG"]).code == 0
    assert (images / "b.png").read_bytes() == before
    (images / "d.png").write_bytes(before)  # beside d.npy, which may become d.npy
    refused(run_cli("translate", [cycle, images / "d.npy", "-o", images, "--overwrite"]), "d.npy would take its place")
    refused(run_cli("translate", [cycle, images, "-o", images]), "is the folder to translate; give another one")


def test_only_what_was_made_alike_and_of_the_same_file_counts_as_done(
    cycle: Path, images: Path, run_cli: RunCli
) -> None:
    words = [cycle, images, "-o", "out"]
    assert run_cli("translate", words).code == 0
    back = [cycle, images / "a.jpg", "-o", "out", "--direction", "BtoA", "--overwrite"]  # as if it had been interrupted
    assert run_cli("translate", back).code == 0
    there = "4 of the files to write are there already, such as out/b.png, translated with other settings"
    refused(run_cli("translate", [*words, "--direction", "BtoA"]), there)
    Image.open(images / "b.png").transpose(Image.Transpose.ROTATE_90).save(images / "b.png")
    done = run_cli("translate", [cycle, images / "b.png", "-o", "out"])
    refused(done, "such as out/b.png, translated from another file; pass --overwrite")


def test_translations_within_the_folder_are_not_translated_again(cycle: Path, images: Path, run_cli: RunCli) -> None:
    for _ in range(2):
        assert run_cli("translate", [cycle, images, "-o", images / "out"]).code == 0
    assert len(files_in(images / "out")) == 6


def test_names_that_differ_in_the_suffix_alone_do_not_collide(cycle: Path, images: Path, run_cli: RunCli) -> None:
    Image.open(images / "b.png").save(images / "a.png")
    (images / "other").mkdir()
    Image.open(images / "b.png").save(images / "other" / "b.png")
    done = run_cli("translate", [cycle, *sorted(images.glob("*.*")), images / "other", "-o", "out"])
    assert done.code == 0, done.stderr
    assert files_in(Path("out")) == [".translated.jsonl", "a.jpg.png", "a.png.png", "b.png.png", "b.png_2.png", "d.npy"]
    assert np.array_equal(
        read_raster(Path("out/b.png_2.png")).levels, np.asarray(load(cycle)(images / "other" / "b.png"))
    )


def test_a_bad_file_among_good_ones_is_told_and_the_others_are_done(cycle: Path, images: Path, run_cli: RunCli) -> None:
    (images / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    np.save(images / "many.npy", np.zeros((20, 20, 7), np.uint8))
    done = run_cli("translate", [cycle, images, "-o", "out"])
    assert done.code == 1
    assert "bad.png" in done.stdout
    assert "many.npy" in done.stdout
    assert "2 of 7 could not be translated; the messages above say why" in done.stdout
    assert len(files_in(Path("out"))) == 6
    refused(run_cli("translate", [cycle, images / "bad.png", "-o", "x.png"]), "error: cannot read the image")


@pytest.mark.parametrize("threads", [1, 3])
def test_deep_images_stay_deep(cycle: Path, run_cli: RunCli, tmp_path: Path, threads: int) -> None:
    from util.raster.writing import write_raster

    levels = np.random.default_rng(0).integers(0, 2**16, (24, 28, 3), np.uint16)
    write_raster(levels, tmp_path / "deep", file_format="PNG", color="rgb")
    words = [cycle, "deep.png", "--num_threads", threads]
    assert run_cli("translate", [*words, "-o", "x.png"]).code == 0
    made = read_raster(Path("x.png")).levels
    assert made.dtype == np.uint16
    assert np.array_equal(made, load(cycle)(levels))
    refused(run_cli("translate", [*words, "-o", "x.jpg"]), ".jpg files cannot hold rgb of uint16; take tif or npy")


def test_standard_input_and_output_carry_an_image(cycle: Path, images: Path) -> None:
    command = [sys.executable, str(PROJECT / "translate.py"), str(cycle), "-", "-o", "-", "--device", "cpu"]
    done = subprocess.run(command, input=(images / "b.png").read_bytes(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    made = np.asarray(Image.open(io.BytesIO(done.stdout)))
    assert np.array_equal(made, np.asarray(load(cycle)(images / "b.png")))
    assert b"translates AtoB on cpu" in done.stderr


def test_standard_input_becomes_the_file_that_is_named(
    cycle: Path, images: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((images / "b.png").read_bytes())))
    done = run_cli("translate", [cycle, "-", "-o", "y.tif"])
    assert "y.tif" in done.stdout
    assert np.array_equal(read_raster(Path("y.tif")).levels, np.asarray(load(cycle)(images / "b.png")))


def test_standard_input_may_hold_no_image(cycle: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"rubbish")))
    refused(run_cli("translate", [cycle, "-", "-o", "y.png"]), "cannot read the image standard input")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "RUN is missing: a run's folder or name"),
        ("RUN", "there is nothing to translate; name images, folders or videos"),
        ("RUN images/a.jpg", "-o is missing: a folder for the translations"),
        ("RUN nowhere.png -o out", "there is no file or folder nowhere.png; check the path"),
        ("RUN images/*.gif -o out", "no file fits the pattern"),
        ("RUN images -o images/a.jpg", "is a file, but there may be several translations; give a folder"),
        ("RUN images -o -", "-o - writes one image, but there are 5 files"),
        ("RUN images/a.jpg - -o x", "- (standard input) holds one image and comes alone"),
        ("RUN - -o x", "-o x is no name of an image; end it with .png, or write to standard output with -o -"),
        ("RUN RUN -o x", "give a folder of images"),
        ("RUN images/a.jpg -o x --camera 0", "--camera translates what it sees, not"),
        ("RUN images/a.jpg -o x.png --direction AtoC", "invalid choice: 'AtoC'"),
        ("RUN images/a.jpg -o x.png --max_memory much", "--max_memory 'much' is no amount of memory; give 2G"),
        ("RUN images/a.jpg -o x.png --max_memory 1M", "--max_memory 0.00G leaves 0 MiB beside the program"),
        ("RUN images/a.jpg -o x.png --gpu_ids 0,1", "--gpu_ids 0,1 is not one GPU's number"),
        ("RUN images/a.jpg -o x.png --quality 0", "--quality 0 is outside 1 to 100; without the flag it is 95"),
        ("RUN images/a.jpg -o x.png --smooth 2", "--smooth 2 is outside 0 to 1"),
        ("RUN images/a.jpg -o x.png --crf 52", "--crf 52 is outside 0 to 51"),
        ("RUN images/a.jpg -o x.png --load_size -1", "--load_size -1 is too small"),
        ("RUN images/a.jpg -o x.png --what", "unrecognized arguments: --what"),
        ("RUN images/d.npy -o x.png", ".png files cannot hold rgb of float32; take tif or npy"),
        ("RUN images/a.jpg -o x.mp4", "a.jpg and x.mp4 are a video and an image; give x.mp4 another suffix"),
        ("nowhere images/a.jpg -o x.png", "there is no run nowhere"),
    ],
)
def test_a_mistake_is_one_sentence(words: str, sentence: str, cycle: Path, images: Path, run_cli: RunCli) -> None:
    done = run_cli("translate", words.replace("RUN", str(cycle)).split())
    assert done.code == 2, done
    assert sentence in done.stderr
    assert done.stderr.count("error:") == 1
    assert not Path("x.png").exists()


def test_videos_stand_beside_images_and_are_skipped_when_done(cycle: Path, images: Path, run_cli: RunCli) -> None:
    videos = pytest.importorskip("tests.inference.video.videos")
    videos.write_video(images / "walk.mp4", videos.moving(5))
    words = [cycle, images, "-o", "out", "--precision", "fp32"]
    assert run_cli("translate", words).code == 0
    assert "walk.mp4" in files_in(Path("out"))
    made, given = (videos.read_video(path).pixels for path in (Path("out/walk.mp4"), images / "walk.mp4"))
    assert len(made) == len(given) == 5
    wanted = load(cycle, precision="fp32")(given[2]).mean(2)  # colours are stored at half the size
    assert videos.distance(made[2].mean(2), wanted) < videos.distance(made[2].mean(2), given[2].mean(2)) / 2
    assert "6 of 6 are translated already" in run_cli("translate", words).stdout
    done = run_cli("translate", [cycle, images / "walk.mp4", "-o", "x.png"])
    refused(done, "are a video and an image; give x.png another suffix")
