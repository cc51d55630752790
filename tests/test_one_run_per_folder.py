"""A folder holds one run: a second training of its name is kept out, and an old run goes only when it is told to."""

import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from models.state import read_state
from models.validation import Validation
from tests.conftest import TINY, Finished, RunCli
from tests.nursery import Nursery
from tests.refusals import refused
from tests.same_runs import assert_same_checkpoints, checkpoints, contents, images_saved, reports

FLAGS = f"--dataroot data --pool_size 2 --netG resnet_1blocks {TINY} --no_html --display_freq 400 --n_epochs_decay 1"
AT_ONCE = {"util.run_lock.PATIENCE": 0.05}
IMAGES, HALFWAY = 6, 3


class TestTwoTrainingsAtOnce:
    @pytest.mark.parametrize("flags", ["", "--overwrite", "--continue_train", "--resume auto", "--init_from whole"])
    def test_the_second_is_refused_and_the_first_is_not_disturbed(self, flags: str, place: Nursery) -> None:
        if not (whole := place.folder / "checkpoints" / "whole").exists():
            assert place.run([*FLAGS.split(), "--name", "whole", "--save_latest_freq", HALFWAY]).code == 0
        name = f"busy {flags}"
        run = place.folder / "checkpoints" / name
        words = [*FLAGS.split(), "--name", name, "--save_latest_freq", HALFWAY]
        first = place.start(words, holds=(HALFWAY,))
        first.reach(HALFWAY)
        before = contents(run)
        second = place.run([*words, *flags.split()], constants=AT_ONCE)
        refused(second, f"at work in checkpoints/{name}", rf"\(process {first.pid} on \S+, since .*\)", "--name")
        assert second.stderr.count("\n") == 1
        assert contents(run) == before
        first.go(HALFWAY)
        done = first.wait()
        assert done.code == 0, done.stderr
        assert_same_checkpoints(run, whole)
        assert reports(run) == reports(whole)

    @pytest.mark.parametrize("end", ["SIGKILL", "SIGTERM"])
    def test_the_folder_is_free_when_the_first_has_ended_however_it_did(self, end: str, place: Nursery) -> None:
        words = [*FLAGS.split(), "--name", end, "--save_latest_freq", HALFWAY]
        first = place.start(words, holds=(HALFWAY,))
        first.reach(HALFWAY)
        first.kill(signal.Signals[end])
        first.go(HALFWAY)
        assert first.wait().code != 0
        second = place.run([*words, "--resume", "auto"], constants=AT_ONCE)
        assert second.code == 0, second.stderr
        assert images_saved(place.folder / "checkpoints" / end) == IMAGES

    def test_trainings_of_different_names_do_not_mind_each_other(self, place: Nursery) -> None:
        first = place.start([*FLAGS.split(), "--name", "one"], holds=(1,))
        first.reach(1)
        assert place.run([*FLAGS.split(), "--name", "other"], constants=AT_ONCE).code == 0
        first.go(1)
        assert first.wait().code == 0


Train = Callable[..., Finished]


@pytest.fixture
def train(run_cli: RunCli, unaligned_root: Path, tiny: list[str]) -> Train:
    """Train on three images for an epoch, in the folder ``checkpoints/cg`` of the test."""

    def run(*flags: object) -> Finished:
        basic = ["--name", "cg", "--dataroot", unaligned_root, "--netG", "resnet_1blocks", *tiny]
        return run_cli("train", [*basic, *flags])

    return run


def names(folder: Path, pattern: str = "*") -> set[str]:
    return {path.name for path in folder.glob(pattern)}


class TestAnOldRun:
    """``trained`` is the folder of a finished run named ``cg``."""

    @pytest.mark.parametrize("left", ["all", "previous_state.pth", "1_net_G_A.pth", "latest_net_D_B.safetensors"])
    @pytest.mark.parametrize("flags", [[], ["--init_from", "other"]])
    def test_is_not_touched_without_a_word(self, left: str, flags: list[str], trained: Path, train: Train) -> None:
        shutil.copytree(trained, trained.with_name("other"))
        if left != "all":
            for path in trained.glob("*.pth"):
                path.unlink()
            (trained / left).write_bytes(b"what somebody may need")
        before = contents(trained)
        refused(train(*flags), "checkpoints/cg holds a run already", "--continue_train", "--overwrite", "--name")
        assert contents(trained) == before

    def test_goes_when_it_is_told_to_and_takes_nothing_else_along(self, trained: Path, train: Train) -> None:
        assert train("--overwrite", "--n_epochs", 3, "--save_epoch_freq", 1, "--display_freq", 1).code == 0
        assert (trained / "web" / "images" / "epoch003_real_A.png").exists()
        for name in ("damaged_state.pth", "metrics.1.jsonl", "iter_5_net_G_A.pth", "best_net_D_A.pth"):
            (trained / name).write_bytes(b"old")
        others = [trained / "notes.txt", trained / "samples" / "3_net_G_A.pth"]
        for path in others:
            path.parent.mkdir(exist_ok=True)
            path.write_text("a stranger's")
        done = train("--overwrite")
        assert done.code == 0, done.stderr
        assert names(trained, "*.pth") == {"latest_state.pth", *weights("1", "latest")}
        assert names(trained, "metrics*") == {"metrics.jsonl"}
        assert {event["images_seen"] for event in reports(trained)} == {1, 2, 3}
        assert (trained / "loss_log.txt").read_text().count("Training Loss") == 1
        assert {name[:8] for name in names(trained / "web" / "images")} == {"epoch001"}
        assert "epoch 3" not in (trained / "web" / "index.html").read_text()
        assert [path.read_text() for path in others] == ["a stranger's"] * 2

    def test_can_give_its_networks_to_the_run_that_takes_its_place(self, trained: Path, train: Train) -> None:
        before = checkpoints(trained, "latest_net_G_*")
        assert train("--overwrite", "--init_from", "cg", "--lr", 1e-20, "--seed", 1).code == 0
        for name, network in checkpoints(trained, "latest_net_G_*").items():
            for key, value in network.items():
                assert torch.allclose(value, before[name][key], atol=1e-12), (name, key)

    @pytest.mark.parametrize(
        "mistake",
        [
            "--ngf 0",
            "--no_such_flag",
            "--resume auto",
            "--continue_train",
            "--model test",
            "--netG unet_250",
            "--dataroot nowhere",
            "--dataset_mode aligned",
            "--phase nothing",
            "--init_from nowhere",
            "--init_from nowhere.pth",
            "--init_from cg --ngf 8",
            "--gpu_ids 99",
            "--lr_policy plateau --pool_size 0 --val_phase nothing",
            "--input_nc 4",
            "--batch_size 2 --drop",
            "--use_tensorboard",
            "--use_wandb",
        ],
    )
    def test_is_not_deleted_by_a_command_with_a_mistake(
        self, mistake: str, trained: Path, train: Train, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for package in ("wandb", "tensorboard"):  # they may be installed here
            monkeypatch.delitem(sys.modules, package, raising=False)
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        before = contents(trained)
        done = train("--overwrite", *mistake.split())
        refused(done)
        assert contents(trained) == before


NETWORKS = ("G_A", "G_B", "D_A", "D_B")


def weights(*prefixes: str) -> set[str]:
    return {f"{prefix}_net_{name}.pth" for prefix in prefixes for name in NETWORKS}


class TestKeepLast:
    FLAGS = ("--n_epochs", 5, "--save_epoch_freq", 1, "--save_by_iter", "--save_latest_freq", 2)

    def test_nothing_is_deleted_unless_it_is_asked_for(self, tmp_path: Path, train: Train) -> None:
        assert train(*self.FLAGS).code == 0
        iterations = (f"iter_{images}" for images in range(2, 15, 2))
        expected = weights("latest", "1", "2", "3", "4", "5", *iterations)
        assert names(tmp_path / "checkpoints" / "cg", "*_net_*") == expected

    @pytest.mark.parametrize("keep", [1, 3])
    def test_the_newest_numbered_saves_of_each_kind_stay(self, keep: int, tmp_path: Path, train: Train) -> None:
        assert train(*self.FLAGS, "--keep_last", keep).code == 0
        kept = {1: ("5", "iter_14"), 3: ("3", "4", "5", "iter_10", "iter_12", "iter_14")}[keep]
        assert names(tmp_path / "checkpoints" / "cg", "*_net_*") == weights("latest", *kept)

    def test_the_best_save_stays(self, tmp_path: Path, train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
        scores = iter([3.0, 1.0, 2.0, 2.0, 2.0])
        monkeypatch.setattr(Validation, "_scores", lambda *given: {"cycle_G_A": 0.0, "cycle_G_B": 2 * next(scores)})
        assert train("--n_epochs", 5, "--save_epoch_freq", 1, "--keep_last", 1, "--lr_policy", "plateau").code == 0
        run = tmp_path / "checkpoints" / "cg"
        assert names(run, "*_net_*") == weights("latest", "best", "5")
        assert read_state(run).state["progress"]["metrics"] == [3.0, 1.0, 2.0, 2.0, 2.0]

    def test_weights_of_other_networks_stay(self, trained: Path, train: Train) -> None:
        others = {f"{prefix}_net_{name}.pth" for prefix in ("1", "iter_2") for name in ("G", "A", "G_A_B", "S_G_A")}
        others |= {"x1_net_G_A.pth", "1b_net_G_A.pth", "1_net_G_A.pth.bak", "1_net_G_A.safetensors"}
        for name in others:
            (trained / name).write_bytes(b"somebody's")
        assert train("--continue_train", *self.FLAGS, "--keep_last", 1).code == 0
        assert names(trained, "*_net_*") == weights("latest", "5", "iter_14") | others
        assert {(trained / name).read_bytes() for name in others} == {b"somebody's"}

    def test_what_was_just_saved_is_kept_where_the_run_was_taken_up_at_an_earlier_epoch(
        self, tmp_path: Path, train: Train
    ) -> None:
        assert train("--n_epochs", 5, "--save_epoch_freq", 1).code == 0
        back = ("--continue_train", "--epoch", 1, "--epoch_count", 2, "--n_epochs", 3, "--keep_last", 2)
        assert train(*back, "--save_epoch_freq", 1).code == 0
        assert names(tmp_path / "checkpoints" / "cg", "*_net_*") == weights("latest", "2", "3")
