"""``--accumulate``: a batch in parts gives what the whole batch gives."""

from typing import Any

import pytest
import torch
from torch import Tensor

from models.base import TranslationModel
from tests.exact_steps import assert_same_steps, taken
from tests.small import random_batch, small_options, training

CASES = {
    "cycle_gan": "--norm instance --pool_size 3",
    "cycle_gan without norm": "--norm none --init_gain 0.3 --pool_size 7 --lambda_identity 0 --gan_mode vanilla",
    "cycle_gan with long gradients": "--pool_size 2 --clip_grad 0.01",
    "cycle_gan with a penalty": "--pool_size 0 --gan_mode wgangp",
    "pix2pix": "--norm instance --no_dropout",
    "pix2pix without norm": "--norm none --init_gain 0.3 --no_dropout --gan_mode lsgan",
    "pix2pix with a penalty": "--norm instance --no_dropout --gan_mode wgangp",
    "colorization": "--norm instance --no_dropout",
    "template": "--no_dropout",
}


def drawn(model: TranslationModel[Any], network: str) -> list[Tensor]:
    """Return a list that will hold what a network makes."""
    made: list[Tensor] = []
    model.networks[network].register_forward_hook(lambda net, given, out: made.append(out.detach()))
    return made


@pytest.mark.parametrize("parts", [2, 5])
@pytest.mark.parametrize("case", CASES)
def test_a_batch_in_parts_is_the_same_mathematics(case: str, parts: int) -> None:
    name = case.split()[0]
    whole = taken(name, CASES[case])
    assert_same_steps(taken(name, f"{CASES[case]} --accumulate {parts}"), whole)


def test_pools_give_other_results_than_none() -> None:
    """Or the comparison above would not see in which order their random numbers are drawn."""
    with_pools, without = (taken("cycle_gan", f"--pool_size {size}", steps=1).losses[0] for size in (1, 0))
    assert {name for name in without if with_pools[name] != without[name]} == {"D_A", "D_B"}


@pytest.mark.parametrize(
    ("size", "parts", "expected"), [(5, 2, [3, 2]), (16, 4, [4] * 4), (7, 3, [3, 2, 2]), (2, 4, [1, 1]), (3, 1, [3])]
)
def test_the_first_parts_are_the_larger_ones(size: int, parts: int, expected: list[int]) -> None:
    batch = random_batch(small_options("pix2pix"), size)
    batch = batch._replace(A_paths=tuple(map(str, range(size))))
    split = batch.split(parts)
    assert [part.size for part in split] == expected
    assert torch.equal(torch.cat([part.A for part in split]), batch.A)
    assert torch.equal(torch.cat([part.target for part in split]), batch.target)
    assert [path for part in split for path in part.A_paths] == list(batch.A_paths)
    assert batch._replace(B=None).split(parts)[-1].B is None


@pytest.mark.parametrize("name", ["cycle_gan", "pix2pix"])
def test_no_more_images_than_those_of_a_part_pass_at_once(name: str) -> None:
    model, stepper, progress = training(name, "--no_dropout --batch_size 5 --accumulate 2")
    sizes = set()
    for network in model.networks.values():
        network.register_forward_hook(lambda net, given, out: sizes.add(len(out)))
    out = stepper.step(random_batch(model.opt, 5), progress).out
    assert sizes == {3, 2}
    assert {len(image) for image in model.visuals(out).values()} == {5}


def test_both_passes_of_a_part_have_the_same_dropout_and_each_part_its_own() -> None:
    model, stepper, progress = training("pix2pix", "--norm instance --batch_size 2 --accumulate 2")
    made = drawn(model, "G")
    batch = random_batch(model.opt, 1)
    twice = batch._replace(A=batch.A.repeat(2, 1, 1, 1), B=batch.target.repeat(2, 1, 1, 1))
    stepper.step(twice._replace(A_paths=("a", "b"), B_paths=("a", "b")), progress)
    first, second, first_again, second_again = made
    assert torch.equal(first, first_again)
    assert torch.equal(second, second_again)
    assert not torch.equal(first, second)


def test_running_statistics_move_once_for_each_part() -> None:
    """pix2pix's generator passes each part twice: for the losses of D, and again for its own."""
    model, stepper, progress = training("pix2pix", "--norm batch --no_dropout --batch_size 4 --accumulate 2")
    batch = random_batch(model.opt, 4)
    layers: Any = model.networks["G"].model
    before = layers[1].weight.detach().clone()
    stepper.step(batch, progress)
    norm = layers[2]
    expected = torch.zeros(4)
    for part in batch.split(2):
        seen = torch.nn.functional.conv2d(torch.nn.functional.pad(part.A, (3,) * 4, "reflect"), before)
        expected = 0.9 * expected + 0.1 * seen.mean((0, 2, 3))
    assert int(norm.num_batches_tracked) == 2
    torch.testing.assert_close(norm.running_mean, expected, rtol=1e-4, atol=1e-6)


def test_a_last_batch_that_is_smaller_than_the_parts_is_learned_from() -> None:
    flags = "--norm instance --no_dropout"
    model, stepper, progress = training("pix2pix", f"{flags} --batch_size 4 --accumulate 4")
    plain, other, position = training("pix2pix", flags)
    for count in (3, 1):
        batch = random_batch(model.opt, count, seed=count)
        ours, theirs = stepper.step(batch, progress).losses, other.step(batch, position).losses
        assert {k: float(v) for k, v in ours.items()} == pytest.approx({k: float(v) for k, v in theirs.items()}, 1e-4)
    assert plain.opt.optim.accumulate == 1


@pytest.mark.parametrize(("norm", "said"), [("batch", True), ("instance", False)])
def test_that_batch_norms_see_parts_is_said(norm: str, said: bool, caplog: pytest.LogCaptureFixture) -> None:
    training("pix2pix", f"--norm {norm} --batch_size 4 --accumulate 2")
    assert ("--norm batch takes the statistics of each part alone" in caplog.text) is said
