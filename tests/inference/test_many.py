"""Many files: what a batch on a GPU does about one that is bad, and how much is read ahead."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from tqdm import tqdm

from inference import load, many
from inference.direction import Direction
from inference.large import Tiling
from inference.listing import list_jobs
from inference.many import Many, translate_files
from inference.translator import Translator
from tests.runs import make_run


class InBatches(Translator):
    """A translator that takes itself for one on a GPU."""

    sizes: list[int]

    def _forward(self, way: Direction, images: Tensor) -> Tensor:
        self.sizes.append(len(images))
        return self._networks[way.name](images)  # type: ignore[no-any-return]


def test_a_bad_image_in_a_batch_costs_the_others_nothing(tmp_path: Path) -> None:
    run = make_run(tmp_path / "cg")
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(5):
        np.save(folder / f"{number}.npy", np.full((16, 16, 3), np.nan if number == 2 else number / 5, np.float32))
    plain = load(run, precision="fp32", device="cpu")
    translator = InBatches(plain.directions, torch.device("cpu"), precision="fp32", tiling=Tiling("off"))
    translator.device, translator.sizes = torch.device("cuda"), []
    with tqdm(disable=True) as bar:
        complaints = translate_files(translator, list_jobs([str(folder)], str(tmp_path / "out")), Many(), bar)
    assert len(complaints) == 1
    assert "2.npy holds values that are no numbers" in complaints[0]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.npy", "1.npy", "3.npy", "4.npy"]
    assert np.allclose(np.load(tmp_path / "out" / "4.npy"), plain(np.load(folder / "4.npy")), atol=1e-5)


def test_neighbours_of_one_size_are_computed_together(tmp_path: Path) -> None:
    run, folder = make_run(tmp_path / "cg"), tmp_path / "in"
    folder.mkdir()
    for number, side in enumerate((16, 16, 20, 20, 20)):
        np.save(folder / f"{number}.npy", np.full((side, 16, 3), number / 5, np.float32))
    plain = load(run, precision="fp32", device="cpu")
    translator = InBatches(plain.directions, torch.device("cpu"), precision="fp32", tiling=Tiling("off"))
    translator.device, translator.sizes = torch.device("cuda"), []
    with tqdm(disable=True) as bar:
        assert translate_files(translator, list_jobs([str(folder)], str(tmp_path / "out")), Many(), bar) == []
    assert translator.sizes == [2, 3]


def test_large_images_do_not_wait_in_memory_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, folder = make_run(tmp_path / "cg"), tmp_path / "in"
    folder.mkdir()
    for number in range(6):
        np.save(folder / f"{number}.npy", np.zeros((16, 16, 3), np.uint8))
    monkeypatch.setattr(many, "MOST_WAITING", 16 * 16 * 3 * 2)
    read, taken = [0], many.taken
    most = [0]

    def counted(source: Path) -> object:
        read[0] += 1
        return taken(source)

    monkeypatch.setattr(many, "taken", counted)
    done = [0]

    def begin(job: object) -> None:
        done[0] += 1
        most[0] = max(most[0], read[0] - done[0])

    with tqdm(disable=True) as bar:
        jobs = list_jobs([str(folder)], str(tmp_path / "out"))
        assert translate_files(load(run, device="cpu"), jobs, Many(), bar, begin) == []
    assert done[0] == 6
    assert most[0] <= 2
