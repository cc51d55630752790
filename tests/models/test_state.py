"""State files: their versions, what is refused in them, and that they hold nothing but numbers."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from models.state import FORMAT, PARTS, has_state, read_state, write_state
from options.errors import UserError
from tests.conftest import Finished, RunCli
from tests.images import an_image, side_by_side, write
from tests.refusals import refused
from tests.same_runs import LAYOUT, differences, state_of
from tests.small import trained_models

RUN = Path("checkpoints", "run")
LATEST, PREVIOUS = RUN / "latest_state.pth", RUN / "previous_state.pth"
Change = Callable[..., None]
Resume = Callable[..., Finished]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is trained once."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def resume(run_cli: RunCli, kept: Path, aligned_root: Path, tiny: list[str]) -> Resume:
    """Continue a run that was stopped after 2 of the 3 images of its first epoch; without words to its end."""
    if not list(kept.iterdir()):
        words = ["--dataroot", aligned_root.name, "--model", "template", "--netG", "resnet_1blocks", *tiny, "--no_html"]
        for name in ("whole", "run"):
            assert run_cli("train", [*words, "--save_latest_freq", 2, "--name", name]).code == 0
        os.replace(PREVIOUS, LATEST)
        shutil.copytree("checkpoints", kept, dirs_exist_ok=True)
    shutil.copytree(kept, "checkpoints", dirs_exist_ok=True)
    assert state_of("run")["progress"]["seen_in_epoch"] == 2
    return lambda *more: run_cli("train", ["--name", "run", *(more or ["--continue_train"])])


def change(path: Path = LATEST, *, without: str = "", **parts: Any) -> None:
    """Write other parts into a state file."""
    state = torch.load(path, weights_only=True) | parts
    torch.save({name: value for name, value in state.items() if name != without}, path)


def contents() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in RUN.iterdir() if path.suffix in (".pth", ".json", ".jsonl")}


def plain_state(number: float = 0.0) -> dict[str, Any]:
    return {
        **{part: kind() for part, kind in PARTS.items()},
        "format": FORMAT,
        "networks": {"G": {"weight": torch.full((2,), number)}},
    }


@pytest.mark.parametrize("how", ["--continue_train", "--resume auto"])
def test_a_state_of_a_later_version_is_refused_though_an_older_one_is_whole(resume: Resume, how: str) -> None:
    PREVIOUS.write_bytes(LATEST.read_bytes())
    change(format=99)
    before = contents()
    sentence = "latest_state.pth has format 99 and this program knows formats up to 5; update the program"
    refused(resume(*how.split()), sentence)
    assert contents() == before


def test_an_older_state_of_a_later_version_is_refused_as_well(resume: Resume) -> None:
    PREVIOUS.write_bytes(LATEST.read_bytes())
    change(PREVIOUS, format=99)
    LATEST.write_bytes(b"damaged")
    refused(resume(), "previous_state.pth has format 99 .*update the program")


def test_a_state_of_the_first_format_goes_on_bit_exactly(resume: Resume) -> None:
    change(format=1, without="epoch_size")
    done = resume()
    assert done.code == 0, done.stderr
    assert "follows another order" not in done.stdout
    assert "going on from" not in done.stdout
    mine, whole = state_of("run"), state_of("whole")
    assert (mine["format"], mine["epoch_size"]) == (FORMAT, 3)
    assert differences(mine, whole) == []


@pytest.mark.parametrize("number", ["2", "latest", 2.0, None, [2], 0, -1])
def test_a_format_that_never_was_is_a_sentence(resume: Resume, number: Any) -> None:
    change(format=number)
    before = contents()
    advice = r"(is not a state file of this program|has the unknown format -?\d); remove it to go on from the \*_net_"
    refused(resume(), f"latest_state.pth {advice}")
    assert contents() == before


@pytest.mark.parametrize(
    ("part", "number"),
    [
        (part, n)
        for n in range(1, FORMAT + 1)
        for part in PARTS
        if n > {"epoch_size": 1, "saved_as": 2, "averages": 3, "others": 4}.get(part, 0)
    ],
)
def test_a_state_that_lacks_a_part_is_a_sentence(resume: Resume, part: str, number: int) -> None:
    change(without=part, format=number)
    refused(resume(), f"latest_state.pth lacks {part}; remove it to go on from the")


def test_where_a_part_is_missing_the_state_before_is_taken(resume: Resume) -> None:
    PREVIOUS.write_bytes(LATEST.read_bytes())
    change(without="optimizers")
    done = resume()
    assert "latest_state.pth lacks optimizers" in done.stdout
    assert "going on from checkpoints/run/previous_state.pth instead" in done.stdout
    assert differences(state_of("run"), state_of("whole")) == []


@pytest.mark.parametrize("value", [None, 3, "text", [1, 2]])
@pytest.mark.parametrize("part", ["networks", "optimizers", "progress", "options"])
def test_a_part_of_another_type_is_a_sentence(resume: Resume, part: str, value: Any) -> None:
    change(**{part: value})
    refused(resume(), "latest_state.pth")


@pytest.mark.parametrize("value", [None, "two", [torch.ones(2)]])
@pytest.mark.parametrize(
    ("part", "name"),
    [("progress", "epoch"), ("progress", "images_seen"), ("progress", "seen_in_epoch"), ("networks", "G")],
)
def test_something_of_another_type_in_a_part_is_a_sentence(resume: Resume, part: str, name: str, value: Any) -> None:
    wrong: Any = {**state_of("run")[part], name: value}
    change(**{part: wrong})
    refused(resume(), "latest_state.pth")


@pytest.mark.parametrize("value", [None, 3, {"pool_A": 3}])
def test_image_pools_of_another_type_are_a_sentence(run_cli: RunCli, trained: Path, value: Any) -> None:
    change(trained / "latest_state.pth", model=value)
    done = run_cli("train", ["--name", "cg", "--continue_train", "--n_epochs", 2])
    refused(done, "latest_state.pth (is incomplete|lacks model)")


def test_a_state_of_more_processes_gives_its_first_image_pool(run_cli: RunCli, trained: Path) -> None:
    path = trained / "latest_state.pth"
    state = torch.load(path, weights_only=True)
    assert state["others"] == []
    change(path, others=[{"model": state["model"], "buffers": {}}] * 2)
    done = run_cli("train", ["--name", "cg", "--continue_train", "--n_epochs", 2])
    assert done.code == 0, done.stderr
    assert "saved by 3 processes, continued by 1" in done.stdout


def resumed_with(count: int, resume: Resume, root: Path) -> Finished:
    """Continue with so many training images instead of 3."""
    for number in range(3, count):
        write(side_by_side(an_image(number), an_image(100 + number)), root / "train" / f"pair{number}.png")
    for number in range(count, 3):
        (root / "train" / f"pair{number}.png").unlink()
    done = resume()
    assert done.code == 0, done.stderr
    return done


@pytest.mark.parametrize("count", [1, 2, 4])
def test_another_number_of_images_in_mid_epoch_is_warned_about(resume: Resume, aligned_root: Path, count: int) -> None:
    done = resumed_with(count, resume, aligned_root)
    assert f"there are {count} training images now and were 3: the rest of epoch 1 follows another order" in done.stdout
    assert state_of("run")["progress"]["epoch"] == 2
    assert state_of("run")["epoch_size"] == count


def test_the_same_number_or_another_one_between_epochs_is_nothing_to_warn_about(
    resume: Resume, aligned_root: Path
) -> None:
    for count in (3, 4):  # in mid epoch, and at its end
        assert "training images now" not in resumed_with(count, resume, aligned_root).stdout


def unusual(value: Any, place: str) -> list[str]:
    """Return where a value is neither a plain container nor a tensor that carries itself alone."""
    if type(value) is Tensor:
        bare = value.device.type == "cpu" and not value.requires_grad and value.is_contiguous()
        return [] if bare and value.untyped_storage().nbytes() == value.nbytes else [place]
    if type(value) is dict:
        return [found for key, item in value.items() for found in unusual([key, item], f"{place}/{key}")]
    if type(value) is list:
        return [found for item in value for found in unusual(item, place)]
    return [] if value is None or type(value) in (str, int, float, bool) else [f"{place}: {type(value)}"]


@pytest.mark.parametrize("model", trained_models())
def test_every_saved_file_holds_nothing_but_tensors_and_plain_containers(
    model: str, request: pytest.FixtureRequest, run_cli: RunCli, tiny: list[str]
) -> None:
    root = request.getfixturevalue(LAYOUT.get(model, "aligned_root"))
    words = ["--dataroot", root, "--model", model, "--netG", "resnet_1blocks", *tiny, "--save_latest_freq", 1]
    assert run_cli("train", [*words, "--no_html", "--save_by_iter", "--name", "run"]).code == 0
    files = sorted(RUN.glob("*.pth"))
    assert {file.name.split("_")[0] for file in files} == {"latest", "previous", "iter", "1"}
    for file in files:
        assert unusual(torch.load(file, weights_only=True), file.name) == []


def test_the_latest_state_is_taken_and_the_one_before_is_kept(tmp_path: Path) -> None:
    assert not has_state(tmp_path)
    for number in range(3):
        write_state(plain_state(number), tmp_path)
    found = read_state(tmp_path)
    assert (found.path, found.complaint) == (tmp_path / "latest_state.pth", "")
    assert differences(found.state, plain_state(2)) == []
    found.path.unlink()
    assert has_state(tmp_path)
    assert differences(read_state(tmp_path).state, plain_state(1)) == []
    assert read_state(tmp_path).path == tmp_path / "previous_state.pth"


def test_a_disk_that_refuses_replaces_neither_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2):
        write_state(plain_state(number), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        write_state(plain_state(2), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_without_states_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="latest_state.pth is missing"):
        read_state(tmp_path)
