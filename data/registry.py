"""The table of data sets, and building one by name."""

import logging

from data.base import TranslationDataset
from data.cache.keep import open_cache
from options.errors import UserError
from options.schema import Options
from util.registry import Registry

log = logging.getLogger(__name__)

DATASETS: Registry[type[TranslationDataset]] = Registry("data set")


def create_dataset(opt: Options, phase: str | None = None) -> TranslationDataset:
    """Build the data set that ``--dataset_mode`` names.

    Args:
        opt: all settings.
        phase: sub-folder to read instead of ``--phase``.

    Raises:
        UserError: the folder is missing or holds no images.
    """
    dataset = DATASETS[opt.data.dataset_mode](opt, phase or opt.data.phase)
    if opt.val.val_share and dataset.lanes:
        raise UserError(
            f"--val_share {opt.val.val_share} cannot take images out of shards; make shards of held-out ones and name "
            "them with --val_phase"
        )
    if opt.is_train:
        dataset.cache = open_cache(dataset)
    log.info("dataset [%s] was created", type(dataset).__name__)
    return dataset
