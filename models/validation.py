"""How good generators are on held-out images, while a training goes on: the curves, the best weights, when to stop."""

import dataclasses
import itertools
import logging
from collections.abc import Callable
from typing import Any

import torch

from data.base import TranslationDataset
from data.loader import Loader
from data.registry import create_dataset
from models.base import TranslationModel
from models.ema import Averages
from models.measurable import default_metrics
from models.schedule import since_best
from models.scorer import Scorer
from models.translating import as_in_a_test, translated
from options.errors import DivergedError, LostProcessError, SharedError, UserError
from options.schema import DataOptions, Options
from options.taken_over import UNCROPPED
from util.distributed import World
from util.progress import Progress

log = logging.getLogger(__name__)

ALWAYS_THE_SAME_CROPS = 0  # an epoch number for the sampler
RAW = "_raw"  # ends the names of the scores of the weights themselves, where there is an average of them


def held_out_data(opt: DataOptions) -> DataOptions:
    """Return the settings under which whole images are read the same way every time, in this process, as in a test."""
    uncropped: Any = UNCROPPED.get(opt.preprocess, opt.preprocess)
    return dataclasses.replace(
        opt,
        load_size=opt.crop_size if opt.preprocess == "resize_and_crop" else opt.load_size,
        preprocess=uncropped,
        no_flip=True,
        serial_batches=True,
        num_threads=0,
        batch_size=1,
        augment="",
        augment_input="",
        cache="off",
    )


def is_wanted(opt: Options) -> bool:
    """Tell whether anything is measured in a training."""
    return opt.val.val_freq > 0 or opt.optim.lr_policy == "plateau"


def held_out_set(opt: Options) -> TranslationDataset:
    """Open the images that ``--val_share`` keeps aside, or those in ``<dataroot>/<val_phase>``.

    Raises:
        UserError: there are none.
    """
    data = dataclasses.replace(held_out_data(opt.data), max_dataset_size=opt.val.val_size)
    aside = opt.val.val_share > 0
    if aside:
        data = dataclasses.replace(data, max_dataset_size=opt.data.max_dataset_size)
    try:
        return create_dataset(
            dataclasses.replace(opt, data=data, held_out=aside), opt.data.phase if aside else opt.val.val_phase
        )
    except UserError as error:
        if aside:
            raise
        raise UserError(
            f"validation needs held-out images: {error}; or name their folder with --val_phase, or hold some of the "
            "training images out with --val_share 0.1"
        ) from error


class Validation:
    """The held-out images and what is measured on them.

    Attributes:
        decides: the score that says what is best.

    Raises:
        UserError: there are no such images, no such metrics, the weights that these need cannot be had, or the first
            image does not suit them.
    """

    def __init__(self, opt: Options, model: TranslationModel[Any], world: World) -> None:
        self.opt, self.world = opt, world
        dataset = held_out_set(opt)
        names = opt.val.names or default_metrics(model, paired=dataset.paired)
        self.scorer = Scorer(names, opt.evaluation, model, dataset, world.device)
        self.decides = opt.val.best_metric or next(iter(self.scorer.score_names))
        self.scorer.refuse_unknown_score(self.decides, "--best_metric")
        self.loader = Loader(dataset, held_out_data(opt.data), World(0, 1, world.device))  # every process measures all
        self._freq = max(1, opt.val.val_freq)
        self._try(model, len(dataset))
        images = f"{opt.val.val_share} of {opt.data.phase}" if opt.val.val_share else opt.val.val_phase
        self._what = f"{self.decides} of {images}, at most {opt.val.val_size:g} images"

    def _try(self, model: TranslationModel[Any], count: int) -> None:
        """Measure one image, so that mistakes show before the first epoch and not after it."""
        self.scorer.refuse_too_few(count)
        with as_in_a_test(model):
            for batch, out in translated(model, itertools.islice(self.loader.epoch(ALWAYS_THE_SAME_CROPS), 1)):
                self.scorer.add(model, batch, out)
        self.scorer.refuse_left_out(self.decides)
        for sentence in self.scorer.left_out.values():
            log.warning("validation: %s", sentence)

    def take_up(self, progress: Progress) -> None:
        """Forget the scores of earlier validations if they were of something else: they cannot be compared."""
        if progress.metrics and progress.deciding != self._what:
            before = progress.deciding or "an older version's score"
            log.warning("what is the best so far starts anew: it was told by %s, and now by %s", before, self._what)
            progress.metrics.clear()
        progress.deciding = self._what

    def is_due(self, epoch: int) -> bool:
        """Tell whether the end of an epoch is a time to measure; the last one always is."""
        return epoch % self._freq == 0 or epoch == self.opt.optim.last_epoch

    def measure(
        self,
        model: TranslationModel[Any],
        averages: Averages,
        progress: Progress,
        between: Callable[[], None] = lambda: None,
    ) -> dict[str, float]:
        """Return all scores and note in the progress the one that says what is best.

        Where there are averaged weights, the scores are theirs; those of the weights themselves come as well.

        Args:
            between: called after each batch; may raise to stop.

        Raises:
            SharedError: an image cannot be read; in all processes alike.
        """
        with averages.in_use():
            scores = self._measure(model, between)
        if averages.are_kept:
            scores |= {f"{name}{RAW}": value for name, value in self._measure(model, between).items()}
        worth = self.scorer.worth(self.decides, scores)
        before = min(progress.metrics, default=None)
        progress.metrics.append(worth)
        shown = ", ".join(f"{name} {value:.4f}" for name, value in scores.items())
        better = before is None or worth < before
        log.info("validation of epoch %d: %s%s", progress.epoch, shown, " (the best so far)" if better else "")
        patience = self.opt.val.patience
        if 0 < patience <= since_best(progress.metrics):
            log.info("the training ends: no better %s in %d validations (--patience)", self.decides, patience)
        return scores

    def _measure(self, model: TranslationModel[Any], between: Callable[[], None]) -> dict[str, float]:
        try:
            scores = self._scores(model, between)
        except (SharedError, LostProcessError, DivergedError):
            raise
        except UserError as error:  # so that what was learned is saved
            raise SharedError(f"the validation failed: {error}") from error
        if self.world.size == 1:
            return scores
        mine = torch.tensor(list(scores.values()), device=self.world.device)
        means = self.world.mean(mine)  # batch norms differ between processes; decisions must not
        return dict(zip(scores, means.tolist(), strict=True))

    def _scores(self, model: TranslationModel[Any], between: Callable[[], None]) -> dict[str, float]:
        self.scorer.restart()
        with as_in_a_test(model):
            for batch, out in translated(model, self.loader.epoch(ALWAYS_THE_SAME_CROPS)):
                self.scorer.add(model, batch, out)
                between()
        return self.scorer.scores()
