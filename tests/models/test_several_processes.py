"""Several processes compute what one with all their images computes. TEST_PROCESSES=4 for more than two."""

import os
from typing import Any

import pytest
import torch
from torch.multiprocessing.spawn import spawn

from models.registry import create_model
from models.stepper import Stepper
from options.errors import UserError
from tests import several_processes
from tests.images import write_aligned
from tests.several_processes import CASES, trained
from tests.small import ALONE, small_options, training
from util.distributed import World

SIZE = int(os.environ.get("TEST_PROCESSES", "2"))
pytestmark = pytest.mark.slow  # they start anew, each with PyTorch
UNEVEN = [f"{case}, uneven" for case in CASES]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each rank, and at last one process alone, made of the same images."""
    folder = tmp_path_factory.mktemp("processes")
    dataroot = write_aligned(folder / "data")
    spawn(several_processes.work, args=(SIZE, str(folder), str(dataroot)), nprocs=SIZE)  # type: ignore[no-untyped-call]
    ranks = [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in range(SIZE)]
    alone: dict[str, Any] = {case: trained(case, ALONE, 2 * SIZE) for case in CASES}
    alone |= {f"{case}, uneven": trained(case, ALONE, SIZE + 1) for case in CASES}
    alone["cycle_gan instance, one idle"] = trained("cycle_gan instance", ALONE, SIZE - 1)
    alone["validation"] = several_processes.measured(str(dataroot), ALONE, norm="instance", steps=0)
    return [*ranks, alone]


@pytest.mark.parametrize("case", [*CASES, *UNEVEN, "cycle_gan instance, one idle"])
def test_several_processes_equal_one_with_all_their_images(case: str, results: list[dict[str, Any]]) -> None:
    *ranks, alone = (result[case] for result in results)
    model, flags = CASES[case.split(",")[0]]
    start = training(model, flags)[0].networks.state_dict()
    for key, value in alone["weights"].items():
        for one in ranks:
            assert torch.equal(one["weights"][key], ranks[0]["weights"][key]), key
        assert torch.allclose(ranks[0]["weights"][key], value, atol=1e-5, rtol=0), key
        if value.ndim > 1:
            assert (value - start[key]).abs().max() > 1e-3, "the tolerance must be small against what was learned"
    for key, value in alone["gradients"].items():
        assert torch.allclose(ranks[0]["gradients"][key], value, atol=1e-8, rtol=1e-4), key
    for one in ranks:
        assert one["losses"] == ranks[0]["losses"]
    for ours, theirs in zip(ranks[0]["losses"], alone["losses"], strict=True):
        assert ours == pytest.approx(theirs, abs=1e-5)


def test_they_agree_on_the_validation_score_with_one(results: list[dict[str, Any]]) -> None:
    *ranks, alone = (result["validation"] for result in results)
    assert ranks == [ranks[0]] * SIZE, "their learning rates would part"
    assert ranks[0] == pytest.approx(alone)


def test_they_agree_on_the_score_though_their_batch_norms_saw_different_images(results: list[dict[str, Any]]) -> None:
    ranks = [result["validation after batch norm"] for result in results[:-1]]
    assert ranks == [ranks[0]] * SIZE, "their learning rates would part"


def test_weights_that_differ_are_noticed_by_all_before_they_are_saved(results: list[dict[str, Any]]) -> None:
    for result in results[:-1]:
        nothing, said = result["complaints"]
        assert nothing == ""
        assert f"after 7 images the weights of process {SIZE - 1} are not those of process 0" in said


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--accumulate 2 --batch_size 2", "--accumulate does not go with --norm syncbatch in several processes"),
        ("--gan_mode wgangp", "--gan_mode wgangp does not go with --norm syncbatch in several processes"),
    ],
)
def test_what_shared_statistics_cannot_do_is_refused(flags: str, words: str) -> None:
    opt = small_options("pix2pix", f"--norm syncbatch {flags}")
    with pytest.raises(UserError, match=words):
        Stepper(create_model(opt), opt.optim, World(0, 2, torch.device("cpu")))
    Stepper(create_model(opt), opt.optim, ALONE)


def test_the_learning_rate_grows_with_the_processes_if_asked(results: list[dict[str, Any]]) -> None:
    wanted = {"none": 0.001, "linear": 0.001 * SIZE, "sqrt": 0.001 * SIZE**0.5}
    for result in results[:-1]:
        assert result["rates"] == pytest.approx(wanted)
    assert several_processes.rates(ALONE) == dict.fromkeys(wanted, 0.001)
