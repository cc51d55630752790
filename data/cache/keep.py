"""Open the cache of decoded and resized images that ``--cache`` asks for."""

import hashlib
import logging
import os
from pathlib import Path

from data.base import TranslationDataset
from data.cache.image_cache import ImageCache
from options.errors import UserError

log = logging.getLogger(__name__)

GB = 10**9


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
        keys=2 * max(len(files) for files in dataset.files.values()),
        folder=Path(opt.cache_dir),
        fingerprint=fingerprint(dataset) if opt.cache == "disk" else "",
    )
    if cache.count:
        log.info("%d decoded images are in %s from an earlier training", cache.count, opt.cache_dir)
    return cache


def fingerprint(dataset: TranslationDataset) -> str:
    """Name what a cache holds: the files as they are now, and everything that reading and resizing depend on."""
    digest = hashlib.sha256()
    opt = dataset.opt
    digest.update(repr((type(dataset).__name__, opt.preprocess, opt.load_size, opt.crop_size)).encode())
    for side, domain in dataset.domains.items():
        digest.update(repr((side, domain.channels, domain.limits, opt.interpolation_of(side))).encode())
        for column in dataset.files[side].columns:
            for path in column:
                try:
                    status = os.stat(path)
                    digest.update(f"{path}\0{status.st_size} {status.st_mtime_ns}\0".encode(errors="surrogateescape"))
                except OSError:
                    digest.update(f"{path}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()[:32]
