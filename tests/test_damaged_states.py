"""A damaged state is noticed, wherever the damage is, and the run goes on from the one before."""

import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from models.state import read_state, write_state
from options.errors import UserError
from tests.conftest import Finished, RunCli
from tests.images import write_aligned, write_unaligned
from tests.refusals import refused
from tests.same_runs import assert_same_run, contents, differences
from util.checkpoint import load_file, load_weights

RUN = Path("checkpoints", "run")
LATEST, PREVIOUS, ASIDE = (RUN / f"{word}_state.pth" for word in ("latest", "previous", "damaged"))
PLACES = 50
DIRECTORY = 0x10  # the attribute with which MS-DOS marks a folder
GoOn = Callable[..., Finished]


class Damage(NamedTuple):
    """The end of a file is missing, or one of its bits is wrong; a negative place counts from the end."""

    kind: str
    place: int
    bit: int = 0

    def __call__(self, whole: bytes) -> bytes:
        if self.kind == "cut":
            return whole[: self.place]
        place = self.place % len(whole)
        return whole[:place] + bytes([whole[place] ^ 1 << self.bit]) + whole[place + 1 :]


def some_damages(size: int, seed: int) -> list[Damage]:
    """Return cuts and flips anywhere, and flips near both ends, where the names and checksums are."""
    chance = random.Random(seed)
    places = [*(chance.randrange(size) for _ in range(PLACES)), *(chance.randrange(1000) for _ in range(15))]
    places += [-chance.randrange(1, 1000) for _ in range(15)]
    flips = [Damage("flip", place, chance.randrange(8)) for place in places]
    return [Damage("cut", length) for length in (0, 1, size - 1, *chance.sample(range(size), PLACES))] + flips


def attributes_of_records(whole: bytes) -> list[int]:
    """Return where the zip directory keeps the attributes of each record."""
    places, at = [], whole.find(b"PK\1\2")
    while at >= 0:
        places.append(at + 38)
        at = whole.find(b"PK\1\2", at + 1)
    return places


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is trained once."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def go_on(run_cli: RunCli, kept: Path, tiny: list[str]) -> GoOn:
    """Continue a run of one epoch, whose states are of its 2nd and 3rd image, to the end of the second epoch."""
    if not (kept / "checkpoints").exists():
        words = ["--dataroot", write_unaligned(kept / "data"), "--netG", "resnet_1blocks", *tiny, "--pool_size", 2]
        words += ["--no_html", "--save_latest_freq", 2, "--checkpoints_dir", kept / "checkpoints", "--name"]
        assert run_cli("train", [*words, "whole", "--n_epochs", 2]).code == 0
        assert run_cli("train", [*words, "run"]).code == 0
    shutil.copytree(kept / "checkpoints", "checkpoints")
    return lambda *how: run_cli("train", ["--name", "run", *(how or ["--continue_train"]), "--n_epochs", 2])


@pytest.fixture
def state(run_cli: RunCli, kept: Path, tiny: list[str]) -> Path:
    """A small state of a finished run, the one before beside it."""
    if not (kept / "small").exists():
        words = ["--dataroot", write_aligned(kept / "pairs"), "--model", "template", "--netG", "resnet_1blocks", *tiny]
        words += ["--no_html", "--save_latest_freq", 2, "--checkpoints_dir", kept / "small", "--name", "run"]
        assert run_cli("train", words).code == 0
    shutil.copytree(kept / "small", "checkpoints")
    return LATEST


def test_a_state_damaged_anywhere_is_noticed_and_the_one_before_is_read(state: Path) -> None:
    whole, intact, before = state.read_bytes(), load_file(state), load_file(PREVIOUS)
    fallbacks = 0
    for damage in some_damages(len(whole), seed=1):
        state.write_bytes(damage(whole))
        found = read_state(RUN)
        assert differences(found.state, intact if found.path == LATEST else before) == [], damage
        assert bool(found.complaint) is (found.path == PREVIOUS), damage
        if found.complaint:
            fallbacks += 1
            assert "latest_state.pth is damaged or cut off" in found.complaint, damage
        else:
            assert damage.kind == "flip", damage
    assert fallbacks > 1.5 * PLACES


def test_weights_damaged_anywhere_are_refused_or_read_as_they_were(state: Path) -> None:
    path = RUN / "latest_net_G.pth"
    whole, intact = path.read_bytes(), load_weights(path)
    sentences = []
    for damage in some_damages(len(whole), seed=2):
        path.write_bytes(damage(whole))
        try:
            assert differences(load_weights(path), intact) == [], damage
        except UserError as error:
            sentences.append(str(error))
    assert len(sentences) > 1.5 * PLACES
    assert not [sentence for sentence in sentences if "latest_net_G.pth is damaged or cut off" not in sentence]


def test_a_record_marked_as_a_folder_is_noticed(state: Path) -> None:
    """Then PyTorch reads nothing for it, and leaves in the tensor whatever the memory held."""
    path = RUN / "latest_net_G.pth"
    whole, intact = path.read_bytes(), load_weights(path)
    places = attributes_of_records(whole)
    assert len(places) == len(zipfile.ZipFile(path).namelist())
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ DIRECTORY]) + whole[place + 1 :])
        try:
            read = load_weights(path)
        except UserError:
            continue
        assert differences(read, intact) == [], f"the record at {place} was not read"


CHOSEN = [
    *(Damage("cut", length) for length in (0, 300_000, -1)),
    *(Damage("flip", place, bit) for place, bit in ((29, 3), (150_000, 1), (-22, 2), (-400, 6), (-8_000, 3))),
]


@pytest.mark.parametrize("number", range(len(CHOSEN)), ids=[f"{damage.kind}{damage.place}" for damage in CHOSEN])
def test_a_run_goes_on_past_a_damaged_state_to_the_same_end(number: int, go_on: GoOn) -> None:
    damage, whole = CHOSEN[number], LATEST.read_bytes()
    LATEST.write_bytes(damage(whole))
    done = go_on(*("--resume auto" if number % 2 else "--continue_train").split())
    assert done.code == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert_same_run("run", "whole")
    if ASIDE.exists():
        assert ASIDE.read_bytes() == damage(whole)
        assert "latest_state.pth is damaged or cut off" in done.stdout
        assert "going on from checkpoints/run/previous_state.pth instead" in done.stdout
        assert "continuing from checkpoints/run/previous_state.pth: epoch 1, 2 images seen" in done.stdout
        assert load_file(PREVIOUS)["progress"]["images_seen"] == 4  # the sixth ends the run, which is saved once
    else:
        assert damage.kind == "flip", "a cut is always damage"
        assert "going on from" not in done.stdout


@pytest.mark.parametrize("when", ["while it is written", "once it is in place"])
def test_the_good_state_stays_until_the_next_save_is_whole(
    when: str, go_on: GoOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut in the first save after a fallback must not take the last whole state."""
    LATEST.write_bytes(b"damaged")
    good = PREVIOUS.read_bytes()
    write = write_state

    def cut_off(state: Any, folder: Path) -> None:
        assert PREVIOUS.read_bytes() == good, "the first save has begun, and the good state is gone"
        if when == "once it is in place":
            write(state, folder)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("models.saver.write_state", cut_off)
        assert go_on().code == 130
    assert PREVIOUS.read_bytes() == good
    assert LATEST.exists() is (when == "once it is in place")
    assert go_on().code == 0
    assert_same_run("run", "whole")


@pytest.mark.parametrize(
    ("how", "previous"), [("--continue_train", True), ("--resume auto", True), ("--continue_train", False)]
)
def test_damaged_states_without_a_whole_one_are_a_sentence_and_left_alone(
    how: str, previous: bool, go_on: GoOn
) -> None:
    LATEST.write_bytes(LATEST.read_bytes()[:1000])
    PREVIOUS.write_bytes(b"") if previous else PREVIOUS.unlink()
    before = contents(RUN)
    sentence = refused(go_on(*how.split()), "latest_state.pth is damaged or cut off")
    assert ("previous_state.pth is damaged" in sentence, "there is no" in sentence) == (previous, False)
    assert contents(RUN) == before


@pytest.mark.parametrize("how", ["--continue_train", "--resume auto"])
def test_a_missing_latest_state_is_replaced_by_the_one_before(how: str, go_on: GoOn) -> None:
    LATEST.unlink()
    done = go_on(*how.split())
    assert done.code == 0, done.stderr
    assert "going on from checkpoints/run/previous_state.pth instead" in done.stdout
    assert not ASIDE.exists()
    assert_same_run("run", "whole")


def test_a_damaged_state_before_does_not_matter(go_on: GoOn) -> None:
    PREVIOUS.write_bytes(b"damaged")
    done = go_on()
    assert done.code == 0, done.stderr
    assert "going on from" not in done.stdout
    assert_same_run("run", "whole")


def test_the_damaged_state_of_an_earlier_fallback_makes_room(go_on: GoOn) -> None:
    ASIDE.write_bytes(b"of an earlier fallback")
    LATEST.write_bytes(b"of this one")
    assert go_on().code == 0
    assert ASIDE.read_bytes() == b"of this one"
    assert_same_run("run", "whole")
