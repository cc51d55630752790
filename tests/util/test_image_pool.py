"""The pool of older fakes: fills, swaps half, and keeps copies."""

import torch
from torch import Tensor

from util.image_pool import ImagePool


def marked(*numbers: int) -> Tensor:
    """Images whose every pixel is their number."""
    return torch.tensor(numbers, dtype=torch.float32).view(-1, 1, 1, 1).expand(-1, 3, 2, 2).clone()


def numbers_of(images: Tensor) -> list[int]:
    return [int(image[0, 0, 0]) for image in images]


def test_until_it_is_full_it_returns_what_it_gets() -> None:
    pool = ImagePool(5)
    for number in range(5):
        assert numbers_of(pool.query(marked(number))) == [number]
    assert numbers_of(torch.stack(pool.images)) == [0, 1, 2, 3, 4]


def test_a_full_pool_swaps_about_half_for_older_images() -> None:
    torch.manual_seed(0)
    pool = ImagePool(50)
    pool.query(marked(*range(50)))
    swapped = 0
    for number in range(50, 2050):
        held = set(numbers_of(torch.stack(pool.images)))
        (answer,) = numbers_of(pool.query(marked(number)))
        if answer == number:
            assert set(numbers_of(torch.stack(pool.images))) == held
        else:
            assert answer in held
            assert set(numbers_of(torch.stack(pool.images))) == held - {answer} | {number}
            swapped += 1
        assert len(pool.images) == 50
    assert 900 < swapped < 1100  # 1000 expected, standard deviation 22


def test_every_place_of_the_pool_is_used() -> None:
    torch.manual_seed(0)
    pool = ImagePool(8)
    pool.query(marked(*range(8)))
    for number in range(100, 300):
        pool.query(marked(number))
    assert min(numbers_of(torch.stack(pool.images))) >= 100


def test_a_batch_is_treated_image_by_image() -> None:
    torch.manual_seed(0)
    pool = ImagePool(3)
    assert numbers_of(pool.query(marked(0, 1))) == [0, 1]
    assert numbers_of(pool.query(marked(2, 3)))[0] == 2  # the third place; from then on swaps
    for number in range(10, 50, 4):
        answer = pool.query(marked(*range(number, number + 4)))
        assert answer.shape == (4, 3, 2, 2)
        assert len(set(numbers_of(answer))) == 4, "an image is never returned twice in a batch"


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
    again.load_state_dict(pool.state_dict(), torch.device("cpu"))
    answers = []
    for which in (pool, again):
        torch.manual_seed(1)
        answers.append([numbers_of(which.query(marked(number))) for number in range(20, 40)])
    assert answers[0] == answers[1]


def test_a_smaller_pool_keeps_what_fits_of_a_larger_state() -> None:
    large, small = ImagePool(5), ImagePool(2)
    large.query(marked(*range(5)))
    small.load_state_dict(large.state_dict(), torch.device("cpu"))
    assert len(small.images) == 2
    small.query(marked(*range(10, 30)))
    assert len(small.images) == 2
