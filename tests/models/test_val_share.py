"""``--val_share``: some training images are held out, and what is learned from the others never sees them."""

from pathlib import Path

import pytest
from PIL import Image

from data.base import TranslationDataset
from data.held_out import rows_of
from tests.models.validated import Train
from tests.models.validated import train as train
from tests.refusals import refused
from tests.shards import write_shards


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """20 pairs to train with, and none held out."""
    folder = tmp_path / "many" / "train"
    folder.mkdir(parents=True)
    for number in range(20):
        Image.new("RGB", (80, 36), (12 * number, 255 - 12 * number, 0)).save(folder / f"{number}.png")
    return folder.parent


def test_a_share_of_the_training_images_is_neither_learned_from_nor_lost(
    many: Path, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: dict[bool, set[str]] = {True: set(), False: set()}
    attempt = TranslationDataset._attempt

    def watched(self: TranslationDataset, epoch: int, index: int) -> object:
        read[self._held_out].add(Path(self.path("A", index)).name)
        return attempt(self, epoch, index)

    monkeypatch.setattr(TranslationDataset, "_attempt", watched)
    done = train("--val_share 0.2 --display_samples 2 --no_data_check", root=many)
    assert done.code == 0, done.stderr
    assert "The number of training images = 16" in done.stdout
    assert (len(read[False]), len(read[True])) == (16, 4)
    assert not read[False] & read[True]
    assert len(read[False] | read[True]) == 20


def test_the_number_that_is_measured_can_be_limited(many: Path, train: Train) -> None:
    done = train("--val_share 0.5 --val_size 2 --val_metrics l1 --max_dataset_size 12", root=many)
    assert done.code == 0, done.stderr
    assert "The number of training images = 6" in done.stdout


def test_shards_cannot_be_split(tmp_path: Path, train: Train) -> None:
    write_shards(tmp_path / "shards" / "train", [4, 4])
    done = train("--dataset_mode webdataset --val_share 0.5", root=tmp_path / "shards")
    refused(done, "cannot take images out of shards")


def test_the_parts_hardly_change_when_an_image_is_added() -> None:
    names = [f"image {number}" for number in range(100)]
    held = {names[row] for row in rows_of(names, 0.1, held_out=True)}
    more = ["another", *names]
    held_now = {more[row] for row in rows_of(more, 0.1, held_out=True)}
    assert len(held) == len(held_now) == 10
    assert len(held - held_now) <= 1
    rest = rows_of(names, 0.1, held_out=False)
    assert len(rest) == 90
    assert rest == sorted(rest)


@pytest.mark.parametrize(("count", "share", "held"), [(2, 0.01, 1), (2, 0.99, 1), (10, 0.34, 3)])
def test_both_parts_have_at_least_one_image(count: int, share: float, held: int) -> None:
    assert len(rows_of([str(n) for n in range(count)], share, held_out=True)) == held
