"""Many files: what a batch on a GPU does about one that is bad, and how much is read ahead."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from inference import Translator, files, load
from inference.direction import Direction
from inference.files import FileSettings, translate_files
from inference.inputs import read_input
from inference.jobs import Job, list_jobs
from inference.large import Tiling


class InBatches(Translator):
    """A translator that takes itself for one on a GPU."""

    def __init__(self, plain: Translator) -> None:
        super().__init__(plain.directions, torch.device("cpu"), precision="fp32", tiling=Tiling("off"))
        self.device = torch.device("cuda")
        self.sizes: list[int] = []

    def _forward(self, way: Direction, images: Tensor) -> Tensor:
        self.sizes.append(len(images))
        return self._networks[way.name](images)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def plain(cycle: Path) -> Translator:
    return load(cycle, precision="fp32", device="cpu")


def jobs_for(folder: Path, images: Sequence[npt.NDArray[Any]]) -> list[Job]:
    """Write arrays as files; return what translates them to a folder beside theirs."""
    (folder / "in").mkdir()
    for number, levels in enumerate(images):
        np.save(folder / "in" / f"{number}.npy", levels)
    return list_jobs([str(folder / "in")], str(folder / "out"))


def test_a_bad_image_in_a_batch_costs_the_others_nothing(plain: Translator, tmp_path: Path) -> None:
    images = [np.full((16, 16, 3), value, np.float32) for value in (0, 0.2, np.nan, 0.6, 0.8)]
    (complaint,) = translate_files(InBatches(plain), jobs_for(tmp_path, images), FileSettings())
    assert "2.npy holds values that are no numbers" in complaint
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.npy", "1.npy", "3.npy", "4.npy"]
    assert np.allclose(np.load(tmp_path / "out" / "4.npy"), plain(images[4]), atol=1e-5)


def test_neighbours_of_one_size_are_computed_together(plain: Translator, tmp_path: Path) -> None:
    images = [np.full((side, 16, 3), 0.5, np.float32) for side in (16, 16, 20, 20, 20)]
    translator = InBatches(plain)
    assert translate_files(translator, jobs_for(tmp_path, images), FileSettings()) == []
    assert translator.sizes == [2, 3]


def test_large_images_do_not_wait_in_memory_together(
    plain: Translator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    ahead: list[int] = []

    def counted(source: Path) -> object:
        read.append(source)
        return read_input(source)

    monkeypatch.setattr(files, "MOST_WAITING", 16 * 16 * 3 * 2)
    monkeypatch.setattr(files, "read_input", counted)
    jobs = jobs_for(tmp_path, [np.zeros((16, 16, 3), np.uint8)] * 6)
    assert translate_files(plain, jobs, FileSettings(), lambda job: ahead.append(len(read) - len(ahead) - 1)) == []
    assert len(ahead) == 6
    assert max(ahead) <= 2


def test_a_folder_may_hold_videos_alone(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "walk.mp4").touch()
    assert [job.is_video for job in list_jobs([str(tmp_path / "in")], str(tmp_path / "out"))] == [True]


def test_an_image_by_way_of_the_disk_has_its_own_size(plain: Translator, tmp_path: Path) -> None:
    jobs = jobs_for(tmp_path, [np.zeros((16, 16, 3), np.uint8)])
    (complaint,) = translate_files(plain, jobs, FileSettings(load_size=8, most_bytes=100))
    assert "0.npy is too large for --load_size; leave that out" in complaint
