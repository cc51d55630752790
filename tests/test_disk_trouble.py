"""A disk that refuses for a while costs nothing; one that refuses for good costs one sentence and no saved state.

The refusals are the system's own: a limit on the size of files, a folder that is gone, a file system that is full.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import TINY, Finished, RunCli
from tests.nursery import Nursery
from tests.outages import FileInstead, LostFolder, Outage, TotalOutage, fill, small_file_system
from tests.refusals import refused
from tests.same_runs import (
    assert_same_checkpoints,
    assert_whole,
    checkpoints,
    contents,
    differences,
    images_saved,
    reports,
)

IMAGES, TROUBLE, BETTER = 8, 3, 6  # images: in all, seen before the disk refuses, and before it works again
HASTE = {"models.saver.LAST_TRIES": 3, "models.saver.PAUSE": 0.05}
PHASES = {"train": IMAGES // 2}
FLAGS = f"--dataroot data --pool_size 2 --netG resnet_1blocks {TINY} --no_html --save_latest_freq 1 --n_epochs_decay 1"


@pytest.fixture(scope="module")
def whole(place: Nursery) -> Path:
    """The folder of a run that nobody disturbed."""
    done = place.run([*FLAGS.split(), "--name", "whole"])
    assert done.code == 0, done.stderr
    return place.folder / "checkpoints" / "whole"


def troubled(place: Nursery, name: str, kind: type[Outage]) -> Finished:
    """Run a training with an outage that ends; check what lies on the disk meanwhile."""
    run = place.folder / "checkpoints" / name
    life = place.start([*FLAGS.split(), "--name", name], holds=(TROUBLE, BETTER))
    life.reach(TROUBLE)
    outage = kind(life, run)
    outage.begin()
    life.go(TROUBLE)
    life.reach(BETTER)
    outage.finish()
    assert images_saved(run) == TROUBLE
    assert_whole(run)
    assert not list(run.glob("*.tmp"))
    life.go(BETTER)
    return life.wait()


@pytest.mark.parametrize("kind", [Outage, LostFolder, FileInstead])
def test_a_disk_that_refuses_for_a_while_is_warned_about_and_changes_nothing(
    kind: type[Outage], place: Nursery, whole: Path
) -> None:
    name = kind.__name__
    done = troubled(place, name, kind)
    assert done.code == 0, done.stderr
    warnings = [line for line in done.stdout.splitlines() if line.startswith("cannot save")]
    assert len(warnings) == BETTER - TROUBLE
    for warning in warnings:
        assert f"to checkpoints/{name} (" in warning
        assert f"{TROUBLE} images seen" in warning  # whole, or out of sight for a while
    assert_same_checkpoints(place.folder / "checkpoints" / name, whole)
    assert reports(place.folder / "checkpoints" / name) == reports(whole)


def test_a_training_that_cannot_even_print_goes_on(place: Nursery, whole: Path) -> None:
    done = troubled(place, "silent", TotalOutage)
    assert done.code == 0, done.stderr
    assert_same_checkpoints(place.folder / "checkpoints" / "silent", whole)


def ended_by_the_disk(place: Nursery, name: str, kind: type[Outage], number: int = 0) -> Finished:
    """Run a training with an outage that does not end; perhaps send it a signal meanwhile."""
    life = place.start([*FLAGS.split(), "--name", name], holds=(TROUBLE, BETTER), constants=HASTE)
    life.reach(TROUBLE)
    kind(life, place.folder / "checkpoints" / name).begin()
    life.go(TROUBLE)
    life.reach(BETTER)
    if number:
        life.kill(number)
    life.go(BETTER)
    return life.wait()


def test_a_run_that_can_never_be_saved_again_ends_in_one_sentence_and_can_be_continued(
    place: Nursery, whole: Path
) -> None:
    run = place.folder / "checkpoints" / "never"
    done = ended_by_the_disk(place, "never", Outage)
    refused(
        done, "cannot save to checkpoints/never", f"the state of {TROUBLE} images seen is whole", "--continue_train"
    )
    assert done.stderr.count("\n") == 1
    assert "trying again" in done.stdout
    assert f"({IMAGES} images seen)" in done.stdout  # it trained to its end
    assert images_saved(run) == TROUBLE
    assert_whole(run)
    assert place.run(["--name", "never", "--continue_train"]).code == 0
    assert_same_checkpoints(run, whole)
    assert reports(run) == reports(whole)


def test_a_disk_that_works_again_after_the_last_epoch_gets_the_last_save(place: Nursery, whole: Path) -> None:
    run = place.folder / "checkpoints" / "late"
    patience = {"models.saver.LAST_TRIES": 1000, "models.saver.PAUSE": 0.05}
    life = place.start([*FLAGS.split(), "--name", "late"], holds=(TROUBLE,), constants=patience)
    life.reach(TROUBLE)
    outage = Outage(life, run)
    outage.begin()
    life.go(TROUBLE)
    life.says("trying again")
    outage.finish()
    done = life.wait()
    assert done.code == 0, done.stderr
    mine, theirs = checkpoints(run), checkpoints(whole)
    mine.pop("previous_state.pth")  # the one from before the trouble
    theirs.pop("previous_state.pth")
    assert differences(mine, theirs) == []
    assert reports(run) == reports(whole)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_while_the_disk_refuses_is_a_sentence_and_spares_the_last_state(
    name: str, place: Nursery, whole: Path
) -> None:
    run = place.folder / "checkpoints" / name
    done = ended_by_the_disk(place, name, Outage, signal.Signals[name])
    refused(done, f"cannot save to checkpoints/{name}", f"the state of {TROUBLE} images seen is whole")
    assert images_saved(run) == TROUBLE
    assert place.run(["--name", name, "--continue_train"]).code == 0
    assert_same_checkpoints(run, whole)


def test_a_folder_that_never_comes_back_is_a_sentence(place: Nursery) -> None:
    done = ended_by_the_disk(place, "gone", LostFolder)
    refused(done, "cannot save to checkpoints/gone")
    assert done.stderr.count("\n") == 1
    assert images_saved(place.folder / "checkpoints" / "gone is away") == TROUBLE


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with small_file_system(tmp_path / "small") as folder:
        yield folder


def test_a_full_disk_changes_nothing_once_there_is_room(place: Nursery, whole: Path, small_disk: Path) -> None:
    run = small_disk / "full"
    life = place.start([*FLAGS.split(), "--name", "full", "--checkpoints_dir", small_disk], holds=(TROUBLE, BETTER))
    life.reach(TROUBLE)
    ballast = fill(small_disk)
    life.go(TROUBLE)
    life.reach(BETTER)
    assert images_saved(run) == TROUBLE
    assert_whole(run)
    ballast.unlink()
    life.go(BETTER)
    done = life.wait()
    assert done.code == 0, done.stderr
    assert f"to {run} (No space left on device); the state of {TROUBLE} images" in done.stdout
    assert_same_checkpoints(run, whole)


def test_a_disk_with_no_room_at_the_start_is_a_sentence(place: Nursery, small_disk: Path) -> None:
    fill(small_disk)
    done = place.run([*FLAGS.split(), "--name", "full", "--checkpoints_dir", small_disk])
    refused(done, "[Nn]o space left")
    assert done.stderr.count("\n") == 1


def test_a_disk_too_small_for_a_state_ends_in_a_sentence(place: Nursery, small_disk: Path) -> None:
    flags = [*FLAGS.split(), "--ngf", 24, "--name", "large", "--checkpoints_dir", small_disk]
    done = place.run(flags, constants=HASTE)
    refused(done, f"cannot save to {small_disk}/large")
    assert done.stderr.count("\n") == 1
    assert "is whole" not in done.stdout + done.stderr, "there is no state"


def test_a_folder_that_cannot_be_written_is_a_sentence(place: Nursery) -> None:
    for where in ("/proc/nowhere", "data/trainA/a0.png"):
        done = place.run([*FLAGS.split(), "--name", "run", "--checkpoints_dir", where])
        refused(done, f"cannot write to the folder {where}/run", "choose another place")
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("flags", [["--continue_train"], ["--resume", "auto"]])
def test_halves_of_files_are_removed_when_the_run_goes_on(flags: list[str], trained: Path, run_cli: RunCli) -> None:
    halves = [trained / f"{name}.tmp" for name in ("latest_state.pth", "latest_net_G_A.pth", "train_opt.json")]
    for half in halves:
        half.write_bytes(b"PK\x03\x04 half of it")
    before = contents(trained)
    assert run_cli("train", ["--name", "cg", *flags]).code == 0
    assert not any(half.exists() for half in halves)
    assert {name for name in before if name.endswith(".pth")} == {path.name for path in trained.glob("*.pth")}


def test_halves_of_files_of_a_run_killed_in_its_first_save_do_not_keep_a_new_one_out(
    tmp_path: Path, unaligned_root: Path, tiny: list[str], run_cli: RunCli
) -> None:
    run = tmp_path / "checkpoints" / "new"
    run.mkdir(parents=True)
    (run / "latest_state.pth.tmp").write_bytes(b"half of it")
    flags = ["--name", "new", "--dataroot", unaligned_root, "--netG", "resnet_1blocks", *tiny]
    assert run_cli("train", flags).code == 0
    assert not list(run.glob("*.tmp"))
