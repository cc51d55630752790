"""Open the cache of decoded and resized images that ``--cache`` asks for."""

import hashlib
import logging
from pathlib import Path

import PIL
import torch

from data.base import TranslationDataset
from data.cache.cache_file import GB
from data.cache.image_cache import ImageCache
from data.files.memory import file_stamp
from options.errors import UserError

log = logging.getLogger(__name__)

FORMAT = 1  # raise it when the same files and flags give other pixels than before


def open_cache(dataset: TranslationDataset) -> ImageCache | None:
    """Return the cache for a training's data set, or None without ``--cache``.

    Raises:
        UserError: there is not as much room as ``--cache_gb`` asks for, or the data set is read front to back.
    """
    opt = dataset.opt
    if opt.cache == "off":
        return None
    if dataset.lanes:
        raise UserError(f"--cache {opt.cache} has no effect with --dataset_mode {opt.dataset_mode}; leave it out")
    cache = ImageCache(
        opt.cache,
        budget_bytes=int(opt.cache_gb * GB),
        images=max(len(files) for files in dataset.files.values()),
        folder=Path(opt.cache_dir),
        fingerprint=fingerprint(dataset) if opt.cache == "disk" else "",
    )
    if cache.count:
        log.info("%d decoded images are in %s from an earlier training", cache.count, opt.cache_dir)
    return cache


def fingerprint(dataset: TranslationDataset) -> str:
    """Name what a cache holds: the files as they are now, and everything that reading and resizing depend on."""
    digest, opt = hashlib.sha256(), dataset.opt
    programs = (FORMAT, PIL.__version__, torch.__version__)
    flags = (type(dataset).__name__, dataset.own, opt.preprocess, opt.load_size, opt.crop_size)
    digest.update(repr((programs, flags)).encode())
    for side, domain in dataset.domains.items():
        digest.update(repr((side, domain.channels, domain.limits, opt.interpolation_of(side))).encode())
        for column in dataset.files[side].columns:
            for path in column:
                digest.update(f"{path}\0{file_stamp(path)}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()[:32]
