"""Measure the pictures in a folder, whatever made them, against the real ones of a data set."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from data.base import TranslationDataset
from data.registry import create_dataset
from inference.evaluating.of_run import FIRST, default_names, metric_names
from inference.evaluating.result import Evaluated
from metrics.base import METRICS, Need
from metrics.evaluation import Evaluation
from models.scores import file_values
from options.errors import UserError
from options.schema import Options
from util.images import Picture, to_uint8
from util.raster.values import units

FAKE = "_fake_B"


@torch.no_grad()
def evaluate_folder(fake_opt: Options, real_opt: Options, label: str, device: torch.device) -> Evaluated:
    """Compare pictures with the images that they imitate: B, or with ``--direction BtoA`` A.

    Where every picture has the name of a real image, the two are also compared one by one.

    Args:
        fake_opt: reads the folder, as ``--dataset_mode single``.
        real_opt: reads the data set; in a plain folder all pictures are real ones.
        label: what the names of the pictures end in, such as ``fake_B``; empty takes those if there are any, else all.

    Raises:
        UserError: there are no pictures, or a metric needs partners that some lack.
    """
    made, real = Pictures(create_dataset(fake_opt)), Pictures(create_dataset(real_opt))
    chosen = labelled(made, label)
    partners = {name: real.places[name] for name in chosen if name in real.places}
    paired = len(partners) == len(chosen)
    names = metric_names(real_opt.result.metrics) or default_names(paired=paired, comes_back=False)
    _refuse_impossible(names, [made.path(chosen[name]) for name in chosen if name not in partners])
    evaluation = Evaluation(names, real_opt.evaluation, device)
    for name, place in chosen.items():
        image = made.image(place).to(device)
        evaluation.add_fake(image, [name])
        if "pairs" in evaluation.needs:
            evaluation.add_pairs(image, real.image(partners[name]).to(device), [name])
        if "labelled" in evaluation.needs:
            evaluation.add_labelled(image, real.input(partners[name]).to(device), [name])
    if "sets" in evaluation.needs:
        evaluation.real_set(real.files, lambda: (one.to(device) for one in real), preparation=real.preparation)

    def pictures(generator: str, name: str) -> Mapping[str, Picture]:
        found = {"picture": made.image(chosen[name]), "real": real.image(partners[name])}
        return {kind: to_uint8(image * 2 - 1) for kind, image in found.items()}

    about = {"folder": made.root, "phase": real_opt.data.phase, "dataroot": real_opt.data.dataroot}
    return Evaluated(about, {"": evaluation.report()}, pictures)


class Pictures:
    """The target images of a data set, or all images of one that has no targets, by their names below their folder."""

    def __init__(self, dataset: TranslationDataset) -> None:
        self._dataset = dataset
        side = dataset.input_side if not dataset.has_target else "AB".replace(dataset.input_side, "")
        files = dataset.files.get(side) or dataset.files["A"]
        self.root = files.columns[0].root
        self.files = [Path(path) for index in range(len(files)) for path in files[index]]
        self.preparation = f"side {side} of --dataset_mode {dataset.opt.dataset_mode}, whole"
        self.places = {
            os.path.splitext(dataset.relative_name(files[index][0]))[0]: index for index in range(len(files))
        }

    def __iter__(self) -> Iterator[Tensor]:
        return (self.image(place) for place in range(len(self.places)))

    def path(self, place: int) -> Path:
        """Return the file of an image."""
        return self.files[place]

    def image(self, place: int) -> Tensor:
        """Return an image, 1 x C x H x W in [0, 1].

        Raises:
            UserError: it cannot be read.
        """
        return self._read(place, target=self._dataset.has_target)

    def input(self, place: int) -> Tensor:
        """Return what belongs to it on the other side."""
        return self._read(place, target=False)

    def _read(self, place: int, *, target: bool) -> Tensor:
        sample = self._dataset[FIRST, place]
        if isinstance(sample, UserError):
            raise sample
        image = sample.B if target else sample.A
        assert image is not None
        return file_values(units(image)[None])


def labelled(pictures: Pictures, label: str) -> dict[str, int]:
    """Return the places of the pictures by the name of what they were made of.

    Raises:
        UserError: none has the label.
    """
    ending = f"_{label}" if label else FAKE
    found = {name[: -len(ending)]: place for name, place in pictures.places.items() if name.endswith(ending)}
    if label and not found:
        raise UserError(
            f"no name of a picture in {pictures.root} ends in _{label}; leave --label out, or name another ending"
        )
    return found or dict(pictures.places)


def _refuse_impossible(names: Sequence[str], lonely: Sequence[Path]) -> None:
    """Raise a ``UserError`` for a metric that pictures without partners, or without a way back, do not have."""
    possible: tuple[Need, ...] = ("sets",) if lonely else ("sets", "pairs", "labelled")
    for name in names:
        if METRICS[name].needs not in possible:
            why = f"{lonely[0]} has no partner of its name in --dataroot" if lonely else "there is no way back"
            fit = [key for key in METRICS if METRICS[key].needs in possible]
            raise UserError(f"the metric {name} cannot be measured: {why}; measured can be {', '.join(fit)}")
