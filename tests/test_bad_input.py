"""What a user can get wrong in files and folders: one sentence that names the thing and the way out, exit code 2."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import Finished, RunCli
from tests.images import an_image, write, write_unaligned
from tests.refusals import RESNET, UNET, in_a_process, refused

FOLDERS: list[tuple[str, tuple[object, ...], list[str]]] = [
    ("nothing", RESNET, ["there is no folder .*nothing/trainA", "unaligned expects trainA and trainB"]),
    ("A alone", RESNET, ["there is no folder .*trainB;", "expects trainA and trainB"]),
    ("no images", RESNET, ["there are no images in .*trainB", r"\.png"]),
    ("aligned", RESNET, ["looks like pairs: pass --dataset_mode aligned"]),
    (
        "unaligned",
        UNET,
        ["no name lies in .*trainA and .*trainB alike", "pass --dataset_mode unaligned, or --model cycle"],
    ),
    ("aligned", (*UNET, "--input_nc", 5), ["has 3 channels, but 5 are wanted", "--input_nc"]),
    ("aligned", (*UNET, "--output_nc", 5), ["has 3 channels, but 5 are wanted", "--output_nc"]),
]


@pytest.mark.usefixtures("aligned_root", "unaligned_root")
@pytest.mark.parametrize(("data", "words", "messages"), FOLDERS)
def test_a_folder_that_does_not_fit(
    data: str, words: tuple[object, ...], messages: list[str], run_cli: RunCli, tiny: list[str], tmp_path: Path
) -> None:
    shutil.copytree(tmp_path / "unaligned" / "trainA", tmp_path / "A alone" / "trainA")
    shutil.copytree(tmp_path / "A alone", tmp_path / "no images")
    write(an_image(1), tmp_path / "no images" / "trainB" / "b0.png").rename(tmp_path / "no images/trainB/b0.gif")
    refused(run_cli("train", ["--dataroot", data, *words, *tiny]), *messages)


def test_a_plain_folder_given_to_cyclegan_at_test(run_cli: RunCli, trained: Path, colour_root: Path) -> None:
    result = run_cli("test", ["--name", "cg", "--dataroot", colour_root / "test"])
    refused(result, "to translate a plain folder of images pass --model test")


Train = Callable[..., Finished]


class TestImages:
    @pytest.fixture
    def train(self, run_cli: RunCli, unaligned_root: Path, tiny: list[str]) -> Train:
        """Train with the images in the order of their names, a0 first."""
        words = ["--dataroot", unaligned_root, "--name", "x", *RESNET, *tiny, "--serial_batches"]
        return lambda *more, program=run_cli: program("train", [*words, *more])

    def test_an_image_smaller_than_the_crop(self, train: Train, unaligned_root: Path) -> None:
        write(an_image(9, (20, 60)), unaligned_root / "trainA" / "a0.png")
        result = train("--preprocess", "crop")
        refused(
            result,
            "trainA/a0.png is 20x60 pixels",
            "smaller than --crop_size 32",
            "lower --crop_size, or use --preprocess pad_and_crop",
        )

    @pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
    def test_a_corrupt_image_in_mid_epoch_is_named_and_the_run_saved(
        self, train: Train, run_cli: RunCli, unaligned_root: Path, tmp_path: Path, workers: int
    ) -> None:
        bad = unaligned_root / "trainA" / "a1.png"
        bad.write_bytes(bad.read_bytes()[:300])
        program = in_a_process if workers else run_cli  # here the workers would live on until the next collection
        refused(train("--num_threads", workers, program=program), f"cannot read the image {bad}")
        state = torch.load(tmp_path / "checkpoints" / "x" / "latest_state.pth", weights_only=True)
        assert state["progress"]["images_seen"] == 1

        write(an_image(1), bad)
        result = train("--continue_train")
        assert result.code == 0
        assert "iters: 3," in result.stdout
        assert "iters: 1," not in result.stdout

    def test_a_corrupt_first_image_leaves_no_state_behind(
        self, train: Train, unaligned_root: Path, tmp_path: Path
    ) -> None:
        (unaligned_root / "trainA" / "a0.png").write_bytes(b"")
        refused(train(), "a0.png")
        assert not list(tmp_path.glob("checkpoints/x/*.pth"))

    def test_values_whose_range_is_not_clear(self, train: Train, unaligned_root: Path) -> None:
        path = unaligned_root / "trainA" / "a0.tif"
        Image.fromarray(np.arange(40 * 36, dtype=np.int32).reshape(36, 40)).save(path)
        refused(train(), f"{path} holds int32", "pass --value_range LOW,HIGH")
        assert train("--overwrite", "--value_range_A", "0,1439").code == 0

    def test_a_resnet_translates_any_size_at_test(self, run_cli: RunCli, trained: Path, tmp_path: Path) -> None:
        root = write_unaligned(tmp_path / "odd", size=(41, 35))
        words = ["--name", "cg", "--dataroot", root, "--preprocess", "scale_width", "--load_size", 41]
        assert run_cli("test", words).code == 0
        assert Image.open(tmp_path / "results/cg/test_latest/images/a0_fake_B.png").size == (41, 35)

    def test_images_of_one_batch_that_differ_in_size(self, train: Train, unaligned_root: Path) -> None:
        write(an_image(9, (48, 36)), unaligned_root / "trainA" / "a1.png")
        result = train("--preprocess", "none", "--batch_size", 2)
        refused(result, "a0.png is 40x36.*a1.png is 48x36", "--batch_size 1, or --preprocess pad_and_crop")


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
    run_cli: RunCli, unaligned_root: Path, tiny: list[str], tmp_path: Path, words: str, message: str
) -> None:
    refused(run_cli("train", ["--dataroot", unaligned_root, *RESNET, *tiny, *words.split()]), message)
    assert not (tmp_path / "checkpoints").exists()


def test_a_test_in_which_every_image_is_bad_is_no_success(run_cli: RunCli, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.png").write_text("no image")
    result = run_cli("test", ["--name", "cg", "--model", "test", "--dataroot", "bad", "--on_bad_image", "skip"])
    refused(result, "none of the images could be translated; the messages above say why")
