"""A training that was stopped and continued ends where one that ran through ends, to the bit."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from models.stepper import Stepper
from options.taken_over import NOT_RESUMED
from tests.conftest import Finished, RunCli
from tests.refusals import refused
from tests.same_runs import LAYOUT, assert_same_run, differences, losses_of, state_of

CASES = {
    "cycle_gan": "--model cycle_gan --dropout --pool_size 2",
    "pix2pix": "--model pix2pix",  # batch norm and dropout
    "pix2pix unet wgangp": "--model pix2pix --norm instance --gan_mode wgangp --netG unet_32",
    "template": "--model template --lr_policy cosine",
}
Train = Callable[..., Finished]
StopBefore = Callable[[int, Callable[[], Finished]], None]


@pytest.fixture
def train(request: pytest.FixtureRequest, tiny: list[str], run_cli: RunCli) -> Train:
    """Run two epochs of three images (the second at half the rate) of a case, or continue a run."""

    def run(case: str, name: str, flags: str = "") -> Finished:
        words = CASES[case].split()
        root = request.getfixturevalue(LAYOUT.get(words[1], "aligned_root"))
        basic = [*tiny, "--n_epochs_decay", "1", "--netG", "resnet_1blocks", "--no_html"]
        return run_cli("train", ["--dataroot", root, *basic, *words, "--name", name, *flags.split()])

    return run


@pytest.fixture
def stop_before(monkeypatch: pytest.MonkeyPatch) -> StopBefore:
    """Run something and interrupt it, as Ctrl-C does, in the step after so many images."""

    def stopped(images: int, start: Callable[[], Finished]) -> None:
        step = Stepper.step

        def interrupted(self: Stepper, batch: Any, progress: Any) -> Any:
            if progress.images_seen >= images:
                raise KeyboardInterrupt
            return step(self, batch, progress)

        with monkeypatch.context() as patch:
            patch.setattr(Stepper, "step", interrupted)
            assert start().code == 130

    return stopped


@pytest.mark.parametrize(
    ("case", "flags", "stops", "seen"),
    [
        ("cycle_gan", "--ema 0.9", [(5, "--save_latest_freq 4")], 1),  # in mid epoch
        ("pix2pix", "--ema 0.9", [(5, "--save_latest_freq 4")], 1),
        ("pix2pix unet wgangp", "", [(5, "--save_latest_freq 4")], 1),
        ("cycle_gan", "", [(2, "--save_latest_freq 1"), (4, "--save_latest_freq 1")], 1),  # twice
        ("pix2pix", "", [(3, "--save_latest_freq 3")], 3),  # at the last image of an epoch
        ("cycle_gan", "--batch_size 2", [(5, "--save_latest_freq 5")], 2),  # a shorter batch comes last
    ],
)
def test_a_run_continues_bit_exactly_from_the_last_save(
    case: str, flags: str, stops: list[tuple[int, str]], seen: int, train: Train, stop_before: StopBefore
) -> None:
    assert train(case, "whole", flags).code == 0
    more = ""
    for images, saves in stops:
        stop_before(images, partial(train, case, "stopped", f"{flags} {saves} {more}"))
        more = "--continue_train"
    assert state_of("stopped")["progress"]["seen_in_epoch"] == seen
    assert losses_of("stopped")[-1][2] == stops[-1][0]  # what came after the save is forgotten and computed again
    assert train(case, "stopped", f"{flags} --continue_train").code == 0
    assert_same_run("stopped", "whole")


def test_a_damaged_image_saves_the_run_which_continues_once_it_is_repaired(train: Train, unaligned_root: Path) -> None:
    flags = "--serial_batches --save_latest_freq 100"
    assert train("cycle_gan", "whole", flags).code == 0
    image = unaligned_root / "trainA" / "a2.png"
    content = image.read_bytes()
    image.write_bytes(content[:100])
    stopped = train("cycle_gan", "stopped", flags)
    assert stopped.code == 2
    assert "a2.png" in stopped.stderr
    assert "everything learned in 2 images is saved" in stopped.stdout
    image.write_bytes(content)
    assert train("cycle_gan", "stopped", f"{flags} --continue_train").code == 0
    assert_same_run("stopped", "whole")


def test_continue_train_alone_restores_every_option(
    train: Train, run_cli: RunCli, stop_before: StopBefore, tmp_path: Path
) -> None:
    flags = (
        "--direction BtoA --lr 0.001 --beta1 0.4 --lambda_A 7 --lambda_identity 0.25 --gan_mode vanilla --norm batch "
        "--init_type xavier --init_gain 0.05 --load_size 38 --no_flip --serial_batches --max_dataset_size 2 --seed 5 "
        "--pool_size 3 --print_freq 2 --save_epoch_freq 1 --batch_size 2 --lr_policy step --lr_decay_iters 1 --verbose"
    )
    assert train("cycle_gan", "whole", flags).code == 0
    stop_before(2, lambda: train("cycle_gan", "stopped", flags))
    path = tmp_path / "checkpoints" / "stopped" / "train_opt.json"
    before = json.loads(path.read_text())
    done = run_cli("train", ["--continue_train", "--name", "stopped", "--checkpoints_dir", tmp_path / "checkpoints"])
    assert done.code == 0, done.stderr
    after = json.loads(path.read_text())
    assert {key for key in before | after if before.get(key) != after.get(key)} <= NOT_RESUMED
    assert after["max_dataset_size"] == 2
    assert after["no_dropout"] is False
    assert_same_run("stopped", "whole")


def test_another_model_cannot_continue_a_run(train: Train) -> None:
    assert train("template", "run").code == 0
    words = "--model pix2pix cannot continue this run, which is a template"
    refused(train("pix2pix", "run", "--continue_train"), words)


@pytest.mark.parametrize("with_options", [True, False])
def test_official_weights_alone_start_optimizers_and_counters_afresh(with_options: bool, train: Train) -> None:
    assert train("pix2pix", "run").code == 0
    folder = Path("checkpoints", "run")
    (folder / "latest_state.pth").unlink()
    if not with_options:
        (folder / "train_opt.json").unlink()
    before = torch.load(folder / "latest_net_G.pth", weights_only=True)
    done = train("pix2pix", "run", "--continue_train --epoch_count 2 --lr 1e-20")
    assert done.code == 0, done.stderr
    warning = "only weights were loaded (latest_net_*.pth): optimizers, counters and averages start fresh, at epoch 2"
    assert warning in done.stdout
    assert [event[0] for event in losses_of("run")] == [2, 2, 2]
    assert {event[3] for event in losses_of("run")} == {0.5e-20}  # n_epochs 1, n_epochs_decay 1: half in epoch 2
    after = torch.load(folder / "latest_net_G.pth", weights_only=True)
    for key, value in before.items():
        if "running" not in key and "tracked" not in key:
            assert torch.allclose(after[key], value, atol=1e-15), key


def test_the_weights_of_a_numbered_epoch_can_be_continued(train: Train) -> None:
    assert train("pix2pix", "run", "--save_epoch_freq 1").code == 0
    first = torch.load(Path("checkpoints", "run", "1_net_G.pth"), weights_only=True)
    done = train("pix2pix", "run", "--continue_train --epoch 1 --epoch_count 2 --lr 1e-20")
    assert "only weights were loaded (1_net_*.pth)" in done.stdout
    after = torch.load(Path("checkpoints", "run", "latest_net_G.pth"), weights_only=True)
    assert torch.equal(after["model.1.weight"], first["model.1.weight"])


def test_missing_discriminators_start_fresh_with_a_warning(train: Train) -> None:
    assert train("cycle_gan", "run").code == 0
    folder = Path("checkpoints", "run")
    for name in ("latest_state.pth", "latest_net_D_A.pth", "latest_net_D_B.pth"):
        (folder / name).unlink()
    done = train("cycle_gan", "run", "--continue_train")
    assert done.code == 0, done.stderr
    for name in ("D_A", "D_B"):
        assert f"latest_net_{name}.pth; network {name} starts fresh" in done.stdout
        assert (folder / f"latest_net_{name}.pth").exists()


def test_a_missing_generator_cannot_start_fresh(train: Train) -> None:
    assert train("cycle_gan", "run").code == 0
    for name in ("latest_state.pth", "latest_net_G_B.pth"):
        Path("checkpoints", "run", name).unlink()
    refused(train("cycle_gan", "run", "--continue_train"), "latest_net_G_B.pth")


def test_there_is_nothing_to_continue_without_a_run(train: Train) -> None:
    done = train("pix2pix", "nowhere", "--continue_train")
    refused(done, "there is no run checkpoints/nowhere; check --name and --checkpoints_dir")


def test_a_run_stopped_before_its_first_save_says_so(train: Train, stop_before: StopBefore) -> None:
    stop_before(1, lambda: train("pix2pix", "run"))
    refused(train("pix2pix", "run", "--continue_train"), "there is no checkpoint")


@pytest.mark.parametrize(
    ("flags", "prefixes"),
    [("--save_epoch_freq 5", "2 latest"), ("--save_latest_freq 2 --save_by_iter", "2 iter_2 iter_4 iter_6 latest")],
)
def test_the_final_epoch_is_always_saved_and_iterations_by_their_number(
    flags: str, prefixes: str, train: Train
) -> None:
    assert train("template", "run", flags).code == 0
    files = {path.name for path in Path("checkpoints", "run").glob("*_net_*.pth")}
    assert files == {f"{prefix}_net_G.pth" for prefix in prefixes.split()}


def test_the_end_of_an_epoch_is_saved_once(train: Train) -> None:
    said = train("template", "run", "--save_latest_freq 3 --save_epoch_freq 5").stdout.splitlines()
    saves = [line.partition(" as ")[2] for line in said if line.startswith("saving the model")]
    assert saves == ["latest (3 images seen)", "latest, 2 (6 images seen)"]


def test_a_finished_run_goes_on_when_it_gets_more_epochs(train: Train) -> None:
    assert train("cycle_gan", "long", "--n_epochs 2 --n_epochs_decay 0").code == 0
    assert train("cycle_gan", "raised", "--n_epochs 1 --n_epochs_decay 0").code == 0
    assert train("cycle_gan", "raised", "--n_epochs 2 --n_epochs_decay 0 --continue_train").code == 0
    assert_same_run("raised", "long")
    assert [event[0] for event in losses_of("raised")] == [1, 1, 1, 2, 2, 2]


def test_a_finished_run_continued_as_it_is_stays_as_it_is(train: Train) -> None:
    assert train("template", "run").code == 0
    before, lines = state_of("run"), losses_of("run")
    assert train("template", "run", "--continue_train").code == 0
    assert differences(state_of("run")["networks"], before["networks"]) == []
    assert losses_of("run") == lines


def test_an_epoch_count_that_will_not_be_used_is_not_ignored_in_silence(train: Train) -> None:
    assert train("template", "run", "--n_epochs 2 --save_epoch_freq 1").code == 0
    done = train("template", "run", "--n_epochs 4 --continue_train --epoch_count 2")
    assert "--epoch_count" in done.stdout + done.stderr, "neither refused nor warned about"


def test_an_epoch_count_without_continue_train_is_not_ignored_in_silence(train: Train) -> None:
    done = train("template", "run", "--epoch_count 2")
    assert "--epoch_count" in done.stdout + done.stderr or losses_of("run")[0][0] == 2


def test_the_state_file_alone_is_enough_to_go_on(run_cli: RunCli, aligned_root: Path, tiny: list[str]) -> None:
    flags = ["--dataroot", aligned_root, "--model", "pix2pix", "--netG", "unet_32", *tiny, "--name", "run"]
    assert run_cli("train", flags).code == 0
    for path in set(Path("checkpoints/run").glob("*.*")) - {Path("checkpoints/run/latest_state.pth")}:
        path.unlink()
    done = run_cli("train", ["--name", "run", "--continue_train", "--n_epochs", "2"])
    assert done.code == 0, done.stderr
    assert "continuing from" in done.stdout
    assert run_cli("test", ["--name", "run"]).code == 0
