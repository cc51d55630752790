"""What every model must do: learn with what it names, stay still elsewhere, survive a save."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from data.batch import Batch
from models.base import Phase, TranslationModel
from models.registry import MODELS, create_model
from models.trained_run import load_networks
from options.cli import parse_test
from tests.small import random_batch, save_at, small_options, train_steps, trained_models, training, weights

TRAINED = trained_models()
OFFICIAL_FILES = {
    "cycle_gan": {"G_A", "G_B", "D_A", "D_B"},
    "cut": {"G", "D", "F"},
    "pix2pix": {"G", "D"},
    "colorization": {"G", "D"},
    "template": {"G"},
}
OFFICIAL_LABELS = {
    "cycle_gan": ["real_A", "fake_B", "rec_A", "idt_B", "real_B", "fake_A", "rec_B", "idt_A"],
    "cut": ["real_A", "fake_B", "real_B", "idt_B"],
    "pix2pix": ["real_A", "fake_B", "real_B"],
    "colorization": ["real_A", "real_B_rgb", "fake_B_rgb"],
    "template": ["real_A", "fake_B", "real_B"],
}
OFFICIAL_LOSSES = {
    "cycle_gan": ["D_A", "G_A", "cycle_A", "idt_A", "D_B", "G_B", "cycle_B", "idt_B"],
    "cut": ["G_GAN", "D_real", "D_fake", "G", "NCE", "NCE_Y"],
    "pix2pix": ["G_GAN", "G_L1", "D_real", "D_fake"],
    "colorization": ["G_GAN", "G_L1", "D_real", "D_fake"],
    "template": ["G"],
}


def test_only_the_test_model_has_nothing_to_train() -> None:
    assert set(MODELS) - set(TRAINED) == {"test"}


@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
@pytest.mark.parametrize("gan_mode", ["lsgan", "vanilla", "wgangp"])
@pytest.mark.parametrize("name", TRAINED)
def test_two_steps_move_every_weight_and_stay_finite(name: str, gan_mode: str, norm: str) -> None:
    pool = "--pool_size 2" if name == "cycle_gan" else ""
    model, stepper, progress = training(name, f"--dropout --gan_mode {gan_mode} --norm {norm} {pool}")
    # a critic's last bias cancels out of mean(fake) - mean(real) and of the penalty
    still = {f"networks.{net}.model.5.bias" for net in model.networks if net[0] == "D" and gan_mode == "wgangp"}
    for _ in range(2):
        before = {key: value.detach().clone() for key, value in model.named_parameters()}
        (losses,) = train_steps(model, stepper, progress, 1, count=2)
        assert all(math.isfinite(value) for value in losses.values()), losses
        for key, parameter in model.named_parameters():
            assert parameter.grad is not None, key
            assert torch.isfinite(parameter.grad).all(), key
            if norm != "instance" or parameter.ndim > 1:  # there a bias before the norm learns from rounding alone
                assert key in still or not torch.equal(parameter, before[key]), key


@pytest.mark.parametrize("name", TRAINED)
def test_in_each_phase_only_the_named_networks_get_gradients_and_move(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, stepper, progress = training(name, "--dropout --norm batch")
    train_steps(model, stepper, progress, 1)  # so that every parameter has a gradient
    snapshots = [gradients_and_values(model)]
    turns: list[str] = []

    def watch(phase: Phase) -> None:
        optimizer = stepper.optimizers[phase.name].adam
        update = optimizer.step

        def watched() -> None:
            update()
            before, after = snapshots[-1], gradients_and_values(model)
            for key, (gradient, value) in after.items():
                named = key.split(".")[0] in phase.networks
                assert torch.equal(gradient, before[key][0]) is not named, (phase.name, key)
                assert torch.equal(value, before[key][1]) is not named, (phase.name, key)
            snapshots.append(after)
            turns.append(phase.name)

        monkeypatch.setattr(optimizer, "step", watched)

    for phase in stepper.phases:
        watch(phase)
    train_steps(model, stepper, progress, 1)
    assert turns == [phase.name for phase in model.phases()]
    assert all(parameter.requires_grad for parameter in model.parameters())


def gradients_and_values(model: TranslationModel[Any]) -> dict[str, tuple[Tensor, Tensor]]:
    found = {}
    for key, parameter in model.networks.named_parameters():
        assert parameter.grad is not None
        found[key] = parameter.grad.clone(), parameter.detach().clone()
    return found


@pytest.mark.parametrize("name", TRAINED)
def test_every_network_is_trained_by_exactly_one_phase(name: str) -> None:
    model, _, _ = training(name)
    trained = [network for phase in model.phases() for network in phase.networks]
    assert sorted(trained) == sorted(model.networks)


def test_cycle_gan_without_identity_loss_reports_zero_and_shows_no_identity_image() -> None:
    model, stepper, progress = training("cycle_gan", "--lambda_identity 0")
    out, losses, _ = stepper.step(random_batch(model.opt), progress)
    assert list(losses) == OFFICIAL_LOSSES["cycle_gan"]
    assert [float(losses[name]) for name in ("idt_A", "idt_B")] == [0, 0]
    assert list(model.visuals(out)) == ["real_A", "fake_B", "rec_A", "real_B", "fake_A", "rec_B"]


@pytest.mark.parametrize("name", TRAINED)
def test_losses_and_images_have_the_official_names_and_images_the_range(name: str) -> None:
    model, stepper, progress = training(name)
    batch = random_batch(model.opt, 2)
    out, losses, _ = stepper.step(batch, progress)
    assert list(losses) == OFFICIAL_LOSSES[name]
    visuals = model.visuals(out)
    assert list(visuals) == OFFICIAL_LABELS[name]
    for image in visuals.values():
        assert image.shape[0] == 2
        assert image.shape[1] in (1, 3)
        assert image.shape[2:] == batch.A.shape[2:]
        assert image.abs().max() <= 1


@pytest.mark.parametrize("gan_mode", ["vanilla", "lsgan"])
def test_cycle_gan_losses_equal_their_definition(gan_mode: str) -> None:
    flags = f"--lambda_A 7 --lambda_B 3 --lambda_identity 0.25 --pool_size 0 --gan_mode {gan_mode} --lr 1e-12"
    model, stepper, progress = training("cycle_gan", flags)
    batch = random_batch(model.opt)
    A, B, nets = batch.A, batch.target, model.networks
    with torch.no_grad():
        fake_B, fake_A = nets["G_A"](A), nets["G_B"](B)
        expected = {
            "cycle_A": 7 * (nets["G_B"](fake_B) - A).abs().mean(),
            "cycle_B": 3 * (nets["G_A"](fake_A) - B).abs().mean(),
            "idt_A": 3 * 0.25 * (nets["G_A"](B) - B).abs().mean(),
            "idt_B": 7 * 0.25 * (nets["G_B"](A) - A).abs().mean(),
        }
        for side, fake, real in (("A", fake_B, B), ("B", fake_A, A)):
            on_fake, on_real = nets[f"D_{side}"](fake), nets[f"D_{side}"](real)
            if gan_mode == "lsgan":
                expected[f"G_{side}"] = ((on_fake - 1) ** 2).mean()
                expected[f"D_{side}"] = 0.5 * (((on_real - 1) ** 2).mean() + (on_fake**2).mean())
            else:
                expected[f"G_{side}"] = -on_fake.sigmoid().log().mean()
                expected[f"D_{side}"] = -0.5 * (on_real.sigmoid().log().mean() + (1 - on_fake.sigmoid()).log().mean())
    losses = stepper.step(batch, progress).losses
    for key, value in expected.items():
        assert losses[key].item() == pytest.approx(value.item(), rel=1e-4), key


@pytest.mark.parametrize("name", TRAINED)
def test_a_saved_model_translates_the_same_to_the_bit(name: str, tmp_path: Path) -> None:
    model, stepper, progress = training(name, "--dropout")
    train_steps(model, stepper, progress, 1)
    save_at(tmp_path, model, stepper, progress, "latest", "7")
    files = {path.name for path in tmp_path.iterdir()}
    official = {f"{prefix}_net_{net}.pth" for prefix in ("latest", "7") for net in OFFICIAL_FILES[name]}
    assert files == official | {"latest_state.pth"}

    for prefix in ("latest", "7"):
        again = create_model(small_options(name, "--dropout --seed 5"))
        load_networks(again, tmp_path, prefix)
        batch = random_batch(model.opt)
        visuals = []
        for which in (model, again):
            torch.manual_seed(1)  # dropout
            with torch.no_grad():
                visuals.append(which.visuals(which(batch)))
        for label, image in visuals[0].items():
            assert torch.equal(image, visuals[1][label]), label


def test_networks_of_a_model_are_a_function_of_the_seed() -> None:
    first, again, other = (training("pix2pix", f"--seed {seed}")[0] for seed in (3, 3, 4))
    for key, value in weights(first).items():
        assert torch.equal(value, again.state_dict()[key])
    key = "networks.G.model.1.weight"
    assert not torch.equal(first.state_dict()[key], other.state_dict()[key])


@pytest.mark.parametrize("netG", ["resnet_1blocks", "unet_32"])
def test_a_generator_file_with_keys_missing_is_refused_with_the_first_of_them(netG: str, tmp_path: Path) -> None:
    model, stepper, progress = training("pix2pix", f"--netG {netG}")
    save_at(tmp_path, model, stepper, progress, "latest")
    cut = weights(model.networks["G"])
    missing = [*cut][-2]  # of the last convolution
    del cut[missing]
    torch.save(cut, tmp_path / "latest_net_G.pth")
    with pytest.raises(ValueError, match=rf"latest_net_G.pth does not fit .*lacks {missing}"):
        load_networks(model, tmp_path, "latest")


def test_generated_images_have_the_odd_size_of_their_own_real_one() -> None:
    opt = parse_test(["--dataroot", "unused", "--model", "cycle_gan", "--netG", "resnet_1blocks", "--ngf", "4"])
    model = create_model(opt)
    A, B = torch.zeros(1, 3, 30, 33), torch.zeros(1, 3, 45, 41)
    with torch.no_grad():
        visuals = model.visuals(model(Batch(A, B, ("a",), ("b",))))
    sizes = {label: tuple(image.shape[2:]) for label, image in visuals.items()}
    assert {sizes[label] for label in ("real_A", "fake_B", "rec_A")} == {(30, 33)}
    assert {sizes[label] for label in ("real_B", "fake_A", "rec_B")} == {(45, 41)}


def test_images_too_small_for_the_discriminator_are_a_sentence() -> None:
    model, stepper, progress = training("cycle_gan", "--netD n_layers --n_layers_D 4")
    with pytest.raises(ValueError, match="the discriminator needs 48.*--patch_size 16"):
        stepper.step(random_batch(model.opt, size=32), progress)
    stepper.step(random_batch(model.opt, size=48), progress)
