"""``--model test``: a generator of another run, found and applied."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from models.registry import create_model
from models.trained_run import load_networks, stored_options
from options.cli import parse_test
from options.stored import write_options
from tests.conftest import RunCli
from tests.small import random_batch, save_at, training


@pytest.mark.parametrize(
    ("name", "suffix", "network"),
    [
        ("cycle_gan", "", "G_A"),
        ("cycle_gan", "_A", "G_A"),
        ("cycle_gan", "_B", "G_B"),
        ("pix2pix", "", "G"),
    ],
)
@pytest.mark.parametrize("with_options", [True, False])
def test_the_test_model_runs_a_generator_of_another_model(
    name: str, suffix: str, network: str, with_options: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    model, stepper, progress = training(name, "--norm batch")
    save_at(folder, model, stepper, progress, "latest")
    if with_options:
        write_options(model.opt, folder)
    argv = ["--dataroot", "unused", "--name", "run", "--checkpoints_dir", str(tmp_path), "--model", "test"]
    opt = parse_test([*argv, "--model_suffix", suffix], stored=stored_options)
    single = create_model(opt)
    load_networks(single, folder, "latest")
    batch = random_batch(model.opt)._replace(B=None)
    with torch.no_grad():
        translation = single.eval()(batch)
        expected = model.networks[network].eval()(batch.A)
    assert list(single.visuals(translation)) == ["real", "fake"]
    assert torch.equal(translation.fake, expected)


def test_a_model_suffix_without_its_file_names_the_file(tmp_path: Path) -> None:
    model, stepper, progress = training("cycle_gan")
    (tmp_path / "run").mkdir()
    write_options(model.opt, tmp_path / "run")
    argv = ["--dataroot", "unused", "--name", "run", "--checkpoints_dir", str(tmp_path), "--model", "test"]
    single = create_model(parse_test([*argv, "--model_suffix", "_C"], stored=stored_options))
    with pytest.raises(ValueError, match="latest_net_G_C.pth"):
        load_networks(single, tmp_path / "run", "latest")


def test_the_test_model_writes_no_nonsense_for_a_generator_of_two_channels(
    colour_root: Path, tiny: list[str], run_cli: RunCli, tmp_path: Path
) -> None:
    flags = [*tiny, "--netG", "resnet_1blocks", "--no_html", "--name", "run"]
    assert run_cli("train", ["--dataroot", colour_root, "--model", "colorization", *flags]).code == 0
    done = run_cli("test", ["--dataroot", colour_root / "test", "--name", "run", "--model", "test"])
    modes = {Image.open(path).mode for path in tmp_path.glob("results/run/test_latest/images/*.png")}
    assert done.code == 2 or modes <= {"L", "RGB"}, modes


def test_one_channel_that_becomes_two_is_taken_for_a_colorization(caplog: pytest.LogCaptureFixture) -> None:
    parse_test(["--dataroot", "unused", "--model", "test", "--input_nc", "1", "--output_nc", "2"])
    assert "pass --model colorization" in caplog.text
