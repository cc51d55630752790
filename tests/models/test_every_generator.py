"""What every generator of the table must do in every model: learn, be saved, and translate again."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from inference import load
from models.trained_run import load_networks
from networks.generators import GENERATORS
from networks.recognise import recognise_generator
from options.stored import write_options
from tests.exact_steps import assert_same_steps, taken
from tests.small import random_batch, save_at, small_options, training

FLAGS = {
    "resnet_<N>blocks": "--netG resnet_2blocks --upsampling resize --spectral_norm GD",
    "unet_<N>": "--netG unet_32 --upsampling resize --spectral_norm D",
    "encdec_<N>": "--netG encdec_64 --upsampling resize",
    "adalin_<N>blocks": "--netG adalin_1blocks --spectral_norm GD",
    "johnson_<N>blocks": "--netG johnson_1blocks --upsampling resize",
}


def test_the_table_below_is_complete() -> None:
    assert list(FLAGS) == list(GENERATORS)


@pytest.mark.parametrize("judges", ["", "--num_D 2 --spectral_norm D"])
@pytest.mark.parametrize("model", ["cycle_gan", "pix2pix"])
@pytest.mark.parametrize("pattern", FLAGS)
def test_two_steps_on_odd_images_give_every_weight_a_gradient(pattern: str, model: str, judges: str) -> None:
    netG = FLAGS[pattern].split()[1]
    built, stepper, progress = training(model, f"--netG {netG} {judges or FLAGS[pattern]} --norm instance")
    for size in ((33, 42), (40, 27)):
        batch = random_batch(built.opt, 1, seed=size[0], size=48)
        batch = batch._replace(A=batch.A[:, :, : size[0], : size[1]], B=batch.target[:, :, : size[0], : size[1]])
        losses = stepper.step(batch, progress).losses
        progress.advance(1)
        assert all(math.isfinite(value) for value in losses.values()), losses
        for key, parameter in built.named_parameters():
            assert parameter.grad is not None, key
            assert torch.isfinite(parameter.grad).all(), key


@pytest.mark.parametrize("model", ["cycle_gan", "pix2pix"])
@pytest.mark.parametrize("pattern", FLAGS)
def test_what_was_saved_is_recognised_and_translates_as_the_network_did(
    pattern: str, model: str, tmp_path: Path
) -> None:
    built, stepper, progress = training(model, f"{FLAGS[pattern]} --norm instance --no_dropout")
    for _ in range(2):
        stepper.step(random_batch(built.opt, 1, size=48), progress)
        progress.advance(1)
    folder = tmp_path / "run"
    folder.mkdir()
    write_options(built.opt, folder)
    save_at(folder, built, stepper, progress, "latest")
    net = built.networks["G" if model == "pix2pix" else "G_A"].eval()
    image = np.random.default_rng(0).integers(0, 256, (35, 50, 3), np.uint8)
    with torch.no_grad():
        made = net(torch.from_numpy(image).permute(2, 0, 1)[None] / 127.5 - 1)
    wanted = ((made[0].permute(1, 2, 0) + 1) * 127.5).numpy()
    (file,) = folder.glob("latest_net_G.pth" if model == "pix2pix" else "latest_net_G_A.pth")
    for source in (folder, file, alone(file, tmp_path)):
        assert np.abs(load(source, precision="fp32")(image) - wanted).max() < 0.51
    found, net_flags = recognise_generator(torch.load(file, weights_only=True)), built.opt.net
    assert found["netG"] == net_flags.netG
    for name, value in found.items():
        assert getattr(net_flags, name) == value, name


@pytest.mark.parametrize("pattern", ["resnet_<N>blocks", "unet_<N>", "encdec_<N>", "johnson_<N>blocks"])
def test_files_of_the_two_ways_to_double_maps_do_not_fit_each_other_and_say_so(pattern: str, tmp_path: Path) -> None:
    netG = FLAGS[pattern].split()[1]
    resized, transposed = (
        training("pix2pix", f"--netG {netG} --upsampling {way} --norm instance") for way in ("resize", "transposed")
    )
    save_at(tmp_path, *resized, "latest")
    with pytest.raises(ValueError, match=rf"does not fit .*; pass .*--netG {netG}.* --upsampling resize"):
        load_networks(transposed[0], tmp_path, "latest")


def alone(file: Path, folder: Path) -> Path:
    """Copy a file to where no options lie beside it."""
    copy = folder / "published.pth"
    copy.write_bytes(file.read_bytes())
    return copy


@pytest.mark.parametrize("pattern", [pattern for pattern in GENERATORS if GENERATORS[pattern].recomputable])
@pytest.mark.parametrize("how", ["low", "lowest"])
def test_less_memory_is_the_same_training(pattern: str, how: str) -> None:
    flags = f"{FLAGS[pattern]} --pool_size 3 --num_D 2 --dropout --norm instance"
    whole, split = (taken("cycle_gan", f"{flags} {memory}", count=2, size=32) for memory in ("", f"--memory {how}"))
    assert_same_steps(split, whole)
    buffers = [dict(one.model.networks.named_buffers()) for one in (whole, split)]
    torch.testing.assert_close(*buffers)


def test_what_has_no_effect_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for upsampling in ("resize", "transposed"):
        with pytest.raises(SystemExit):
            small_options("cycle_gan", f"--netG adalin_4blocks --upsampling {upsampling}")
        assert f"--upsampling {upsampling} has no effect on --netG adalin_4blocks" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        small_options("cycle_gan", "--netG unet_32 --memory lowest")
    assert "--netG unet_32 has none" in capsys.readouterr().err
