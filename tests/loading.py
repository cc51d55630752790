"""Samples and batches of small data sets, as a training or a test loads them."""

from collections.abc import Sequence
from pathlib import Path

import torch

from data.base import TranslationDataset
from data.batch import Batch, Sample
from data.loader import Loader
from data.registry import create_dataset
from options.cli import parse_test, parse_train
from util.distributed import World

CPU = torch.device("cpu")
ALONE = World(0, 1, CPU)


def build(mode: str, root: object, words: str = "", *, phase: str | None = None) -> TranslationDataset:
    """Build a data set of a mode, whose images of 36 pixels are cut to 32 unless words say otherwise."""
    parse, model = (parse_test, "test") if mode == "single" else (parse_train, "template")  # which has no demands
    argv = f"--model {model} --dataset_mode {mode} --load_size 36 --crop_size 32 {words}"
    return create_dataset(parse(["--dataroot", str(root), *argv.split()]), phase)


def build_whole(root: Path, words: str = "", *, mode: str = "aligned", phase: str | None = None) -> TranslationDataset:
    """Build a data set whose images stay as they are."""
    return build(mode, root, f"--preprocess keep --no_flip {words}", phase=phase)


def sample_of(dataset: TranslationDataset, index: int = 0, epoch: int = 1) -> Sample:
    sample = dataset[epoch, index]
    assert isinstance(sample, Sample), sample
    return sample


def file_names(dataset: TranslationDataset) -> list[tuple[str, str]]:
    """Those of A and B of each sample, in order."""
    samples = [sample_of(dataset, index) for index in range(len(dataset))]
    return [(Path(sample.A_path).name, Path(sample.B_path).name) for sample in samples]


def loader(root: object, words: str = "", *, rank: int = 0, size: int = 1) -> Loader:
    """Load images of 36 pixels cut to 32 in this process, unless words say otherwise."""
    argv = f"--load_size 36 --crop_size 32 --num_threads 0 {words}".split()
    opt = parse_train(["--dataroot", str(root), *argv])
    return Loader(create_dataset(opt), opt.data, World(rank, size, CPU))


def epoch(source: Loader, number: int = 1, skip: int = 0) -> list[Batch]:
    return list(source.epoch(number, skip))


def names(batches: Sequence[Batch], side: str = "A") -> list[str]:
    """Names of the images or samples, up to the first dot."""
    paths = [path for batch in batches for path in (batch.A_paths if side == "A" else batch.B_paths)]
    return [Path(path).name.partition(".")[0] for path in paths]


def assert_same(first: Sequence[Batch], second: Sequence[Batch]) -> None:
    assert len(first) == len(second) > 0
    for one, other in zip(first, second, strict=True):
        assert (one.A_paths, one.B_paths) == (other.A_paths, other.B_paths)
        assert torch.equal(one.A, other.A)
        assert torch.equal(one.target, other.target)
