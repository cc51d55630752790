"""Measure what the generators of a trained run make of a data set, translated as ``test.py`` does."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from data.base import TranslationDataset
from data.batch import Batch, collate
from data.loader import Loader
from data.registry import create_dataset
from inference.evaluating.result import Evaluated
from models.base import TranslationModel
from models.registry import create_model
from models.scorer import Case, Scorer
from models.trained_run import load_networks
from models.translating import translated
from options.errors import UserError
from options.schema import Options
from util.checkpoint import prefix_of
from util.distributed import World
from util.images import ImageArray, to_uint8
from util.progress import Progress
from util.run_folder import run_folder

PAIRED = ("l1", "psnr", "ssim", "lpips", "fid", "kid")
UNPAIRED = ("fid", "kid")
FIRST = Progress().epoch


def default_names(*, paired: bool, comes_back: bool) -> tuple[str, ...]:
    """Return what is measured where ``--metrics`` says nothing."""
    return PAIRED if paired else (*UNPAIRED, *(["cycle"] if comes_back else []))


def metric_names(text: str) -> tuple[str, ...]:
    """Split what ``--metrics`` says."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def evaluate_run(opt: Options, world: World) -> Evaluated:
    """Translate all images of the data set and measure.

    Raises:
        UserError: files are missing or damaged, or a metric cannot be had.
    """
    limit = min(opt.data.max_dataset_size, opt.result.num_test)
    dataset = create_dataset(replace(opt, data=replace(opt.data, max_dataset_size=limit)))
    model = create_model(opt).place(world.device)
    load_networks(model, run_folder(opt), prefix_of(opt.run.epoch, opt.run.load_iter), averaged=opt.result.ema > 0)
    model.train(not opt.result.eval)
    measured = RunEvaluation(opt, model, dataset, world.device)
    for batch, out in translated(model, Loader(dataset, opt.data, world).epoch(FIRST)):
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
        comes_back = type(model).cycles is not TranslationModel.cycles
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
        place = place_of(self._scores.cases[generator][name], self._dataset, backwards=generator == "G_B")
        batch = None if place is None else collate([self._dataset[FIRST, place]]).batch
        if place is None or batch is None:
            return {}
        batch = batch.to(next(self._model.parameters()).device)
        [(_, out)] = translated(self._model, [batch], first=place)
        visuals = self._model.visuals(out)
        half = len(visuals) // 2 if len(self._scores.evaluations) > 1 else len(visuals)
        labels = list(visuals)[half:] if generator == "G_B" else list(visuals)[:half]
        return {label: to_uint8(visuals[label]) for label in labels}


def place_of(case: Case, dataset: TranslationDataset, *, backwards: bool) -> int | None:
    """Return the place of an image in a data set, by its files."""
    other = "AB".replace(dataset.input_side, "")
    wanted = {dataset.input_side: case.A_path, other: case.B_path}
    sides = [side for side in "AB" if side in dataset.files]
    if not dataset.paired:
        sides = [side for side in sides if side == (other if backwards else dataset.input_side)]
    for index in range(len(dataset)) if sides else ():
        if all(index < len(dataset.files[side]) and dataset.path(side, index) == wanted[side] for side in sides):
            return index
    return None
