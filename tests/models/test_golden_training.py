"""Four training steps give the losses and weights of the official code."""

import pytest
import torch

from data.batch import Batch
from models.registry import create_model
from models.stepper import Stepper
from options.cli import parse_train
from tests.recorded import fill, golden, images
from util.distributed import World
from util.progress import Progress

CASES = golden("training_steps")
ALONE = World(0, 1, torch.device("cpu"))


@pytest.mark.parametrize("name", CASES)
def test_four_steps_equal_the_official_ones(name: str) -> None:
    case = CASES[name]
    opt = parse_train(["--dataroot", "unused", "--model", case["model"], *case["flags"]])
    model = create_model(opt)
    for net in model.networks.values():
        fill(net)
    stepper, progress = Stepper(model, opt.optim, ALONE), Progress()
    for step, expected in enumerate(case["losses"]):
        A, B = (images(seed + step, case["batch"], 3, case["size"], case["size"]) for seed in (100, 200))
        if opt.data.direction == "BtoA":  # what a data set does
            A, B = B, A
        losses = stepper.step(Batch(A, B, ("a",), ("b",)), progress).losses
        tolerance = 1e-4 if step == 0 else 1e-3
        assert list(losses) == list(expected)
        for key, value in expected.items():
            assert losses[key].item() == pytest.approx(value, rel=tolerance, abs=1e-7), (step, key)
    for network, expected_sum in case["weight_abs_sum"].items():
        total = sum(p.detach().double().abs().sum().item() for p in model.networks[network].parameters())
        assert total == pytest.approx(expected_sum, rel=1e-4)
