"""A resume that cannot work ends in one sentence, and spares what was saved."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import Finished, RunCli
from tests.damage import save_with_code
from tests.refusals import RESNET, refused


def state_of(run: Path) -> Any:
    return torch.load(run / "latest_state.pth", weights_only=True)


def all_finite(state: Any) -> bool:
    return all(bool(torch.isfinite(t).all()) for net in state["networks"].values() for t in net.values())


Resume = Callable[..., Finished]


class TestResume:
    @pytest.fixture
    def resume(self, run_cli: RunCli, unaligned_root: Path) -> Resume:
        words = ["--continue_train", "--name", "cg", "--dataroot", unaligned_root, "--n_epochs", 4]
        return lambda *more: run_cli("train", [*words, *more])

    def test_without_a_run(self, resume: Resume, tmp_path: Path) -> None:
        refused(resume(), "there is no run checkpoints/cg; check --name")
        assert not (tmp_path / "checkpoints").exists()

    def test_with_an_empty_run_folder(self, resume: Resume, tmp_path: Path) -> None:
        (tmp_path / "checkpoints" / "cg").mkdir(parents=True)
        refused(resume(), "there is no checkpoint checkpoints/cg/latest_net_G")

    def test_with_another_model(self, resume: Resume, trained: Path) -> None:
        result = resume("--model", "pix2pix")
        refused(result, "--model pix2pix cannot continue this run, which is a cycle_gan; leave --model out, or")

    def test_with_another_network(self, resume: Resume, trained: Path) -> None:
        result = resume("--ngf", 8)
        refused(result, "--ngf 8 cannot continue this run, which has --ngf 4", "--init_from cg")

    def test_a_refused_resume_leaves_the_stored_options_alone(self, resume: Resume, trained: Path) -> None:
        before = (trained / "train_opt.json").read_bytes()
        for words in (["--ngf", 8], ["--epoch", 99], ["--dataset_mode", "single"], ["--model", "pix2pix"]):
            refused(resume(*words))
        assert (trained / "train_opt.json").read_bytes() == before

    def test_from_a_state_that_holds_code(self, resume: Resume, trained: Path, tmp_path: Path) -> None:
        save_with_code(trained / "latest_state.pth")
        refused(resume(), "latest_state.pth holds code or objects")
        assert not (tmp_path / "executed").exists()

    @pytest.mark.parametrize("value", [[1], {}, {"format": 99}, {"format": 1}])
    def test_from_something_else_than_a_state(self, resume: Resume, trained: Path, value: Any) -> None:
        torch.save(value, trained / "latest_state.pth")
        refused(resume(), "latest_state.pth")

    @pytest.mark.parametrize("part", ["networks", "optimizers", "model", "progress"])
    def test_from_a_state_that_lacks_a_part(self, resume: Resume, trained: Path, part: str) -> None:
        torch.save({**state_of(trained), part: {}}, trained / "latest_state.pth")
        refused(resume(), "latest_state.pth")

    @pytest.mark.parametrize("rhythm", ["--print_freq 1", "--print_freq 1000 --save_epoch_freq 1"])
    def test_losses_that_are_no_numbers_stop_the_run_and_spare_its_last_state(
        self, resume: Resume, trained: Path, rhythm: str
    ) -> None:
        result = resume("--lr", "1e30", *rhythm.split())
        refused(result, r"the (loss|weights) .* after \d+ images", "lower --lr", "--continue_train")
        assert all_finite(state_of(trained))
        for path in trained.glob("*_net_*.pth"):
            weights = torch.load(path, weights_only=True)
            assert all(bool(torch.isfinite(tensor).all()) for tensor in weights.values()), path.name
        assert resume("--lr", "0.0002").code == 0

    def test_the_first_epoch_number_is_not_ignored_in_a_fresh_run(
        self, run_cli: RunCli, unaligned_root: Path, tiny: list[str]
    ) -> None:
        words = ["--dataroot", unaligned_root, *RESNET, *tiny, "--n_epochs", 3, "--epoch_count", 3]
        result = run_cli("train", words)
        assert "End of epoch 3 / 3" in result.stdout
        assert "End of epoch 1 / 3" not in result.stdout


def test_the_options_of_a_run_are_plain_json(trained: Path) -> None:
    stored = json.loads((trained / "train_opt.json").read_text(), parse_constant=pytest.fail)
    assert stored["netG"] == "resnet_1blocks"
