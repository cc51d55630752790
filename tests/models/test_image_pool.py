"""The pool of older fakes: fills, swaps half, and keeps copies; with plans made ahead it does the same."""

import pytest
import torch
from torch import Tensor

from models.image_pool import ImagePool
from tests.recording import NothingWaits

CPU = torch.device("cpu")


def marked(*numbers: int) -> Tensor:
    """Images whose every pixel is their number."""
    return torch.tensor(numbers, dtype=torch.float32).view(-1, 1, 1, 1).expand(-1, 3, 2, 2).clone()


def numbers_of(images: Tensor) -> list[int]:
    return [int(image[0, 0, 0]) for image in images]


def test_stored_images_share_no_memory_with_what_went_in_or_came_out() -> None:
    torch.manual_seed(0)
    pool = ImagePool(2)
    for number in range(20):
        given = marked(number)
        answer = pool.query(given)
        given.fill_(-1)
        answer.fill_(-2)
        assert all(value >= 0 for value in numbers_of(torch.stack(pool.images)))


def test_size_zero_passes_everything_through_and_keeps_nothing() -> None:
    pool = ImagePool(0)
    images = marked(1, 2)
    assert torch.equal(pool.query(images), images)
    assert pool.images == []


def test_the_state_gives_back_the_same_pool_which_goes_on_alike() -> None:
    torch.manual_seed(0)
    pool, again = ImagePool(3), ImagePool(3)
    pool.query(marked(*range(7)))
    again.load_state_dict(pool.state_dict(), CPU)
    answers = []
    for which in (pool, again):
        torch.manual_seed(1)
        answers.append([numbers_of(which.query(marked(number))) for number in range(20, 40)])
    assert answers[0] == answers[1]


def test_a_smaller_pool_keeps_what_fits_of_a_larger_state() -> None:
    large, small = ImagePool(5), ImagePool(2)
    large.query(marked(*range(5)))
    small.load_state_dict(large.state_dict(), CPU)
    assert len(small.images) == 2
    small.query(marked(*range(10, 30)))
    assert len(small.images) == 2


def one_by_one(pool: list[int], size: int, batch: list[int]) -> list[int]:
    """Pass numbers through a pool as the paper has it; an independent reference, draw for draw."""
    answers = []
    for number in batch:
        answers.append(number)
        if len(pool) < size:
            pool.append(number)
        elif torch.rand(()) > 0.5:
            place = int(torch.randint(size, ()))
            answers[-1], pool[place] = pool[place], number
    return answers


def batches(counts: list[int]) -> list[list[int]]:
    numbers = iter(range(1, 10_000))
    return [[next(numbers) for _ in range(count)] for count in counts]


CASES = [
    (1, [1] * 9),
    (3, [2] * 20),
    (2, [5, 3, 5, 1] * 8),
    (4, [3, 1] * 20),
    (8, [4] * 30),
    (3, [12, 1] * 4),
]  # size, batches


@pytest.mark.parametrize(("size", "counts"), CASES)
@pytest.mark.parametrize("seed", range(4))
def test_answers_and_draws_are_those_of_one_image_after_the_other(size: int, counts: list[int], seed: int) -> None:
    pool, reference = ImagePool(size), list[int]()
    for step, batch in enumerate(batches(counts)):
        torch.manual_seed(seed + step)
        expected = one_by_one(reference, size, batch)
        after = torch.rand(())
        torch.manual_seed(seed + step)
        assert numbers_of(pool.query(marked(*batch))) == expected
        assert torch.rand(()) == after, "other draws of this step would move"
        assert numbers_of(torch.stack(pool.images)) == reference


@pytest.mark.parametrize(("size", "counts"), CASES)
@pytest.mark.parametrize("start", [0, 1, 5])
def test_plans_followed_on_the_device_do_the_same(size: int, counts: list[int], start: int) -> None:
    plain, followed = ImagePool(size), ImagePool(size)
    for step, batch in enumerate(batches(counts)):
        torch.manual_seed(step)
        expected = plain.query(marked(*batch))
        torch.manual_seed(step)
        if step < start:
            assert torch.equal(followed.query(marked(*batch)), expected)
            continue
        plan = followed.plan(len(batch))
        where, images = torch.tensor(plan), marked(*batch)
        with NothingWaits(), followed.following(where):
            answer = followed.query(images)
        followed.settle(plan)
        images.fill_(-1)
        assert torch.equal(answer, expected)
        assert torch.equal(torch.stack(followed.images), torch.stack(plain.images))


def test_a_plan_changes_nothing() -> None:
    pool = ImagePool(2)
    pool.query(marked(1, 2))
    plans = []
    for _ in range(2):
        torch.manual_seed(0)
        plans.append(pool.plan(20))
    assert plans[0] == plans[1]
    assert numbers_of(torch.stack(pool.images)) == [1, 2]


def follow(pool: ImagePool, images: Tensor) -> Tensor:
    plan = pool.plan(len(images))
    with pool.following(torch.tensor(plan)):
        answer = pool.query(images)
    pool.settle(plan)
    return answer


def test_fakes_of_another_size_retire_when_a_plan_is_followed() -> None:
    pool = ImagePool(2)
    pool.query(torch.full((1, 3, 4, 4), 1.0))
    pool.query(marked(2))
    for number in range(3, 20):
        answer = follow(pool, marked(number))
        assert answer.shape == (1, 3, 2, 2)
        assert {2, *range(3, number + 1)} >= set(numbers_of(answer))
    assert numbers_of(torch.stack(pool.images)) != [1, 2]


def test_sizes_may_differ_from_batch_to_batch_where_no_plan_is_followed() -> None:
    torch.manual_seed(0)
    pool, sides = ImagePool(3), set()
    for step in range(40):
        sides.add(pool.query(torch.zeros(1, 3, 2 + step % 2, 2)).shape[2])
    assert sides == {2, 3}
    assert {image.shape[1] for image in pool.images} == {2, 3}
    assert pool.query(torch.zeros(4, 3, 2, 2)).shape == (4, 3, 2, 2)


def test_a_pool_that_followed_plans_saves_what_any_other_can_load() -> None:
    pool = ImagePool(3)
    for number in range(10):
        follow(pool, marked(number))
    state = pool.state_dict()
    assert [image.shape for image in state["images"]] == [(3, 2, 2)] * 3
    again = ImagePool(3)
    again.load_state_dict(state, CPU)
    before = numbers_of(torch.stack(again.images))
    for number in range(10, 30):
        follow(pool, marked(number))
    assert numbers_of(torch.stack(again.images)) == before, "the loaded images are its own"


def test_a_state_loaded_into_a_pool_that_followed_plans_replaces_what_it_held() -> None:
    pool = ImagePool(2)
    follow(pool, marked(1, 2))
    pool.load_state_dict({"images": [marked(7)[0]]}, CPU)
    follow(pool, marked(8))
    assert numbers_of(torch.stack(pool.images)) == [7, 8]
