"""A step asks the device for no value: the host would wait for it."""

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from networks.compute import Compute
from tests.models.test_compute import BF16, FAST, built
from tests.small import random_batch
from util.progress import Progress

FP16 = Compute(torch.device("cpu"), "fp16")
ASKING = ("_local_scalar_dense", "is_nonzero", "nonzero", "masked_select", "equal")


class Asked(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes operations that hand a tensor's values to Python, or whose result has a size that depends on values."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.removeprefix("aten::")
        if name in ASKING:
            self.names.append(name)
        return func(*args, **(kwargs or {}))


def asked(case: str, compute: Compute, flags: str) -> list[str]:
    model, stepper = built(case, compute, f"--batch_size 2 {flags}")
    stepper.step(random_batch(model.opt, 2), Progress())
    mode = Asked()
    with mode:
        stepper.step(random_batch(model.opt, 2, seed=1), Progress(images_seen=2))
    return mode.names


@pytest.mark.parametrize("compute", [FAST, BF16, FP16])
@pytest.mark.parametrize("flags", ["", "--clip_grad 1", "--accumulate 2", "--memory low"])
def test_a_step_asks_for_nothing(compute: Compute, flags: str) -> None:
    assert asked("cycle_gan", compute, flags) == []


@pytest.mark.parametrize("compute", [FAST, FP16])
def test_a_step_with_batch_norm_and_dropout_asks_for_nothing(compute: Compute) -> None:
    for flags in ("--dropout", "--dropout --accumulate 2"):
        assert asked("pix2pix batch", compute, flags) == []


def test_skipping_broken_steps_asks_once_for_each_phase() -> None:
    assert asked("cycle_gan", FAST, "--on_nan skip") == ["_local_scalar_dense"] * 2
