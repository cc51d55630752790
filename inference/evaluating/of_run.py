"""Measure what the generators of a trained run make of a data set, translated as ``test.py`` does."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from data.base import TranslationDataset
from data.batch import Batch, collate
from inference.evaluating.result import Evaluated
from models.abilities import TranslatesBack
from models.base import TranslationModel
from models.scorer import Scorer
from models.trained_run import is_run
from models.translating import open_test, translated
from options.errors import UserError
from options.schema import Options
from util.distributed import World
from util.images import ImageArray, to_uint8
from util.progress import Progress

PAIRED = ("l1", "psnr", "ssim", "lpips", "fid", "kid")
UNPAIRED = ("fid", "kid")
FIRST = Progress().epoch


def default_names(*, paired: bool, comes_back: bool) -> tuple[str, ...]:
    """Return what is measured where ``--metrics`` says nothing."""
    return PAIRED if paired else (*UNPAIRED, *(["cycle"] if comes_back else []))


def metric_names(text: str) -> tuple[str, ...]:
    """Split what ``--metrics`` says."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def find_run(what: str, checkpoints_dir: str) -> Path | None:
    """Return the folder of a run, or None where a folder of images is given.

    Args:
        what: a run's folder or name, or a folder of images.
        checkpoints_dir: of all runs, if it was given.

    Raises:
        UserError: a run is given by its folder, and the folder of all runs as well.
    """
    given, named = Path(what), Path(checkpoints_dir or "./checkpoints", what)
    for folder in (named, given) if checkpoints_dir else (given, named):
        if is_run(folder):
            if checkpoints_dir and folder == given:
                raise UserError(
                    f"--checkpoints_dir has no effect, because {given} is the folder of a run; leave it out"
                )
            return Path(os.path.abspath(folder))
    return None if given.is_dir() else named


def evaluate_run(opt: Options, world: World) -> Evaluated:
    """Translate all images of the data set and measure.

    Raises:
        UserError: files are missing or damaged, or a metric cannot be had.
    """
    dataset, loader, model = open_test(opt, world)
    measured = RunEvaluation(opt, model, dataset, world.device)
    for batch, out in translated(model, loader.epoch(FIRST)):
        measured.add(batch, out)
    return measured.result()


class RunEvaluation:
    """What a run makes of a data set, measured while it is translated.

    Raises:
        UserError: there are no real images to compare with, or a metric cannot be had.
    """

    def __init__(
        self, opt: Options, model: TranslationModel[Any], dataset: TranslationDataset, device: torch.device
    ) -> None:
        if not dataset.has_target:
            raise UserError(
                f"--dataset_mode {opt.data.dataset_mode} has no real images of the other side to compare with; pass "
                "--model cycle_gan or pix2pix, or give evaluate.py the folder of results"
            )
        comes_back = isinstance(model, TranslatesBack)
        names = metric_names(opt.result.metrics) or default_names(paired=dataset.paired, comes_back=comes_back)
        self._scores = Scorer(names, opt.evaluation, model, dataset, device)
        self._scores.know_real(model)
        self._model, self._dataset, self._count = model, dataset, 0
        self._about = {
            "run": opt.run.name,
            "epoch": opt.run.epoch,
            "phase": opt.data.phase,
            "dataroot": opt.data.dataroot,
        }

    def add(self, batch: Batch, out: Any) -> None:
        """Take in a batch and what the model made of it."""
        self._scores.add(self._model, batch, out)
        self._count += batch.size

    def result(self) -> Evaluated:
        """Return what was measured.

        Raises:
            UserError: there was nothing.
        """
        if not self._count:
            raise UserError("none of the images could be translated; the messages above say why")
        return Evaluated(self._about, self._scores.reports(), self._images)

    @torch.no_grad()
    def _images(self, generator: str, name: str) -> Mapping[str, ImageArray]:
        """Translate an image once more and return its visuals, of a CycleGAN those of its direction.

        Nothing where the data set cannot be asked for a single file (shards).
        """
        if self._dataset.lanes:
            return {}
        number = self._scores.cases[generator][name]
        batch = collate([self._dataset[FIRST, number]]).batch
        if batch is None:
            return {}
        batch = batch.to(next(self._model.parameters()).device)
        [(_, out)] = translated(self._model, [batch], first=number)
        visuals = self._model.visuals(out)
        half = len(visuals) // 2 if len(self._scores.evaluations) > 1 else len(visuals)
        labels = list(visuals)[half:] if generator == "G_B" else list(visuals)[:half]
        return {label: to_uint8(visuals[label]) for label in labels}
