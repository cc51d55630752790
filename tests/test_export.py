"""The command that writes generators for other programs."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from tests.conftest import RunCli


def test_each_generator_becomes_a_file_that_says_how_to_build_and_feed_it(run_cli: RunCli, trained: Path) -> None:
    done = run_cli("export", ["--name", "cg"])
    assert done.code == 0, done.stderr
    assert sorted(path.name for path in trained.glob("*.safetensors")) == [
        "latest_net_G_A.safetensors",
        "latest_net_G_B.safetensors",
    ]
    with safe_open(trained / "latest_net_G_A.safetensors", "pt") as file:
        metadata = file.metadata()
        weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    assert metadata["network"] == "G_A"
    assert metadata["netG"] == "resnet_1blocks"
    assert (metadata["ngf"], metadata["norm"], metadata["no_dropout"]) == ("4", "instance", "true")
    assert (metadata["model"], metadata["direction"], metadata["crop_size"]) == ("cycle_gan", "AtoB", "32")
    official = torch.load(trained / "latest_net_G_A.pth", weights_only=True)
    assert weights.keys() == official.keys()
    assert all(torch.equal(weights[key], official[key]) for key in official)


def test_an_exported_generator_translates_as_the_original_does(
    run_cli: RunCli, trained: Path, unaligned_root: Path, tmp_path: Path
) -> None:
    assert run_cli("export", ["--name", "cg", "--output", "checkpoints/bare"]).code == 0
    bare = tmp_path / "checkpoints" / "bare"
    (bare / "latest_net_G_B.safetensors").unlink()
    for name in ("cg", "bare"):
        words = ["--name", name, "--model", "test", "--dataroot", unaligned_root / "testA", "--load_size", 32]
        done = run_cli("test", [*words, "--crop_size", 32, "--model_suffix", "_A"])
        assert done.code == 0, done.stderr
    one, other = (sorted(Path("results", name, "test_latest", "images").iterdir()) for name in ("cg", "bare"))
    assert [path.name for path in one] == [path.name for path in other] != []
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


def test_the_metadata_know_a_unets_dropout_which_its_weights_do_not_show(
    run_cli: RunCli, aligned_root: Path, tiny: list[str]
) -> None:
    words = ["--dataroot", aligned_root, "--model", "pix2pix", "--netG", "unet_32", "--no_dropout", "--name", "p"]
    assert run_cli("train", [*words, *tiny]).code == 0
    assert run_cli("export", ["--name", "p", "--output", "checkpoints/bare"]).code == 0
    done = run_cli("test", ["--name", "bare", "--model", "test", "--dataroot", aligned_root / "test"])
    assert "no_dropout True" in done.stdout
    assert done.code == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--name nowhere", "there is no checkpoints/nowhere/latest_net_G*.pth; check --name"),
        ("--name cg --epoch 77", "there is no checkpoints/cg/77_net_G*.pth"),
        ("--nam cg", "unrecognized arguments: --nam cg"),
        ("--name cg --load_iter -1", "--load_iter -1 is too small"),
    ],
)
def test_a_mistake_is_one_sentence(words: str, sentence: str, run_cli: RunCli, trained: Path) -> None:
    done = run_cli("export", words.split())
    assert done.code == 2
    assert sentence in done.stderr
    assert not list(trained.glob("*.safetensors"))


def test_a_damaged_file_is_not_exported(run_cli: RunCli, trained: Path) -> None:
    path = trained / "latest_net_G_B.pth"
    path.write_bytes(path.read_bytes()[:5000])
    done = run_cli("export", ["--name", "cg"])
    assert done.code == 2
    assert "latest_net_G_B.pth is damaged" in done.stderr
    assert not (trained / "latest_net_G_B.safetensors").exists()
