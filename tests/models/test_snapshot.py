"""A snapshot is a copy in memory: what the training does afterwards does not reach it."""

from typing import Any

import pytest
import torch
from torch import Tensor

from models.snapshot import Snapshot
from tests.small import train_steps, training


def nested() -> dict[str, Any]:
    return {
        "networks": {"G": {"weight": torch.rand(4, 3, requires_grad=True), "count": torch.tensor(7)}},
        "optimizers": {"G": {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"params": [0, 1]}]}},
        "model": {"pool": {"images": [torch.rand(3, 2, 2), torch.rand(3, 4, 2)]}},
        "betas": (0.5, torch.tensor(0.999, dtype=torch.float64)),
        "format": 2,
        "name": "run",
        "nothing": None,
    }


def tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [tensor for item in items for tensor in tensors(item)]


def plain(value: Any) -> Any:
    """Turn every tensor into its type and numbers, and every tuple into a list."""
    if isinstance(value, Tensor):
        return str(value.dtype), value.tolist()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def test_a_snapshot_equals_what_was_taken_and_neither_reaches_the_other() -> None:
    value = nested()
    before, taken, other = plain(value), Snapshot().take(value), Snapshot().take(value)
    assert plain(taken) == before
    assert not any(tensor.requires_grad for tensor in tensors(taken))
    for tensor in tensors(other):
        tensor.fill_(-1)
    assert plain(value) == plain(taken) == before
    assert value["networks"]["G"]["weight"].requires_grad
    with torch.no_grad():
        for tensor in tensors(value):
            tensor.fill_(-1)
    value["model"]["pool"]["images"].clear()
    value["optimizers"]["G"]["param_groups"][0]["params"].append(2)
    assert plain(taken) == before


def test_two_names_of_one_tensor_get_a_copy_each() -> None:
    """Both are written; a view of a larger tensor brings nothing but itself."""
    base = torch.arange(12.0).reshape(3, 4)
    taken = Snapshot().take({"a": base, "b": base, "column": base[:, 1]})
    assert len({tensor.data_ptr() for tensor in tensors(taken)}) == 3
    assert taken["column"].tolist() == [1, 5, 9]
    assert taken["column"].untyped_storage().nbytes() == 3 * 4


def test_the_second_snapshot_fills_the_memory_of_the_first() -> None:
    snapshot = Snapshot()
    first = [tensor.data_ptr() for tensor in tensors(snapshot.take(nested()))]
    other = nested()
    second = snapshot.take(other)
    assert [tensor.data_ptr() for tensor in tensors(second)] == first
    assert plain(second) == plain(other)


@pytest.mark.parametrize(
    "changed", [torch.rand(2, 3), torch.rand(3), torch.rand(3, 2).double(), torch.tensor(1), torch.zeros(0)]
)
def test_a_tensor_that_changed_shape_or_type_is_copied_as_it_is_now(changed: Tensor) -> None:
    snapshot = Snapshot()
    snapshot.take({"images": [torch.rand(3, 2)]})
    (taken,) = snapshot.take({"images": [changed]})["images"]
    assert taken.dtype == changed.dtype
    assert torch.equal(taken, changed)


def test_a_list_that_grew_and_shrank_is_copied_as_it_is_now() -> None:
    snapshot = Snapshot()
    for count in (1, 3, 0, 2):
        images = [torch.full((2,), float(index)) for index in range(count)]
        assert plain(snapshot.take({"images": images})) == plain({"images": images})


def test_a_snapshot_of_a_training_survives_the_steps_after_it() -> None:
    model, stepper, progress = training("pix2pix")  # batch norm: buffers change in place
    train_steps(model, stepper, progress, 1, count=2)
    state = {"networks": model.networks.state_dict(), "optimizers": stepper.state_dict()}
    before, taken = plain(state), Snapshot().take(state)
    train_steps(model, stepper, progress, 2, count=2)
    assert plain(taken) == before
    assert plain(model.networks.state_dict()) != before["networks"]
