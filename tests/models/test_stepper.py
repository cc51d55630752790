"""A training step: who is frozen, where randomness comes from, and many processes as one."""

import copy
import itertools
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from data.loader import EpochSampler
from models.stepper import Stepper, only_trainable, seed_step
from options.errors import UserError
from tests.small import ALONE, random_batch, train_steps, trained_models, training
from util.distributed import World
from util.gradient_sum import LARGE, GradientSum
from util.progress import Progress


@pytest.fixture
def networks() -> nn.ModuleDict:
    return nn.ModuleDict({"G": nn.Linear(2, 2), "D": nn.Linear(2, 1), "E": nn.Linear(2, 1)})


def wanted(networks: nn.ModuleDict) -> dict[str, bool]:
    return {key: parameter.requires_grad for key, parameter in networks.named_parameters()}


def test_only_the_named_networks_want_gradients_and_only_inside(networks: nn.ModuleDict) -> None:
    with only_trainable(networks, ("G", "E")):
        assert wanted(networks) == {key: key[0] in "GE" for key in wanted(networks)}
    assert all(wanted(networks).values())


def test_what_a_model_froze_itself_stays_frozen(networks: nn.ModuleDict) -> None:
    networks["D"].weight.requires_grad_(False)
    networks["G"].bias.requires_grad_(False)
    before = wanted(networks)
    with only_trainable(networks, ("G",)):
        assert wanted(networks)["G.bias"] is False
    assert wanted(networks) == before


def test_an_error_in_a_loss_leaves_the_networks_thawed(monkeypatch: pytest.MonkeyPatch) -> None:
    model, stepper, progress = training("pix2pix")

    def broken(out: object) -> None:
        raise RuntimeError("no loss today")

    stepper.phases[0] = stepper.phases[0]._replace(loss=broken)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="no loss today"):
        stepper.step(random_batch(model.opt), progress)
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("gan_mode", ["lsgan", "wgangp"])
@pytest.mark.parametrize("name", ["cycle_gan", "pix2pix", "colorization"])
def test_the_loss_of_the_discriminators_does_not_reach_the_generators(name: str, gan_mode: str) -> None:
    model, _, _ = training(name, f"--gan_mode {gan_mode}")
    out = model(random_batch(model.opt))
    (phase,) = [phase for phase in model.phases() if phase.name == "D"]
    phase.loss(out).total.backward()  # type: ignore[no-untyped-call]  # nothing is frozen
    for key, parameter in model.networks.named_parameters():
        assert (parameter.grad is not None) is key.startswith("D"), key


def test_dropout_depends_on_seed_rank_and_images_seen_alone() -> None:
    seen: dict[tuple[int, ...], Tensor] = {}
    for key in itertools.product((0, 1, 7), (0, 1), (0, 1, 2, 10**9)):
        drawn = []
        for other_draws in (0, 3):
            torch.rand(other_draws + 1)
            seed_step(*key)
            drawn.append(torch.rand(8))
        assert torch.equal(*drawn)
        seen[key] = drawn[0]
    assert len({tuple(values.tolist()) for values in seen.values()}) == len(seen)


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("cycle_gan", "--dropout --pool_size 1"),
        ("cycle_gan", "--dropout --norm batch --accumulate 2"),
        ("pix2pix", "--dropout --norm batch --accumulate 2"),
        ("cycle_gan", "--dropout --pool_size 1 --memory low"),
        ("cycle_gan", "--dropout --pool_size 1 --memory lowest"),
        ("cut", "--num_patches 9"),
        ("cut", "--num_patches 9 --CUT_mode FastCUT"),
    ],
)
def test_a_step_repeats_whatever_was_drawn_before_it(name: str, flags: str) -> None:
    histories: list[list[dict[str, float]]] = []
    for draws in (0, 17):
        run = training(name, f"--batch_size 3 {flags}")
        histories.append([])
        for steps in (1, 2):
            torch.rand(draws)
            histories[-1] += train_steps(*run, steps, count=3)
    assert histories[0] == histories[1]


def test_another_seed_or_position_gives_other_dropout() -> None:
    losses = []
    for seed, images_seen in ((0, 0), (1, 0), (0, 1)):
        model, _, progress = training("pix2pix")
        progress.images_seen = images_seen
        stepper = Stepper(model, model.opt.optim, ALONE, seed=seed)
        parts = stepper.step(random_batch(model.opt), progress).losses
        losses.append(parts["G_L1"].item())
    assert len(set(losses)) == 3


def test_the_learning_rate_of_the_epoch_is_set_on_every_optimizer() -> None:
    _, stepper, progress = training("cycle_gan", "--lr 0.01 --n_epochs 2 --n_epochs_decay 3")
    for epoch, factor in ((1, 1), (3, 3 / 4), (5, 1 / 4), (1, 1)):  # in any order: nothing accumulates
        progress.epoch = epoch
        assert stepper.set_learning_rate(progress) == pytest.approx(0.01 * factor)
        groups = [group for optimizer in stepper.optimizers.values() for group in optimizer.adam.param_groups]
        assert len(groups) == 2
        assert [group["lr"] for group in groups] == pytest.approx([0.01 * factor] * 2)


def test_optimizers_are_the_official_ones() -> None:
    model, stepper, _ = training("cycle_gan")
    for phase, networks in (("G", ("G_A", "G_B")), ("D", ("D_A", "D_B"))):
        (group,) = stepper.optimizers[phase].adam.param_groups
        assert (group["lr"], group["betas"], group["eps"], group["weight_decay"]) == (0.0002, (0.5, 0.999), 1e-8, 0)
        expected = [parameter for name in networks for parameter in model.networks[name].parameters()]
        assert [id(parameter) for parameter in group["params"]] == [id(parameter) for parameter in expected]


def test_cycle_gan_updates_generators_first_and_pix2pix_the_discriminator() -> None:
    assert [phase.name for phase in training("cycle_gan")[0].phases()] == ["G", "D"]
    assert [phase.name for phase in training("pix2pix")[0].phases()] == ["D", "G"]


def test_losses_hold_on_to_no_graph() -> None:
    model, stepper, progress = training("cycle_gan")
    losses = stepper.step(random_batch(model.opt), progress).losses
    assert all(not value.requires_grad and value.shape == () for value in losses.values())


@pytest.mark.parametrize("netG", ["resnet_1blocks", "unet_32"])
@pytest.mark.parametrize("name", trained_models())
def test_images_of_any_size_are_trained_on(name: str, netG: str) -> None:
    if (name, netG) == ("cut", "unet_32"):
        pytest.skip("cut reads patches between residual blocks")
    model, stepper, progress = training(name, f"--netG {netG}")
    for size in (18, 33, 48):
        out, losses, _ = stepper.step(random_batch(model.opt, size=size), progress)
        assert all(value.isfinite() for value in losses.values())
        assert {tuple(image.shape[2:]) for image in model.visuals(out).values()} == {(size, size)}


def test_the_state_of_the_optimizers_goes_into_another_stepper() -> None:
    model, stepper, progress = training("pix2pix")
    train_steps(model, stepper, progress, 2)
    again, other, _ = training("pix2pix", "--seed 3")
    again.load_state_dict(model.state_dict())
    other.load_state_dict(copy.deepcopy(stepper.state_dict()))  # PyTorch would share the tensors
    position = Progress(images_seen=progress.images_seen)
    other.seed = stepper.seed
    assert train_steps(again, other, position, 2) == train_steps(model, stepper, progress, 2)


def test_more_processes_than_images_are_refused() -> None:
    with pytest.raises(UserError, match="2 images are too few for 3 processes"):
        EpochSampler(2, seed=0, shuffled=True, rank=0, world_size=3)


def test_alone_gradients_and_numbers_stay_as_they_are() -> None:
    parameters = [nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(3))]
    parameters[0].grad = torch.ones(2)
    GradientSum(parameters, ALONE).finish()
    assert torch.equal(parameters[0].grad, torch.ones(2))
    assert parameters[1].grad is None
    assert torch.equal(ALONE.mean(torch.tensor([1.0])), torch.tensor([1.0]))


def test_a_backward_pass_that_fails_leaves_no_gradient_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    class Work:
        def wait(self) -> None:
            sent.append(self)

    monkeypatch.setattr("torch.distributed.all_reduce", lambda *given, **named: Work())
    weight = nn.Parameter(torch.ones(LARGE))
    gradients = GradientSum([weight], World(0, 2, torch.device("cpu")))

    def failing() -> None:
        with gradients.beside_the_backward_pass():
            weight.sum().backward()  # type: ignore[no-untyped-call]
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        failing()
    for count in (1, 2):  # once for each step that follows
        weight.sum().backward()  # type: ignore[no-untyped-call]
        before = dict(gradients._under_way)
        gradients.finish()
        assert (before, len(sent)) == ({}, count)


def longest_gradients(flags: str) -> dict[str, float]:
    """Train once; return the length of each phase's gradient as its optimizer saw it."""
    model, stepper, progress = training("cycle_gan", f"--pool_size 0 {flags}")
    seen: dict[str, float] = {}
    for phase, optimizer in stepper.optimizers.items():

        def note(optimizer: Any, *given: Any, phase: str = phase) -> None:
            parameters = optimizer.param_groups[0]["params"]
            seen[phase] = float(torch.cat([p.grad.flatten() for p in parameters if p.grad is not None]).norm())

        optimizer.adam.register_step_pre_hook(note)
    train_steps(model, stepper, progress, 1)
    return seen


def test_long_gradients_are_shortened_and_short_ones_are_not() -> None:
    free = longest_gradients("")
    assert min(free.values()) > 0.01
    between = sum(sorted(free.values())) / 2
    clipped = longest_gradients(f"--clip_grad {between}")
    assert clipped == {phase: pytest.approx(min(length, between), rel=1e-3) for phase, length in free.items()}
    assert max(free.values()) > between > min(free.values())
