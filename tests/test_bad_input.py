"""What a user can get wrong in files and folders: one sentence that names the thing and the way out, exit code 2."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import Finished, RunCli
from tests.images import an_image, write, write_unaligned
from tests.refusals import RESNET, UNET, in_a_process, refused


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
            path.rename(path.with_suffix(".gif"))
        result = run_cli("train", ["--dataroot", unaligned_root, *RESNET, *tiny])
        refused(result, "there are no images in .*trainB", r"\.png")

    def test_pairs_given_to_cyclegan(self, run_cli: RunCli, aligned_root: Path, tiny: list[str]) -> None:
        result = run_cli("train", ["--dataroot", aligned_root, *RESNET, *tiny])
        refused(result, "looks like pairs: pass --dataset_mode aligned")

    def test_two_sets_given_to_pix2pix(self, run_cli: RunCli, unaligned_root: Path, tiny: list[str]) -> None:
        result = run_cli("train", ["--dataroot", unaligned_root, *UNET, *tiny])
        refused(
            result, "no name lies in .*trainA and .*trainB alike", "pass --dataset_mode unaligned, or --model cycle"
        )

    def test_a_plain_folder_given_to_cyclegan_at_test(self, run_cli: RunCli, trained: Path, colour_root: Path) -> None:
        result = run_cli("test", ["--name", "cg", "--dataroot", colour_root / "test"])
        refused(result, "to translate a plain folder of images pass --model test")

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
    def test_channels_that_no_image_has(self, run_cli: RunCli, aligned_root: Path, tiny: list[str], flag: str) -> None:
        result = run_cli("train", ["--dataroot", aligned_root, *UNET, *tiny, flag, 5])
        refused(result, "has 3 channels, but 5 are wanted", flag)

    def test_no_held_out_images_for_plateau(self, run_cli: RunCli, unaligned_root: Path, tiny: list[str]) -> None:
        shutil.rmtree(unaligned_root / "valA")
        result = run_cli("train", ["--dataroot", unaligned_root, *RESNET, *tiny, "--lr_policy", "plateau"])
        refused(result, "validation needs held-out images", "there is no folder .*valA", "--val_phase")

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
        write(an_image(9, (20, 60)), unaligned_root / "trainA" / "a0.png")
        result = self.train(run_cli, unaligned_root, tiny, "--preprocess", "crop")
        refused(
            result,
            "trainA/a0.png is 20x60 pixels",
            "smaller than --crop_size 32",
            "lower --crop_size, or use --preprocess pad_and_crop",
        )

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

        write(an_image(1), bad)
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

    @pytest.mark.parametrize(
        ("kind", "words"),
        [(np.int32, "holds int32 numbers, whose range says"), (np.float32, "from 0 to 1439, outside 0 to 1")],
    )
    def test_values_whose_range_is_not_clear(
        self, run_cli: RunCli, unaligned_root: Path, tiny: list[str], kind: Any, words: str
    ) -> None:
        path = unaligned_root / "trainA" / "a0.tif"
        Image.fromarray(np.arange(40 * 36).reshape(36, 40).astype(kind)).save(path)
        refused(self.train(run_cli, unaligned_root, tiny), f"{path} holds", words, "pass --value_range LOW,HIGH")
        assert self.train(run_cli, unaligned_root, tiny, "--overwrite", "--value_range_A", "0,1439").code == 0

    def test_a_corrupt_image_at_test(self, run_cli: RunCli, trained: Path, unaligned_root: Path) -> None:
        (unaligned_root / "testA" / "a1.png").write_text("no image")
        refused(run_cli("test", ["--name", "cg", "--dataroot", unaligned_root]), "cannot read the image .*testA/a1.png")

    def test_a_resnet_translates_any_size_at_test(self, run_cli: RunCli, trained: Path, tmp_path: Path) -> None:
        root = write_unaligned(tmp_path / "odd", size=(41, 35))
        words = ["--name", "cg", "--dataroot", root, "--preprocess", "scale_width", "--load_size", 41]
        assert run_cli("test", words).code == 0
        assert Image.open(tmp_path / "results/cg/test_latest/images/a0_fake_B.png").size == (41, 35)

    def test_images_of_one_batch_that_differ_in_size(
        self, run_cli: RunCli, unaligned_root: Path, tiny: list[str]
    ) -> None:
        write(an_image(9, (48, 36)), unaligned_root / "trainA" / "a1.png")
        result = self.train(run_cli, unaligned_root, tiny, "--preprocess", "none", "--batch_size", 2)
        refused(result, "a0.png is 40x36.*a1.png is 48x36", "--batch_size 1, or --preprocess pad_and_crop")


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


def test_a_test_in_which_every_image_is_bad_is_no_success(run_cli: RunCli, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.png").write_text("no image")
    result = run_cli("test", ["--name", "cg", "--model", "test", "--dataroot", "bad", "--on_bad_image", "skip"])
    refused(result, "none of the images could be translated; the messages above say why")
