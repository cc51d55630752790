"""The same few held-out images, translated again and again: what a reader compares over the epochs."""

import dataclasses
import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from data.base import TranslationDataset
from data.batch import Batch, collate
from data.registry import DATASETS
from models.base import TranslationModel
from models.translating import as_in_a_test
from models.validation import ALWAYS_THE_SAME_CROPS, held_out_data, held_out_set
from options.errors import LostProcessError, NoImagesError, UserError
from options.schema import Options

log = logging.getLogger(__name__)

LARGEST = 1024  # pixels a side
COARSE = 16  # pixels a side at which two images are compared: what a generator hides in fine noise does not count


class Translated(NamedTuple):
    """The visuals of each sample, 1 x C x H x W in [-1, 1]; and the generators' ``variety_<G>``."""

    rows: list[dict[str, Tensor]]
    scores: dict[str, float]


class Samples:
    """A model and the images that it translates again and again, without any effect on its training."""

    def __init__(self, model: TranslationModel[Any], batches: list[Batch]) -> None:
        self._model, self._batches = model, batches

    def translate(self) -> Translated:
        """Translate as ``test.py`` does: batch norm and dropout as in training, with the same noise each time.

        Every process must, where batch norms are shared. A failure is a warning, and there are no samples from then on.
        """
        model, rows, pairs = self._model, [], []
        try:
            with torch.no_grad(), as_in_a_test(model):
                for batch in self._batches:
                    torch.manual_seed(model.opt.run.seed)  # the next step seeds itself
                    with model.compute.kernels(), model.compute.forward():
                        out = model(batch)
                    rows.append(model.visuals(out))
                    pairs.append(model.translations(out))
            return Translated(rows, varieties(pairs))
        except LostProcessError:
            raise
        except Exception as error:  # lack of memory, or whatever a model raises: only for show
            if torch.distributed.is_initialized() and model.opt.net.norm == "syncbatch":
                raise  # the other processes wait for this one's statistics
            log.warning("no more samples: they cannot be translated (%s: %s)", type(error).__name__, error)
            self._batches = []
            return Translated([], {})


def load_samples(opt: Options, model: TranslationModel[Any], device: torch.device) -> Samples:
    """Load up to ``--display_samples`` images, spread over the held-out folder, or the training one if there is none.

    One that cannot be used is left out with a warning.
    """
    batches: list[Batch] = []
    if not opt.log.display_samples:
        return Samples(model, batches)
    dataset = _dataset(opt)
    count = min(opt.log.display_samples, len(dataset))
    for index in range(count):
        try:
            place = index if dataset.lanes else index * len(dataset) // count  # far places would open many shards
            loaded = collate([dataset[ALWAYS_THE_SAME_CROPS, place]])
            if loaded.batch is None:
                raise loaded.failure or UserError(loaded.complaints[0])
            batch = at_most(loaded.batch, LARGEST)
            model.check_batch(batch)
            batches.append(batch.to(device))
        except UserError as error:
            log.warning("left out of the samples: %s", error)
    return Samples(model, batches)


def at_most(batch: Batch, side: int) -> Batch:
    """Cut the middle out of images that are too large to be translated again and again beside a training."""

    def middle(images: Tensor) -> Tensor:
        top, left = (max(0, length - side) // 2 for length in images.shape[2:])
        return images[:, :, top : top + side, left : left + side]

    return batch._replace(A=middle(batch.A), B=None if batch.B is None else middle(batch.B))


def varieties(pairs: Sequence[Mapping[str, tuple[Tensor, Tensor]]]) -> dict[str, float]:
    """Return how much each generator's outputs differ from one input to another; 1: as much as real images do.

    The standard deviation over the samples at ``COARSE`` resolution, averaged over pixels, divided by that of the real
    images. Nothing where there are fewer than two samples. Synchronises the device.

    Args:
        pairs: ``TranslationModel.translations`` of each sample.
    """
    found = {}
    for network in pairs[0] if len(pairs) > 1 else ():
        made, wanted = (_spread([pair[network][index] for pair in pairs]) for index in (0, 1))
        if wanted > 0:
            found[f"variety_{network}"] = made / wanted
    return found


def _spread(images: list[Tensor]) -> float:
    small = [F.adaptive_avg_pool2d(image.float(), COARSE) for image in images]
    return float(torch.cat(small).std(dim=0).mean())  # sync


def _dataset(opt: Options) -> TranslationDataset:
    """Open the held-out images, whole images where possible."""
    if opt.val.val_share:
        return held_out_set(opt)
    data = dataclasses.replace(held_out_data(opt.data), max_dataset_size=math.inf)
    create, whole = DATASETS[data.dataset_mode], dataclasses.replace(opt, data=data)
    for phase in (opt.val.val_phase, "test"):
        try:
            return create(whole, phase)
        except NoImagesError:
            continue
        except UserError as error:
            log.warning("the samples are training images, because the held-out ones cannot be read: %s", error)
            break
    else:
        log.info("there are no held-out images in %s: the samples are training images", data.dataroot)
    return create(whole, data.phase)
