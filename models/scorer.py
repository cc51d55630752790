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
from models.abilities import ComposedResults, TranslatesBack
from models.base import TranslationModel
from models.measurable import refuse_impossible
from options.errors import UserError
from options.evaluation import EvaluationSettings
from util.registry import did_you_mean

EPOCH = 1  # in which the real images are read; they are the same in any


class Scorer:
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
        mode, name = dataset.opt.dataset_mode, model.opt.run.model
        refuse_impossible(names, type(model), model=name, dataset_mode=mode, paired=dataset.paired)
        generators = [name for name in model.networks if name.startswith("G")]
        self.evaluations = {name: Evaluation(names, settings, device) for name in generators}
        self._dataset, self._device = dataset, device
        self._known: set[str] = set()  # generators whose real images need not be looked at again
        self._seen: set[tuple[str, str, str]] = set()  # generator, kind, path
        self.restart()

    @property
    def score_names(self) -> Mapping[str, str]:
        """All scores, and which way each is better."""
        return next(iter(self.evaluations.values())).scores

    def know_real(self, model: TranslationModel[Any]) -> None:
        """Take what was computed of the real images from the cache, or compute and keep it.

        Not where the images are made of both sides (colorization): then they come with the batches.
        """
        if isinstance(model, ComposedResults):
            return
        opt, dataset = self._dataset.opt, self._dataset
        preparation = [opt.preprocess, opt.load_size, opt.crop_size, opt.direction, dataset.seed]
        for name, evaluation in self.evaluations.items():
            backwards = name == "G_B"
            side = dataset.input_side if backwards else dataset.target_side
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
            leave_out = self._dataset.opt.on_bad_image == "skip"  # the translations leave it out as well, and say so
            loaded = collate([self._dataset[EPOCH, index]], leave_out=leave_out)
            if loaded.failure:
                raise loaded.failure
            if loaded.batch is None:
                continue
            batch = loaded.batch.to(device)
            (path,) = batch.A_paths if backwards else batch.B_paths
            if path not in seen:
                seen.add(path)
                yield file_values(batch.A if backwards else batch.target)

    def restart(self) -> None:
        """Forget the translations; what was computed of the real images is kept."""
        for evaluation in self.evaluations.values():
            evaluation.start_over()
        self.cases: dict[str, dict[str, int]] = {name: {} for name in self.evaluations}  # by name: the sample's number
        self._seen = {key for key in self._seen if key[1] == "real"}  # as the real images are kept

    def add(self, model: TranslationModel[Any], batch: Batch, out: Any) -> None:
        """Take in a batch and what the model made of it.

        An image that came before counts once: the smaller of two sets begins again in the same epoch.

        Args:
            out: the model's output.
        """
        results = model.results(out) if isinstance(model, ComposedResults) else model.translations(out)
        back = model.cycles(out) if isinstance(model, TranslatesBack) else {}
        for name, (fake, real) in results.items():
            evaluation = self.evaluations[name]
            sources, targets = _paths(name, batch)
            cases = [f"{a}\0{b}" for a, b in zip(batch.A_paths, batch.B_paths, strict=True)]
            if rows := self._new(name, "translated", cases if self._dataset.paired else sources):
                names = self._named(name, batch, rows)
                made = file_values(fake[rows])
                evaluation.add_fake(made, names)
                if self._dataset.paired:
                    evaluation.add_pairs(made, file_values(real[rows]), names)
                if "labelled" in evaluation.needs:
                    given = batch.target if name == "G_B" else batch.A
                    evaluation.add_labelled(made, file_values(given[rows]), names)
                if name in back:
                    rec, sent = back[name]
                    evaluation.add_cycles(file_values(rec[rows]), file_values(sent[rows]), names)
            if name not in self._known and (rows := self._new(name, "real", targets)):
                evaluation.add_real(file_values(real[rows]))

    def _new(self, generator: str, kind: str, paths: Sequence[str]) -> list[int]:
        """Return the places of images that have not come yet."""
        keys = [(generator, kind, path) for path in paths]
        rows = [row for row, key in enumerate(keys) if key not in self._seen and key not in keys[:row]]
        self._seen.update(keys)
        return rows

    def _named(self, generator: str, batch: Batch, rows: Sequence[int]) -> list[str]:
        """Return a name of its own for each image that is translated, and remember its sample."""
        known, names = self.cases[generator], []
        for row in rows:
            base = name = self._dataset.relative_name(_paths(generator, batch)[0][row])
            number = 2
            while name in known:
                name, number = f"{base} ({number})", number + 1
            known[name] = batch.numbers[row]
            names.append(name)
        return names

    def reports(self) -> dict[str, Report]:
        """Return the report of each generator, after all batches of the data set."""
        self._known.update(self.evaluations)
        return {name: evaluation.report() for name, evaluation in self.evaluations.items()}

    def scores(self) -> dict[str, float]:
        """Return the values of all scores: by name, and where there are several generators by name and generator."""
        several = len(self.evaluations) > 1
        return {
            f"{score}_{generator}" if several else score: entry.value
            for generator, report in self.reports().items()
            for score, entry in report.scores.items()
        }

    def worth(self, score: str, scores: Mapping[str, float]) -> float:
        """Return one score as a number of which less is better: of one generator, or the mean over them.

        Args:
            score: a key of ``scores``, or one without the generator that ends it.
            scores: what ``scores()`` returned.

        Raises:
            UserError: it was not measured; the message says why.
        """
        self.refuse_left_out(score)
        names = [score] if score in scores else [f"{score}_{generator}" for generator in self.evaluations]
        value = fmean(scores[name] for name in names)
        better = self.score_names[self._plain(score)]
        return math.inf if math.isnan(value) else -value if better == "higher" else value

    def refuse_unknown_score(self, score: str, flag: str) -> None:
        """Raise a ``UserError`` if that is not measured."""
        if self._plain(score) not in self.score_names:
            known = list(self.score_names)
            raise UserError(
                f"{flag} {score} is not measured{did_you_mean(score, known)}; measured are {', '.join(known)}"
            )

    def refuse_left_out(self, score: str) -> None:
        """Raise a ``UserError`` if the images so far are too small for what yields a score."""
        for metric, sentence in self.left_out.items():
            if self._plain(score) in METRICS[metric].scores:
                raise UserError(f"{score} decides which weights are the best, but {sentence}")

    def refuse_too_few(self, count: int) -> None:
        """Raise a ``UserError`` if a metric of sets needs more images."""
        fewest = max(evaluation.fewest for evaluation in self.evaluations.values())
        if count < fewest:
            raise UserError(f"there are {count} images to measure, but the metrics need {fewest}; add some")

    @property
    def left_out(self) -> dict[str, str]:
        """The metrics that the images so far are too small for, with a sentence each."""
        return {name: text for one in self.evaluations.values() for name, text in one.left_out.items()}

    def _plain(self, score: str) -> str:
        """Return a score's name without the generator."""
        endings = [f"_{generator}" for generator in self.evaluations if len(self.evaluations) > 1]
        return next((score.removesuffix(end) for end in endings if score.endswith(end)), score)


def _paths(generator: str, batch: Batch) -> tuple[Sequence[str], Sequence[str]]:
    """Return the files that a generator translates, and those of the domain that it imitates."""
    there = batch.A_paths, batch.B_paths
    return there[::-1] if generator == "G_B" else there


def file_values(images: Tensor) -> Tensor:
    """Return network images as the values in [0, 1] that an 8-bit file of them would have."""
    return ((images.float().clamp(-1, 1) + 1) * 127.5).round() / 255
