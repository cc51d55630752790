"""The losses of the papers' tables: each can be switched off, and what is left is what the table says."""

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from options.cli import parse_train
from options.stored import flatten
from tests.small import random_batch, small_options, train_steps, training


def model(name: str, flags: str = "") -> Any:
    """Return a model of which more is asked than the contract of all."""
    return training(name, flags)[0]


@pytest.mark.parametrize(
    ("model", "flags", "losses", "networks"),
    [
        ("pix2pix", "--lambda_GAN 0", ["G_L1"], ["G"]),
        ("pix2pix", "--lambda_L1 0", ["G_GAN", "G_L1", "D_real", "D_fake"], ["G", "D"]),
        ("pix2pix", "--no_conditional_D", ["G_GAN", "G_L1", "D_real", "D_fake"], ["G", "D"]),
        ("cycle_gan", "--lambda_GAN 0", ["cycle_A", "idt_A", "cycle_B", "idt_B"], ["G_A", "G_B"]),
        (
            "cycle_gan",
            "--lambda_A 0 --lambda_B 0",
            ["D_A", "G_A", "cycle_A", "idt_A", "D_B", "G_B", "cycle_B", "idt_B"],
            ["G_A", "G_B", "D_A", "D_B"],
        ),
    ],
)
def test_two_steps_with_what_is_left_move_every_network(
    model: str, flags: str, losses: list[str], networks: list[str]
) -> None:
    built, stepper, progress = training(model, flags)
    assert list(built.networks) == networks
    for _ in range(2):
        before = {name: [p.detach().clone() for p in net.parameters()] for name, net in built.networks.items()}
        (reported,) = train_steps(built, stepper, progress, 1)
        assert list(reported) == losses
        for name, net in built.networks.items():
            assert any(not torch.equal(p, old) for p, old in zip(net.parameters(), before[name], strict=True)), name


def test_l1_alone_is_plain_regression() -> None:
    built, stepper, progress = training("pix2pix", "--lambda_GAN 0 --lambda_L1 1 --no_dropout")
    twin = training("template", "--no_dropout --norm batch --netG resnet_1blocks")
    (reported,) = train_steps(built, stepper, progress, 1)
    (expected,) = train_steps(*twin, 1)
    assert reported["G_L1"] == expected["G"]
    for ours, theirs in zip(built.networks["G"].parameters(), twin[0].networks["G"].parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_an_unconditional_discriminator_never_sees_the_input() -> None:
    for flag, channels in (("--no_conditional_D", 3), ("", 5)):
        built = model("pix2pix", f"{flag} --input_nc 2 --no_dropout")
        out = built(random_batch(built.opt))
        assert built.networks["D"].model[0].in_channels == channels
        other = out._replace(real_A=torch.zeros_like(out.real_A))
        same = built.loss_D(other).parts["D_real"] == built.loss_D(out).parts["D_real"]
        assert bool(same) is (channels == 3)


@pytest.mark.parametrize(("name", "label"), [("pix2pix", "G_GAN"), ("cycle_gan", "G_A")])
def test_the_weight_of_the_adversarial_loss_is_in_the_total(name: str, label: str) -> None:
    once, twice = model(name), model(name, "--lambda_GAN 2")
    batch = random_batch(once.opt)
    torch.manual_seed(0)
    first = once.loss_G(once(batch))
    torch.manual_seed(0)
    second = twice.loss_G(twice(batch))
    assert second.parts[label] == 2 * first.parts[label]
    assert float(second.total.detach()) == pytest.approx(
        float(sum(part.detach() for part in second.parts.values())), rel=1e-6
    )


def test_with_the_forward_cycle_alone_only_that_one_counts() -> None:
    built = model("cycle_gan", "--lambda_B 0 --lambda_identity 0")
    out = built(random_batch(built.opt))
    parts = built.loss_G(out).parts
    assert parts["cycle_A"] == 10 * F.l1_loss(out.A.rec, out.A.real)
    assert parts["cycle_B"] == parts["idt_A"] == 0


@pytest.mark.parametrize(
    ("model", "flags", "message"),
    [
        ("pix2pix", "--lambda_GAN 0 --lambda_L1 0", "nothing to learn from"),
        ("cycle_gan", "--lambda_GAN 0 --lambda_A 0 --lambda_B 0", "nothing to learn from"),
        ("pix2pix", "--lambda_L1 -1", "--lambda_L1 -1.0 is too small"),
    ],
)
def test_weights_that_cannot_be_meant_are_a_sentence(
    model: str, flags: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_train(["--dataroot", "unused", "--model", model, *flags.split()])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("model", ["pix2pix", "cycle_gan"])
def test_flags_of_a_discriminator_that_is_not_there_are_named(model: str, caplog: pytest.LogCaptureFixture) -> None:
    words = ["--lambda_GAN", "0", "--gan_mode", "lsgan", "--ndf", "32"]
    parse_train(["--dataroot", "unused", "--model", model, *words])
    assert "--lambda_GAN 0 trains without a discriminator: --ndf, --gan_mode without effect" in caplog.text


def test_without_a_discriminator_small_images_are_welcome() -> None:
    built, _, _ = training("pix2pix", "--lambda_GAN 0")
    built.check_batch(random_batch(small_options("pix2pix"), size=8))


def test_a_run_of_before_the_switches_goes_on() -> None:
    stored = flatten(small_options("pix2pix"))
    for newer in ("lambda_GAN", "no_conditional_D", "patch_size", "num_D", "spectral_norm", "upsampling"):
        del stored[newer]
    words = ["--dataroot", "x", "--name", "run", "--continue_train"]
    assert parse_train(words, stored=lambda run: stored).own.lambda_GAN == 1
    with pytest.raises(SystemExit):
        parse_train([*words, "--lambda_GAN", "0"], stored=lambda run: stored)


@pytest.mark.parametrize(
    ("stored", "words", "goes_on"),
    [
        ("--netD n_layers --n_layers_D 2", "--patch_size 34", True),
        ("", "--patch_size 70", True),
        ("--patch_size 34", "--netD n_layers --n_layers_D 2", True),
        ("--patch_size 34", "", True),
        ("--patch_size 34", "--patch_size 16", False),
        ("", "--netD pixel", False),
        ("--patch_size 34", "--netD basic", False),
    ],
)
def test_a_resume_minds_the_discriminator_and_not_how_it_was_named(stored: str, words: str, goes_on: bool) -> None:
    kept = flatten(parse_train(["--dataroot", "x", *stored.split()]))
    argv = ["--dataroot", "x", "--name", "run", "--continue_train", *words.split()]
    if goes_on:
        assert parse_train(argv, stored=lambda run: kept).is_train
    else:
        with pytest.raises(SystemExit):
            parse_train(argv, stored=lambda run: kept)


def test_a_patch_and_a_name_together_are_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_train(["--dataroot", "x", "--patch_size", "34", "--netD", "basic"])
    assert "--patch_size 34 takes the place of --netD and --n_layers_D; leave one out" in capsys.readouterr().err
