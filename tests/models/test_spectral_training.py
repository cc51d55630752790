"""Trainings with spectral norm and several discriminators: exact resumes, averages, and files for each other."""

import math
from pathlib import Path

import pytest
import torch

from models.init_from import start_from
from models.losses import accuracies, gan_loss, gradient_penalty
from models.registry import create_model
from models.step_graph import WARM_UPS
from models.trained_run import load_networks
from tests.models.test_recorded_step import compare
from tests.networks.test_spectral import largest_singular_values
from tests.small import random_batch, save_at, small_options, train_steps, training, weights

FLAGS = "--spectral_norm GD --num_D 2 --pool_size 2 --ema 0.9"


def test_singular_values_stay_near_1_in_a_training() -> None:
    model, stepper, progress = training("pix2pix", "--spectral_norm GD --lr 0.002 --norm batch")
    train_steps(model, stepper, progress, 12)
    for network in model.networks.values():
        found = largest_singular_values(network.eval())
        assert found == pytest.approx([1] * len(found), abs=0.1)


def test_averaged_weights_load_and_translate(tmp_path: Path) -> None:
    model, stepper, progress = training("cycle_gan", FLAGS)
    train_steps(model, stepper, progress, 3)
    save_at(tmp_path, model, stepper, progress, "latest")
    other = create_model(small_options("cycle_gan", f"{FLAGS} --seed 5"))
    load_networks(other, tmp_path, "latest", averaged=True)
    with stepper.averages.in_use():
        own = weights(model.networks["G_A"])
    assert all(torch.equal(value, own[key]) for key, value in other.networks["G_A"].state_dict().items())
    assert max(largest_singular_values(other.networks["G_A"].eval())) < 1.2


def test_another_training_starts_from_it(tmp_path: Path) -> None:
    model, stepper, progress = training("cycle_gan", FLAGS)
    (tmp_path / "run").mkdir()
    save_at(tmp_path / "run", model, stepper, progress, "latest")
    other = create_model(small_options("cycle_gan", f"{FLAGS} --seed 5"))
    start_from(other, str(tmp_path / "run"), str(tmp_path))
    for name in ("G_A", "D_B"):
        wanted = model.networks[name].state_dict()
        assert all(torch.equal(value, wanted[key]) for key, value in other.networks[name].state_dict().items())
    plain = create_model(small_options("cycle_gan", "--seed 5"))
    with pytest.raises(ValueError, match=r"does not fit.*pass .*--spectral_norm GD"):
        start_from(plain, str(tmp_path / "run"), str(tmp_path))


def test_a_test_leaves_the_vectors_alone() -> None:
    model = create_model(small_options("pix2pix", "--spectral_norm GD"))
    model.is_train = False
    model.place(torch.device("cpu")).train()
    before = weights(model.networks["G"])
    with torch.no_grad():
        model(random_batch(model.opt))
    after = model.networks["G"].state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items() if key.endswith(("._u", "._v")))


@pytest.mark.parametrize("netG", ["resnet_1blocks", "adalin_1blocks", "johnson_1blocks"])
def test_recorded_steps_equal_those_taken_as_they_are(netG: str) -> None:
    compare("cycle_gan", f"--netG {netG} --spectral_norm GD --num_D 2 --pool_size 2", [{}] * (WARM_UPS + 3))


@pytest.mark.parametrize("mode", ["lsgan", "vanilla", "wgangp"])
def test_a_loss_of_several_scales_is_the_mean_of_theirs(mode: str) -> None:
    coarse, fine = torch.randn(2, 1, 3, 3), torch.randn(2, 1, 7, 7)
    for real in (True, False):
        alone = [gan_loss(mode, logits, real=real) for logits in (fine, coarse)]
        torch.testing.assert_close(gan_loss(mode, (fine, coarse), real=real), (alone[0] + alone[1]) / 2)


def test_accuracies_of_several_scales_are_the_mean_of_theirs() -> None:
    yes, no = torch.full((1, 1, 2, 2), 3.0), torch.full((1, 1, 4, 4), -3.0)
    found = accuracies("lsgan", "D", real=(yes, no), fake=(no, no))
    assert {name: float(value) for name, value in found.items()} == {"D_real": 0.5, "D_fake": 1}


def test_the_penalty_of_several_scales_is_the_mean_of_theirs() -> None:
    real, fake = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    steep = gradient_penalty(lambda x: (x.sum((1, 2, 3)), 2 * x.sum((1, 2, 3))), real, fake)
    length = math.sqrt(3 * 4 * 4)
    assert float(steep) == pytest.approx(10 * ((length - 1) ** 2 + (2 * length - 1) ** 2) / 2, rel=1e-4)


def test_too_small_images_for_the_coarsest_scale_are_a_sentence() -> None:
    model, stepper, progress = training("cycle_gan", "--num_D 3")
    with pytest.raises(ValueError, match="16 pixels a side, but the discriminator needs 21; .*lower --num_D"):
        stepper.step(random_batch(model.opt, size=16), progress)
    stepper.step(random_batch(model.opt, size=21), progress)


def test_num_D_without_a_discriminator_is_said_to_have_no_effect(caplog: pytest.LogCaptureFixture) -> None:
    small_options("pix2pix", "--lambda_GAN 0 --num_D 2")
    assert "--num_D" in caplog.text
    assert "without effect" in caplog.text
