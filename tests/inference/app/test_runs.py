"""Which runs the page offers, and which of them are in memory."""

import json
import os
from pathlib import Path

import pytest

from inference import Translator, load
from inference.app.runs import Run, Runs, UnknownRunError
from tests.conftest import RunCli
from tests.runs import make_run


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a CycleGAN's run, a pix2pix run from B to A, one without weights, and other things."""
    place = tmp_path_factory.mktemp("checkpoints")
    make_run(place / "cg")
    make_run(place / "p2p", "pix2pix", "--netG unet_32 --direction BtoA --load_size 40 --crop_size 32")
    (place / "young").mkdir()
    (place / "young" / "train_opt.json").write_text((place / "cg" / "train_opt.json").read_text())
    (place / "notes").mkdir()
    (place / "readme.txt").write_text("x")
    return place


def names(runs: Runs) -> list[str]:
    return [run.name for run in runs.all()]


def test_all_runs_with_weights_are_offered_and_those_without_are_known(place: Path) -> None:
    runs = Runs((), place)
    assert names(runs) == ["cg", "p2p"]
    assert runs.still_empty() == ["young"]


def test_only_the_given_runs_are_offered(place: Path) -> None:
    runs = Runs(["p2p", str(place / "young")], place)
    assert names(runs) == ["p2p", "young"]
    assert runs.still_empty() == ["young"]
    with pytest.raises(UnknownRunError, match="there is no run 'cg'"):
        runs.find("cg")


def test_equal_names_are_told_apart_by_their_paths(place: Path, tmp_path: Path) -> None:
    (tmp_path / "cg").mkdir()
    assert names(Runs(["cg", str(tmp_path / "cg")], place)) == [str(place / "cg"), str(tmp_path / "cg")]


def test_a_run_appears_with_its_first_weights(place: Path, tmp_path: Path) -> None:
    runs = Runs((), tmp_path)
    assert names(runs) == []
    with pytest.raises(UnknownRunError, match="there is no trained run here yet"):
        runs.find("cg")
    (tmp_path / "cg").symlink_to(place / "cg")
    assert names(runs) == ["cg"]
    assert runs.find("").name == "cg"


@pytest.mark.parametrize("name", ["../../etc", "/etc/passwd", "notes", "readme.txt", "", "cg/latest_net_G_A.pth", "."])
def test_nothing_but_the_runs_can_be_named(name: str, place: Path) -> None:
    with pytest.raises(UnknownRunError, match=r"; there are: cg, p2p"):
        Runs((), place).find(name)


def test_a_name_that_is_almost_right_is_suggested(place: Path) -> None:
    with pytest.raises(UnknownRunError, match="did you mean 'p2p'"):
        Runs((), place).find("p2q")


def test_directions_are_known_without_reading_weights(place: Path, tmp_path: Path, run_cli: RunCli) -> None:
    official = tmp_path / "official"
    official.mkdir()
    for side in "AB":
        (official / f"latest_net_G_{side}.pth").write_bytes((place / "cg" / f"latest_net_G_{side}.pth").read_bytes())
    assert run_cli("export", [place / "p2p", "--output", tmp_path / "out"]).code == 0
    exported = tmp_path / "out" / "latest_net_G.safetensors"
    files = [place / "cg" / "latest_net_G_B.pth", exported]
    for path in (place / "cg", place / "p2p", official, *files):
        assert Run("r", path).directions() == list(load(path).directions), path


def test_translators_stay_in_memory_until_others_need_the_room_or_there_are_new_weights(place: Path) -> None:
    loaded: list[str] = []

    def loading(place: Path) -> Translator:
        loaded.append(place.name)
        return load(place, device="cpu")

    runs = Runs(["cg", "p2p", str(place / "cg" / "latest_net_G_A.pth")], place, loading)
    cg, p2p, file = runs.all()
    first = runs.translator(cg)
    assert runs.translator(cg) is first
    runs.translator(p2p)
    assert runs.translator(cg) is first
    runs.translator(file)  # in the place of p2p, which has been idle for longest
    assert runs.translator(cg) is first
    runs.translator(p2p)
    assert loaded == ["cg", "p2p", "latest_net_G_A.pth", "p2p"]
    path = place / "cg" / "latest_net_G_B.pth"
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))
    assert runs.translator(cg) is not first
    assert len(loaded) == 5


def test_damaged_options_of_a_run_hide_no_other(place: Path, tmp_path: Path) -> None:
    for name in ("cg", "p2p"):
        (tmp_path / name).mkdir()
        for path in (place / name).iterdir():
            (tmp_path / name / path.name).write_bytes(path.read_bytes())
    (tmp_path / "cg" / "train_opt.json").write_text(json.dumps([1])[:-1])
    (tmp_path / "p2p" / "train_opt.json").write_text(json.dumps({"value_range_A": "wide"}))
    assert names(Runs((), tmp_path)) == ["cg", "p2p"]
    assert Run("p2p", tmp_path / "p2p").limits("A") is None
    (tmp_path / "x.safetensors").write_bytes(b"hello")
    assert Run("x", tmp_path / "x.safetensors").options() == {}
