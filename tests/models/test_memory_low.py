"""``--memory low`` and ``lowest``: the same results, and less that is remembered for the way back."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.base import TranslationModel
from networks.resnet import ResnetBlock, recompute_blocks
from tests.exact_steps import assert_same_steps, taken
from tests.small import random_batch, training

CASES = {
    "instance": "--norm instance --pool_size 3",
    "no norm or identity": "--norm none --init_gain 0.3 --pool_size 3 --lambda_identity 0",
    "dropout": "--dropout --pool_size 3 --gan_mode vanilla",
    "batch norm": "--norm batch --dropout --pool_size 3",
    "penalty": "--pool_size 3 --gan_mode wgangp",
    "U-Net": "--netG unet_32 --dropout --pool_size 3",
}


class Remembered:
    """Counts the bytes that are kept for backward at one time."""

    def __init__(self) -> None:
        self.now = self.most = 0

    def __call__(self, step: Callable[[], object]) -> int:
        """Return the most of a step."""
        with torch.autograd.graph.saved_tensors_hooks(lambda tensor: Kept(tensor, self), lambda kept: kept.tensor):
            step()
        return self.most


class Kept:
    """A tensor that counts for as long as it lives."""

    def __init__(self, tensor: Tensor, tally: Remembered) -> None:
        self.tensor, self._tally = tensor, tally
        self._size = 0 if isinstance(tensor, nn.Parameter) else tensor.numel() * tensor.element_size()
        tally.now += self._size
        tally.most = max(tally.most, tally.now)

    def __del__(self) -> None:
        self._tally.now -= self._size


def remembered(name: str, flags: str, count: int = 1) -> int:
    model, stepper, progress = training(name, f"--netG resnet_6blocks --batch_size {count} {flags}")
    batch = random_batch(model.opt, count, size=32)
    return Remembered()(lambda: stepper.step(batch, progress))


def buffers(model: TranslationModel[Any]) -> dict[str, Tensor]:
    return dict(model.networks.named_buffers())


@pytest.mark.parametrize("case", CASES)
def test_pieces_are_the_same_mathematics_with_the_same_dropout(case: str) -> None:
    whole, low = taken("cycle_gan", CASES[case]), taken("cycle_gan", f"{CASES[case]} --memory low")
    assert_same_steps(low, whole)
    torch.testing.assert_close(buffers(low.model), buffers(whole.model))


@pytest.mark.parametrize("case", ["instance", "no norm or identity", "penalty"])
def test_parts_of_pieces_are_the_same_mathematics(case: str) -> None:
    flags = CASES[case].replace("--pool_size 3", "--pool_size 0" if case == "penalty" else "--pool_size 3")
    assert_same_steps(taken("cycle_gan", f"{flags} --memory low --accumulate 2"), taken("cycle_gan", flags))


@pytest.mark.parametrize("case", [case for case in CASES if case != "U-Net"])
def test_recomputed_blocks_are_the_same_mathematics_with_the_same_dropout(case: str) -> None:
    flags = f"--netG resnet_2blocks {CASES[case]}"
    whole, lowest = taken("cycle_gan", flags), taken("cycle_gan", f"{flags} --memory lowest")
    assert_same_steps(lowest, whole)
    torch.testing.assert_close(buffers(lowest.model), buffers(whole.model))


@pytest.mark.parametrize("more", ["", "--accumulate 2 --no_dropout --norm instance"])
def test_recomputed_blocks_work_where_there_is_one_piece(more: str) -> None:
    flags = "--netG resnet_2blocks --norm batch --dropout" if not more else "--no_dropout --norm instance"
    whole, lowest = taken("pix2pix", flags), taken("pix2pix", f"{flags} --memory lowest {more}")
    assert_same_steps(lowest, whole)
    torch.testing.assert_close(buffers(lowest.model), buffers(whole.model))


def test_less_is_remembered() -> None:
    normal, low, lowest = (remembered("cycle_gan", f"--memory {memory}") for memory in ("normal", "low", "lowest"))
    assert low < 0.4 * normal  # two passes of a generator instead of six, and D
    assert lowest < 0.7 * low


def test_less_is_remembered_of_parts() -> None:
    assert remembered("pix2pix", "--accumulate 4", 4) < 0.3 * remembered("pix2pix", "", 4)
    both = remembered("cycle_gan", "--accumulate 2 --memory low", 2)
    assert both < 0.2 * remembered("cycle_gan", "", 2)


def test_each_direction_and_identity_is_forgotten_before_the_next() -> None:
    calls: list[str] = []
    model, stepper, progress = training("cycle_gan", "--memory low")
    for name, network in model.networks.items():
        network.register_forward_hook(lambda net, given, out, name=name: calls.append(name))
        layers: Any = network.model
        hook = layers[-1 if name.startswith("D") else 4]
        hook.register_full_backward_hook(lambda net, into, out, name=name: calls.append(f"{name} back"))
    stepper.step(random_batch(model.opt), progress)
    ways = [call for call in calls if call.startswith("G")]
    first, second = ["G_A", "G_B", "G_B back", "G_A back"], ["G_B", "G_A", "G_A back", "G_B back"]
    assert ways == [*first, "G_A", "G_A back", *second, "G_B", "G_B back"]


def test_a_step_leaves_images_without_a_graph() -> None:
    model, stepper, progress = training("cycle_gan", "--memory low --batch_size 3 --accumulate 2")
    out = stepper.step(random_batch(model.opt, 3), progress).out
    assert not any(image.requires_grad for image in model.visuals(out).values())
    assert list(model.visuals(out)) == ["real_A", "fake_B", "rec_A", "idt_B", "real_B", "fake_A", "rec_B", "idt_A"]
    assert set(model.translations(out)) == {"G_A", "G_B"}


def test_a_network_that_is_not_trained_is_computed_once() -> None:
    block = ResnetBlock(2, norm="batch", dropout=False)
    recompute_blocks(block)
    calls: list[int] = []
    block.conv_block[1].register_forward_hook(lambda net, given, out: calls.append(1))
    with torch.no_grad():
        block(torch.randn(1, 2, 6, 6))
    assert len(calls) == 1
    block(torch.randn(1, 2, 6, 6)).sum().backward()
    assert len(calls) == 3
    assert int(block.state_dict()["conv_block.2.num_batches_tracked"]) == 2
