"""Damaged, foreign and malicious checkpoints end in one sentence, and run no code."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Finished, RunCli
from tests.damage import DAMAGED, WITH_CODE, Damage
from tests.refusals import refused

Translate = Callable[..., Finished]


@pytest.mark.filterwarnings("ignore:.*pickle protocol")
class TestCheckpoints:
    @pytest.fixture(params=["with stored options", "with weights alone"])
    def run(self, request: pytest.FixtureRequest, trained: Path) -> Path:
        """A run folder of ours, and one as the official code leaves it."""
        if request.param == "with weights alone":
            for name in ("train_opt.json", "latest_state.pth"):
                (trained / name).unlink()
        return trained

    @pytest.fixture
    def translate(self, run_cli: RunCli, unaligned_root: Path) -> Translate:
        words = ["--name", "cg", "--dataroot", unaligned_root / "testA", "--model", "test"]
        return lambda *more: run_cli("test", [*words, *more])

    @pytest.mark.parametrize("damage", WITH_CODE)
    def test_a_checkpoint_that_holds_code_is_refused_unexecuted(
        self, translate: Translate, run: Path, tmp_path: Path, damage: Damage
    ) -> None:
        damage(run / "latest_net_G_A.pth")
        refused(translate(), "latest_net_G_A.pth holds code or objects beside tensors and was not opened")
        assert not (tmp_path / "executed").exists()

    @pytest.mark.parametrize("damage", DAMAGED)
    def test_a_damaged_checkpoint(self, translate: Translate, run: Path, damage: Damage) -> None:
        damage(run / "latest_net_G_A.pth")
        refused(translate(), "the checkpoint .*latest_net_G_A.pth is damaged or cut off", "--epoch")

    def test_the_file_of_a_discriminator(self, translate: Translate, run: Path) -> None:
        shutil.copy(run / "latest_net_D_A.pth", run / "latest_net_G_A.pth")
        refused(translate(), "latest_net_G_A.pth")

    def test_the_weights_of_another_network(self, translate: Translate, run: Path) -> None:
        result = translate("--netG", "resnet_2blocks", "--ngf", 8, "--dropout")
        advice = "pass --netG resnet_1blocks --norm instance .*--ngf 4 .*--no_dropout"
        sentence = refused(result, "latest_net_G_A.pth does not fit", "--netG resnet_2blocks", advice)
        assert translate(*sentence.split("; pass ")[1].split()).code == 0

    @pytest.mark.parametrize(
        ("words", "file"), [("--epoch 99", "cg/99_net_G.*--epoch"), ("--model_suffix _C", "latest_net_G_C.pth")]
    )
    def test_a_file_that_does_not_exist(self, translate: Translate, run: Path, words: str, file: str) -> None:
        refused(translate(*words.split()), f"there is no checkpoint .*{file}")

    def test_a_run_that_does_not_exist(self, run_cli: RunCli, unaligned_root: Path) -> None:
        result = run_cli("test", ["--name", "nothing", "--dataroot", unaligned_root])
        refused(result, "there is no run checkpoints/nothing; check --name and --checkpoints_dir")

    @pytest.mark.parametrize("text", ["{", "[]", '"cycle_gan"', '{"ngf": "many"}', '{"max_dataset_size": "x"}', "\x00"])
    @pytest.mark.parametrize("program", ["train", "test"])
    def test_corrupt_stored_options(
        self, run_cli: RunCli, unaligned_root: Path, tmp_path: Path, program: str, text: str
    ) -> None:
        folder = tmp_path / "checkpoints" / "cg"
        folder.mkdir(parents=True)
        (folder / "train_opt.json").write_text(text)
        if program == "test" and "max_dataset_size" in text:
            text = "not taken over at test"
        words = ["--continue_train"] if program == "train" else []
        result = run_cli(program, ["--name", "cg", "--dataroot", unaligned_root, *words])
        refused(result, *([] if "not taken" in text else ["train_opt.json|stored options|--ngf|--max_dataset_size"]))
