"""What a user can get wrong in files and folders: one sentence that names the thing and the way out, exit code 2."""

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import PROJECT, Finished, RunCli
from tests.pictures import picture, write, write_unaligned

RESNET, UNET = ("--netG", "resnet_1blocks"), ("--model", "pix2pix", "--netG", "unet_32")


def refused(result: Finished, *words: str) -> str:
    """Check that a command ended in one sentence with these words (regular expressions), and return it."""
    assert result.code == 2, result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    sentence = result.stderr.strip().splitlines()[-1]
    assert re.match(r"(train|test)\.py: error: ", sentence)
    for word in words:
        assert re.search(word, sentence), f"{word!r} is not in: {sentence}"
    return sentence


@pytest.fixture
def trained(run_cli: RunCli, unaligned_root: Path, tiny: list[str], tmp_path: Path) -> Path:
    """The folder of a finished CycleGAN run named ``cg``, of one epoch."""
    assert run_cli("train", ["--name", "cg", "--dataroot", unaligned_root, *RESNET, *tiny]).code == 0
    return tmp_path / "checkpoints" / "cg"


def in_a_process(program: str, argv: list[object]) -> Finished:
    """Do as ``run_cli``, in a process of its own."""
    command = [sys.executable, PROJECT / f"{program}.py", *argv, "--gpu_ids", -1]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    return Finished(done.returncode, done.stdout, done.stderr)


class TestFolders:
    def break_and_train(self, run_cli: RunCli, root: Path, tiny: list[str], gone: str) -> Finished:
        shutil.rmtree(root / gone)
        return run_cli("train", ["--dataroot", root, *RESNET, *tiny])

    def test_a_missing_folder(self, run_cli: RunCli, tmp_path: Path, tiny: list[str]) -> None:
        result = run_cli("train", ["--dataroot", tmp_path / "nothing", *RESNET, *tiny])
        refused(result, "there is no folder .*nothing/trainA", "unaligned expects trainA and trainB")

    @pytest.mark.parametrize("side", ["trainA", "trainB"])
    def test_one_side_alone(self, run_cli: RunCli, unaligned_root: Path, tiny: list[str], side: str) -> None:
        result = self.break_and_train(run_cli, unaligned_root, tiny, side)
        refused(result, f"there is no folder .*{side};", "expects trainA and trainB")

    def test_an_empty_folder(self, run_cli: RunCli, unaligned_root: Path, tiny: list[str]) -> None:
        for path in (unaligned_root / "trainB").iterdir():
            path.rename(path.with_suffix(".webp"))
        result = run_cli("train", ["--dataroot", unaligned_root, *RESNET, *tiny])
        refused(result, "there are no images in .*trainB", r"\.png")

    def test_pairs_given_to_cyclegan(self, run_cli: RunCli, aligned_root: Path, tiny: list[str]) -> None:
        result = run_cli("train", ["--dataroot", aligned_root, *RESNET, *tiny])
        refused(result, "looks like pairs: pass --dataset_mode aligned")

    def test_two_sets_given_to_pix2pix(self, run_cli: RunCli, unaligned_root: Path, tiny: list[str]) -> None:
        result = run_cli("train", ["--dataroot", unaligned_root, *UNET, *tiny])
        refused(result, "trainA looks unpaired: pass --dataset_mode unaligned, or --model cycle_gan")

    def test_a_plain_folder_given_to_cyclegan_at_test(self, run_cli: RunCli, trained: Path, colour_root: Path) -> None:
        result = run_cli("test", ["--name", "cg", "--dataroot", colour_root / "test"])
        refused(result, "to translate a plain folder of pictures pass --model test")

    def test_a_missing_phase(self, run_cli: RunCli, trained: Path, unaligned_root: Path) -> None:
        result = run_cli("test", ["--name", "cg", "--dataroot", unaligned_root, "--phase", "night"])
        refused(result, "there is no folder .*nightA")

    @pytest.mark.parametrize("model", [RESNET, UNET])
    def test_one_sided_data_given_to_a_training(
        self, run_cli: RunCli, colour_root: Path, tiny: list[str], model: tuple[str, ...]
    ) -> None:
        result = run_cli("train", ["--dataroot", colour_root, *model, *tiny, "--dataset_mode", "single"])
        refused(result, "--dataset_mode single")

    @pytest.mark.parametrize("flag", ["--input_nc", "--output_nc"])
    def test_images_of_two_channels(self, run_cli: RunCli, aligned_root: Path, tiny: list[str], flag: str) -> None:
        result = run_cli("train", ["--dataroot", aligned_root, *UNET, *tiny, flag, 2])
        refused(result, "1 .gray. or 3 .colour. channels, not 2", flag)

    def test_no_held_out_images_for_plateau(self, run_cli: RunCli, unaligned_root: Path, tiny: list[str]) -> None:
        shutil.rmtree(unaligned_root / "valA")
        result = run_cli("train", ["--dataroot", unaligned_root, *RESNET, *tiny, "--lr_policy", "plateau"])
        refused(result, "plateau measures on held-out images", "there is no folder .*valA", "--val_phase")

    @pytest.mark.parametrize("flag", ["--checkpoints_dir", "--results_dir"])
    def test_an_output_folder_that_is_a_file(
        self, run_cli: RunCli, trained: Path, unaligned_root: Path, tiny: list[str], flag: str
    ) -> None:
        (trained.parents[1] / "occupied").write_text("a file")
        program, words = ("train", [*RESNET, *tiny]) if flag == "--checkpoints_dir" else ("test", ["--name", "cg"])
        result = run_cli(program, ["--dataroot", unaligned_root, flag, "occupied", *words])
        refused(result, "cannot write to the folder occupied/", "choose another place")


class TestImages:
    def train(self, run_cli: RunCli, root: Path, tiny: list[str], *more: object) -> Finished:
        """Train with the images in the order of their names, a0 first."""
        return run_cli("train", ["--dataroot", root, "--name", "x", *RESNET, *tiny, "--serial_batches", *more])

    def test_an_image_smaller_than_the_crop(self, run_cli: RunCli, unaligned_root: Path, tiny: list[str]) -> None:
        write(picture(9, (20, 60)), unaligned_root / "trainA" / "a0.png")
        result = self.train(run_cli, unaligned_root, tiny, "--preprocess", "crop")
        refused(result, "trainA/a0.png is 20x60 pixels", "smaller than --crop_size 32", "lower --crop_size or use")

    @pytest.mark.parametrize("workers", [0, 2])
    def test_a_corrupt_image_in_mid_epoch_is_named_and_the_run_saved(
        self, run_cli: RunCli, unaligned_root: Path, tiny: list[str], tmp_path: Path, workers: int
    ) -> None:
        bad = unaligned_root / "trainA" / "a1.png"
        bad.write_bytes(bad.read_bytes()[:300])
        train = in_a_process if workers else run_cli  # here the workers would live on until the next collection
        refused(self.train(train, unaligned_root, tiny, "--num_threads", workers), f"cannot read the image {bad}")
        state = torch.load(tmp_path / "checkpoints" / "x" / "latest_state.pth", weights_only=True)
        assert state["progress"]["images_seen"] == 1

        write(picture(1), bad)
        result = self.train(run_cli, unaligned_root, tiny, "--continue_train")
        assert result.code == 0
        assert "iters: 3," in result.stdout
        assert "iters: 1," not in result.stdout

    def test_a_corrupt_first_image_leaves_no_state_behind(
        self, run_cli: RunCli, unaligned_root: Path, tiny: list[str], tmp_path: Path
    ) -> None:
        (unaligned_root / "trainA" / "a0.png").write_bytes(b"")
        refused(self.train(run_cli, unaligned_root, tiny), "a0.png")
        assert not list(tmp_path.glob("checkpoints/x/*.pth"))

    def test_a_text_file_called_jpg(self, run_cli: RunCli, unaligned_root: Path, tiny: list[str]) -> None:
        (unaligned_root / "trainA" / "a1.jpg").write_text("<html>404</html>")
        refused(self.train(run_cli, unaligned_root, tiny), "cannot read the image .*a1.jpg", "repair or remove it")

    @pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
    def test_an_image_deeper_than_8_bits(
        self, run_cli: RunCli, unaligned_root: Path, tiny: list[str], kind: Any
    ) -> None:
        path = unaligned_root / "trainA" / ("a0.png" if kind is np.uint16 else "a0.tif")
        Image.fromarray(np.arange(40 * 36).reshape(36, 40).astype(kind)).save(path)
        refused(
            self.train(run_cli, unaligned_root, tiny), f"{path} has more than 8 bits a channel", "convert it to 8-bit"
        )

    def test_a_corrupt_image_at_test(self, run_cli: RunCli, trained: Path, unaligned_root: Path) -> None:
        (unaligned_root / "testA" / "a1.png").write_text("no image")
        refused(run_cli("test", ["--name", "cg", "--dataroot", unaligned_root]), "cannot read the image .*testA/a1.png")

    def test_sizes_that_a_unet_cannot_give_back(self, run_cli: RunCli, aligned_root: Path, tiny: list[str]) -> None:
        words = ["--dataroot", aligned_root, *UNET, *tiny]
        result = run_cli("train", [*words, "--preprocess", "none"])
        refused(
            result, r"pair\d.png reaches the network as 40x36 pixels", "unet_32 needs multiples of 32", "--crop_size"
        )
        assert run_cli("train", words).code == 0
        for more in ([], ["--model", "test"]):
            root = aligned_root / "test" if more else aligned_root
            result = run_cli("test", ["--dataroot", root, "--preprocess", "none", *more])
            refused(result, r"pair0.png reaches the network as \d0x36 pixels", "unet_32 needs multiples of 32")

    def test_sizes_that_a_resnet_cannot_train_on(self, run_cli: RunCli, unaligned_root: Path, tiny: list[str]) -> None:
        result = self.train(run_cli, unaligned_root, tiny, "--crop_size", 30)
        refused(result, r"a0.png reaches the network as 30x30 pixels", "multiples of 4")

    def test_a_resnet_translates_any_size_at_test(self, run_cli: RunCli, trained: Path, tmp_path: Path) -> None:
        root = write_unaligned(tmp_path / "odd", size=(41, 35))
        words = ["--name", "cg", "--dataroot", root, "--preprocess", "scale_width", "--load_size", 41]
        assert run_cli("test", words).code == 0
        assert Image.open(tmp_path / "results/cg/test_latest/images/a0_fake_B.png").size == (41, 35)

    def test_images_of_one_batch_that_differ_in_size(
        self, run_cli: RunCli, unaligned_root: Path, tiny: list[str]
    ) -> None:
        write(picture(9, (48, 36)), unaligned_root / "trainA" / "a1.png")
        result = self.train(run_cli, unaligned_root, tiny, "--preprocess", "none", "--batch_size", 2)
        refused(result, "a0.png is 40x36.*a1.png is 48x36", "--batch_size 1 or --preprocess resize_and_crop")


class Malicious:
    """Unpickling it makes a folder."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("executed",)


def save_with_code(path: Path) -> None:
    torch.save({"model.1.weight": Malicious()}, path)


def save_with_code_in_the_old_format(path: Path) -> None:
    torch.save({"model.1.weight": Malicious()}, path, _use_new_zipfile_serialization=False)


def write_a_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Malicious(), protocol=2))


def write_a_whole_network(path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), path)


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def keep_the_first_bytes(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:10])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def fill_with_zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def save_a_list(path: Path) -> None:
    torch.save([1, 2], path)


def write_a_web_page(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html>404 not found</html>")


Damage = Callable[[Path], None]
WITH_CODE: list[Damage] = [
    save_with_code,
    save_with_code_in_the_old_format,
    write_a_pickle,
    write_a_whole_network,
]
DAMAGED: list[Damage] = [cut_in_half, keep_the_first_bytes, empty, fill_with_zeros, write_a_web_page]


@pytest.mark.filterwarnings("ignore:.*pickle protocol")
class TestCheckpoints:
    @pytest.fixture(params=["with stored options", "with weights alone"])
    def run(self, request: pytest.FixtureRequest, trained: Path) -> Path:
        """A run folder of ours, and one as the official code leaves it."""
        if request.param == "with weights alone":
            for name in ("train_opt.json", "latest_state.pth"):
                (trained / name).unlink()
        return trained

    def translate(self, run_cli: RunCli, root: Path, *more: object) -> Finished:
        return run_cli("test", ["--name", "cg", "--dataroot", root / "testA", "--model", "test", *more])

    @pytest.mark.parametrize("damage", WITH_CODE)
    def test_a_checkpoint_that_holds_code_is_refused_unexecuted(
        self, run_cli: RunCli, run: Path, unaligned_root: Path, tmp_path: Path, damage: Damage
    ) -> None:
        damage(run / "latest_net_G_A.pth")
        result = self.translate(run_cli, unaligned_root)
        refused(result, "latest_net_G_A.pth holds code or objects beside tensors and was not opened")
        assert not (tmp_path / "executed").exists()

    @pytest.mark.parametrize("damage", DAMAGED)
    def test_a_damaged_checkpoint(self, run_cli: RunCli, run: Path, unaligned_root: Path, damage: Damage) -> None:
        damage(run / "latest_net_G_A.pth")
        result = self.translate(run_cli, unaligned_root)
        refused(result, "the checkpoint .*latest_net_G_A.pth is damaged or cut off", "--epoch")

    def test_a_checkpoint_that_holds_a_list(self, run_cli: RunCli, run: Path, unaligned_root: Path) -> None:
        save_a_list(run / "latest_net_G_A.pth")
        refused(
            self.translate(run_cli, unaligned_root), "latest_net_G_A.pth is not the weights of a network but a list"
        )

    def test_the_file_of_a_discriminator(self, run_cli: RunCli, run: Path, unaligned_root: Path) -> None:
        shutil.copy(run / "latest_net_D_A.pth", run / "latest_net_G_A.pth")
        refused(self.translate(run_cli, unaligned_root), "latest_net_G_A.pth")

    def test_the_weights_of_another_network(self, run_cli: RunCli, run: Path, unaligned_root: Path) -> None:
        result = self.translate(run_cli, unaligned_root, "--netG", "resnet_2blocks", "--ngf", 8, "--dropout")
        advice = "pass --netG resnet_1blocks --norm instance .*--ngf 4 --no_dropout"
        sentence = refused(result, "latest_net_G_A.pth does not fit", "--netG resnet_2blocks", advice)
        assert self.translate(run_cli, unaligned_root, *sentence.split("; pass ")[1].split()).code == 0

    def test_an_epoch_that_was_not_saved(self, run_cli: RunCli, run: Path, unaligned_root: Path) -> None:
        result = self.translate(run_cli, unaligned_root, "--epoch", 99)
        refused(result, "there is no checkpoint .*cg/99_net_G", "--epoch")

    def test_a_side_that_does_not_exist(self, run_cli: RunCli, run: Path, unaligned_root: Path) -> None:
        result = self.translate(run_cli, unaligned_root, "--model_suffix", "_C")
        refused(result, "there is no checkpoint .*latest_net_G_C.pth")

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


def state_of(run: Path) -> Any:
    return torch.load(run / "latest_state.pth", weights_only=True)


def all_finite(state: Any) -> bool:
    return all(bool(torch.isfinite(t).all()) for net in state["networks"].values() for t in net.values())


class TestResume:
    def resume(self, run_cli: RunCli, root: Path, *more: object) -> Finished:
        return run_cli("train", ["--continue_train", "--name", "cg", "--dataroot", root, "--n_epochs", 4, *more])

    def test_without_a_run(self, run_cli: RunCli, unaligned_root: Path, tmp_path: Path) -> None:
        refused(self.resume(run_cli, unaligned_root), "there is no run checkpoints/cg; check --name")
        assert not (tmp_path / "checkpoints").exists()

    def test_with_an_empty_run_folder(self, run_cli: RunCli, unaligned_root: Path, tmp_path: Path) -> None:
        (tmp_path / "checkpoints" / "cg").mkdir(parents=True)
        refused(self.resume(run_cli, unaligned_root), "there is no checkpoint checkpoints/cg/latest_net_G")

    def test_with_another_model(self, run_cli: RunCli, trained: Path, unaligned_root: Path) -> None:
        result = self.resume(run_cli, unaligned_root, "--model", "pix2pix")
        refused(result, "--model pix2pix cannot continue this run, which is a cycle_gan; leave --model out, or")

    def test_with_another_network(self, run_cli: RunCli, trained: Path, unaligned_root: Path) -> None:
        result = self.resume(run_cli, unaligned_root, "--ngf", 8)
        refused(result, r"latest_state.pth \(G_A\) does not fit", "--ngf 8", "pass .*--ngf 4")

    def test_a_refused_resume_leaves_the_stored_options_alone(
        self, run_cli: RunCli, trained: Path, unaligned_root: Path
    ) -> None:
        before = (trained / "train_opt.json").read_bytes()
        for words in (["--ngf", 8], ["--epoch", 99], ["--dataset_mode", "single"], ["--model", "pix2pix"]):
            refused(self.resume(run_cli, unaligned_root, *words))
        assert (trained / "train_opt.json").read_bytes() == before

    @pytest.mark.parametrize("damage", DAMAGED)
    def test_from_a_damaged_state(self, run_cli: RunCli, trained: Path, unaligned_root: Path, damage: Damage) -> None:
        damage(trained / "latest_state.pth")
        refused(self.resume(run_cli, unaligned_root), "latest_state.pth is damaged or cut off")

    def test_from_a_state_that_holds_code(
        self, run_cli: RunCli, trained: Path, unaligned_root: Path, tmp_path: Path
    ) -> None:
        save_with_code(trained / "latest_state.pth")
        refused(self.resume(run_cli, unaligned_root), "latest_state.pth holds code or objects")
        assert not (tmp_path / "executed").exists()

    @pytest.mark.parametrize("value", [[1], {}, {"format": 99}, {"format": 1}])
    def test_from_something_else_than_a_state(
        self, run_cli: RunCli, trained: Path, unaligned_root: Path, value: Any
    ) -> None:
        torch.save(value, trained / "latest_state.pth")
        refused(self.resume(run_cli, unaligned_root), "latest_state.pth")

    @pytest.mark.parametrize("part", ["networks", "optimizers", "model", "progress"])
    def test_from_a_state_that_lacks_a_part(
        self, run_cli: RunCli, trained: Path, unaligned_root: Path, part: str
    ) -> None:
        torch.save({**state_of(trained), part: {}}, trained / "latest_state.pth")
        refused(self.resume(run_cli, unaligned_root), "latest_state.pth")

    @pytest.mark.parametrize(
        "rhythm",
        [
            "--print_freq 1",
            "--print_freq 1000 --save_epoch_freq 1",
        ],
    )
    def test_losses_that_are_no_numbers_stop_the_run_and_spare_its_last_state(
        self, run_cli: RunCli, trained: Path, unaligned_root: Path, rhythm: str
    ) -> None:
        result = self.resume(run_cli, unaligned_root, "--lr", "1e30", *rhythm.split())
        refused(result, r"the (loss|weights) .* after \d+ images", "lower --lr", "--continue_train")
        assert all_finite(state_of(trained))
        for path in trained.glob("*_net_*.pth"):
            weights = torch.load(path, weights_only=True)
            assert all(bool(torch.isfinite(tensor).all()) for tensor in weights.values()), path.name
        assert self.resume(run_cli, unaligned_root, "--lr", "0.0002").code == 0

    def test_the_first_epoch_number_is_not_ignored_in_a_fresh_run(
        self, run_cli: RunCli, unaligned_root: Path, tiny: list[str]
    ) -> None:
        """Officially ``--epoch_count`` counts from there in any case; what would be ignored is to be refused."""
        words = ["--dataroot", unaligned_root, *RESNET, *tiny, "--n_epochs", 3, "--epoch_count", 3]
        result = run_cli("train", words)
        if result.code:
            refused(result, "--epoch_count")
        else:
            assert "End of epoch 3 / 3" in result.stdout
            assert "End of epoch 1 / 3" not in result.stdout


class TestDevices:
    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ("--gpu_ids 0,1", r"torchrun --nproc_per_node=2 train.py --gpu_ids 0,1"),
            ("--gpu_ids abc", r"--gpu_ids 'abc' is not a list of numbers.*-1 for the CPU"),
            ("--gpu_ids 99", r"--gpu_ids 99: this machine has no cuda:99; pass --gpu_ids -1"),
            ("--device cuda:77", r"--device cuda:77: this machine has no cuda:77; pass --gpu_ids -1"),
            ("--device quantum", r"--device quantum: there is no such device; use cpu, cuda, cuda:1 or mps"),
            ("--device meta", r"--device meta: use cpu, cuda, cuda:1 or mps"),
        ],
    )
    def test_a_device_that_is_not_there(
        self, run_cli: RunCli, unaligned_root: Path, tiny: list[str], tmp_path: Path, words: str, message: str
    ) -> None:
        refused(run_cli("train", ["--dataroot", unaligned_root, *RESNET, *tiny, *words.split()]), message)
        assert not (tmp_path / "checkpoints").exists()

    def test_model_test_does_not_train(self, run_cli: RunCli, unaligned_root: Path, tiny: list[str]) -> None:
        result = run_cli("train", ["--dataroot", unaligned_root, *tiny, "--model", "test"])
        refused(result, "--model test only translates; train with --model cycle_gan or pix2pix")


def test_the_options_of_a_run_are_plain_json(trained: Path) -> None:
    stored = json.loads((trained / "train_opt.json").read_text(), parse_constant=pytest.fail)
    assert stored["netG"] == "resnet_1blocks"
