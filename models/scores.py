"""How good what a model's generators make is: an evaluation for each generator, fed with the model's outputs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from data.base import TranslationDataset
from data.batch import Batch, collate
from metrics.base import METRICS
from metrics.evaluation import Evaluation
from metrics.report import Report
from models.base import TranslationModel
from options.errors import UserError
from options.evaluation import EvaluationSettings
from util.registry import did_you_mean

EPOCH = 1  # in which the real images are read; they are the same in any


def default_metrics(model: TranslationModel[Any], *, paired: bool) -> tuple[str, ...]:
    """Return what is measured where nothing is asked for: it needs no weights of another network.

    Raises:
        UserError: there is nothing of that kind.
    """
    if paired:
        return ("l1",)
    if type(model).cycles is not TranslationModel.cycles:
        return ("cycle",)
    raise UserError(
        f"--model {model.opt.run.model} has neither pairs nor a way back to measure without another network; say what "
        "to measure, such as --val_metrics kid"
    )


class Scores:
    """The evaluations of all generators of a model on one data set.

    Raises:
        UserError: a metric is unknown, or needs what the model or the data do not have, such as pairs.
    """

    def __init__(
        self,
        names: Sequence[str],
        settings: EvaluationSettings,
        model: TranslationModel[Any],
        dataset: TranslationDataset,
        device: torch.device,
    ) -> None:
        _refuse_impossible(names, model, dataset)
        generators = [name for name in model.networks if name.startswith("G")]
        self.evaluations = {name: Evaluation(names, settings, device) for name in generators}
        self._dataset, self._device = dataset, device
        self._known: set[str] = set()  # generators whose real images need not be looked at again
        self.restart()

    @property
    def figure_names(self) -> Mapping[str, str]:
        """All figures, and which way each is better."""
        return next(iter(self.evaluations.values())).figures

    def know_real(self, model: TranslationModel[Any]) -> None:
        """Take what was computed of the real images from the cache, or compute and keep it.

        Not where the pictures are made of both sides (colorization): then they come with the batches.
        """
        if type(model).results is not TranslationModel.results:
            return
        opt, dataset = self._dataset.opt, self._dataset
        preparation = [opt.preprocess, opt.load_size, opt.crop_size, opt.direction, dataset.seed]
        for name, evaluation in self.evaluations.items():
            backwards = name == "G_B"
            side = dataset.input_side if backwards else "AB".replace(dataset.input_side, "")
            files = dataset.files.get(side, dataset.files.get("A"))
            if files is None or "sets" not in evaluation.needs:  # shards have no files
                continue
            own = [side, opt.interpolation_of(side), opt.range_of(side), dataset.domains[side].channels]
            paths = [Path(path) for index in range(len(files)) for path in files[index]]
            load = partial(self._real_images, backwards=backwards, device=self._device)
            evaluation.real_set(paths, load, preparation=repr(preparation + own))
            self._known.add(name)

    def _real_images(self, *, backwards: bool, device: torch.device) -> Iterator[Tensor]:
        """Yield the real images of one side, each once, 1 x C x H x W in [0, 1]."""
        seen: set[str] = set()
        for index in range(len(self._dataset)):
            loaded = collate([self._dataset[EPOCH, index]])
            if loaded.batch is None:
                raise loaded.failure or UserError(loaded.complaints[0])
            batch = loaded.batch.to(device)
            (path,) = batch.A_paths if backwards else batch.B_paths
            if path not in seen:
                seen.add(path)
                yield file_values(batch.A if backwards else batch.target)

    def restart(self) -> None:
        """Forget the translations; what was computed of the real images is kept."""
        for evaluation in self.evaluations.values():
            evaluation.start_over()
        self._made: dict[str, set[str]] = {name: set() for name in self.evaluations}
        self._seen: dict[str, set[str]] = {name: set() for name in self.evaluations}

    def add(self, model: TranslationModel[Any], batch: Batch, out: Any) -> None:
        """Take in a batch and what the model made of it.

        Args:
            out: the model's output.
        """
        for name, (fake, real) in model.results(out).items():
            evaluation = self.evaluations[name]
            sources, targets = _paths(name, batch)
            names = [self._dataset.relative_name(path) for path in sources]
            if self._dataset.paired:
                evaluation.add_pairs(file_values(fake), file_values(real), names)
            if "labelled" in evaluation.needs:
                given = batch.target if name == "G_B" else batch.A
                evaluation.add_labelled(file_values(fake), file_values(given), names)
            for row in _new(sources, self._made[name]):
                evaluation.add_fake(file_values(fake[row : row + 1]), [names[row]])
            for row in _new(targets, self._seen[name]) if name not in self._known else ():
                evaluation.add_real(file_values(real[row : row + 1]))
        for name, (rec, real) in model.cycles(out).items():
            names = [self._dataset.relative_name(path) for path in _paths(name, batch)[0]]
            self.evaluations[name].add_cycles(file_values(rec), file_values(real), names)

    def reports(self) -> dict[str, Report]:
        """Return the report of each generator, after all batches of the data set."""
        self._known.update(self.evaluations)
        return {name: evaluation.report() for name, evaluation in self.evaluations.items()}

    def figures(self) -> dict[str, float]:
        """Return the values of all figures: by name, and where there are several generators by name and generator."""
        several = len(self.evaluations) > 1
        return {
            f"{figure}_{generator}" if several else figure: entry.value
            for generator, report in self.reports().items()
            for figure, entry in report.figures.items()
        }

    def worth(self, figure: str, figures: Mapping[str, float]) -> float:
        """Return one figure as a number of which less is better: the mean over the generators.

        Args:
            figures: what ``figures()`` returned.
        """
        own = [figures[name] for name in (figure, *(f"{figure}_{g}" for g in self.evaluations)) if name in figures]
        value = fmean(own) if own else math.nan
        return -value if self.figure_names[figure] == "higher" else value

    def refuse_unknown_figure(self, figure: str, flag: str) -> None:
        """Raise a ``UserError`` if that is not measured."""
        known = self.figure_names
        if figure not in known:
            raise UserError(
                f"{flag} {figure} is not measured{did_you_mean(figure, known)}; measured are {', '.join(known)}"
            )


def _refuse_impossible(names: Sequence[str], model: TranslationModel[Any], dataset: TranslationDataset) -> None:
    """Raise a ``UserError`` for a metric that nothing could be fed to."""
    has = {
        "sets": True,
        "labelled": True,
        "pairs": dataset.paired,
        "cycles": type(model).cycles is not TranslationModel.cycles,
    }
    why = {
        "pairs": f"--dataset_mode {dataset.opt.dataset_mode} has no pairs",
        "cycles": f"--model {model.opt.run.model} does not translate back",
    }
    for name in names:
        need = METRICS[name].needs
        if not has.get(need, False):
            fit = [key for key in METRICS if has.get(METRICS[key].needs)]
            raise UserError(f"the metric {name} cannot be measured: {why[need]}; measured can be {', '.join(fit)}")


def _paths(generator: str, batch: Batch) -> tuple[Sequence[str], Sequence[str]]:
    """Return the files that a generator translates, and those of the domain that it imitates."""
    there = batch.A_paths, batch.B_paths
    return there[::-1] if generator == "G_B" else there


def _new(paths: Sequence[str], before: set[str]) -> Iterator[int]:
    """Yield the places of images that have not come yet: the smaller of two sets begins again, but counts once."""
    for row, path in enumerate(paths):
        if path not in before:
            before.add(path)
            yield row


def file_values(images: Tensor) -> Tensor:
    """Return network images as the values in [0, 1] that an 8-bit file of them would have."""
    return ((images.float().clamp(-1, 1) + 1) * 127.5).round() / 255
