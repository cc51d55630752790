"""Look a data set over before a training: headers only, of files spread over all of it, in about a second.

``python -m data.check`` reads every file whole and finds what this does not: damage behind the header, duplicates.
"""

import logging
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from data.aligned_dataset import AlignedDataset
from data.base import TranslationDataset
from data.checking.header_cache import headers_of
from data.checking.summary import Summary, counted
from data.transforms import draw_geometry, scaled_size
from options.errors import UserError, first_few
from util.distributed import World
from util.raster.kinds import Header
from util.raster.values import range_of_type

log = logging.getLogger(__name__)

MOST_FILES = 2_000  # looked at, of all sides together


class Column(NamedTuple):
    """What was seen of one side, or of one of its stacked columns.

    Attributes:
        label: A, B1 ..., or pairs.
        number: in the side's stack, from 0.
        total: files there are.
    """

    label: str
    side: str
    number: int
    total: int
    headers: dict[str, Header]
    bad: dict[str, str]  # path -> why


def looked_over(dataset: TranslationDataset, world: World) -> TranslationDataset:
    """Return the data set after the main process has looked it over; all processes stop where that fails."""
    failure = None
    if world.is_main:
        try:
            look_over(dataset)
        except UserError as error:
            failure = error
    if world.any(failure is not None):
        raise failure or UserError("the images cannot be read; the message of the main process says why")
    return dataset


def look_over(dataset: TranslationDataset) -> None:
    """Log what a data set consists of, and warn of what would stop its training; nothing with ``--no_data_check``.

    Raises:
        UserError: none of the files that were looked at can be read.
    """
    if dataset.opt.no_data_check:
        return
    for column in _columns(dataset):
        if not column.headers and column.bad:
            path, reason = next(iter(column.bad.items()))
            raise UserError(
                f"none of the images of {column.label} can be read: {path} ({reason}) for one; see {_command(dataset)}"
            )
        log.info("%s", _line(column))
        for sentence in (*_unreadable(column, dataset), *_unfitting(column, dataset), *_too_small(column, dataset)):
            log.warning("%s: %s", column.label, sentence)


def _columns(dataset: TranslationDataset) -> Iterator[Column]:
    """Look at every column of every side; once where A and B are halves of the same files."""
    sides = {side: files for side, files in dataset.files.items() if not (side == "B" and dataset.side_by_side)}
    share = MOST_FILES // max(1, sum(len(files.columns) for files in sides.values()))
    for side, files in sides.items():
        for number, paths in enumerate(files.columns):
            numbered = f"{side}{number + 1}" if len(files.columns) > 1 else side
            label = "pairs" if dataset.side_by_side else numbered
            spread = np.linspace(0, len(paths) - 1, min(max(1, share), len(paths))).round()  # from first to last
            chosen = [paths[int(index)] for index in spread]
            found = dict(zip(chosen, headers_of(chosen, f"{paths.root}\n{label}"), strict=True))
            headers = {path: header for path, header in found.items() if not isinstance(header, str)}
            bad = {path: reason for path, reason in found.items() if isinstance(reason, str)}
            yield Column(label, side, number, len(paths), headers, bad)


def _line(column: Column) -> str:
    summary = Summary.of(list(column.headers.values()))
    seen = len(column.headers) + len(column.bad)
    sampled = f" ({seen:,} looked at)" if seen < column.total else ""
    return f"{column.label}: {column.total:,} images{sampled}, {summary.size_text}, {counted(summary.kinds)}"


def _unreadable(column: Column, dataset: TranslationDataset) -> Iterator[str]:
    if column.bad:
        named = first_few([f"{path} ({reason})" for path, reason in column.bad.items()])
        yield (
            f"{len(column.bad):,} of {len(column.headers) + len(column.bad):,} files cannot be read: {named}; "
            f"leave them out with --on_bad_image skip, and see {_command(dataset)}"
        )


def _unfitting(column: Column, dataset: TranslationDataset) -> Iterator[str]:
    """Yield what is wrong with channels and values."""
    domain = dataset.domains[column.side]
    wanted = domain.channels[column.number]
    others = {
        path: header.channels
        for path, header in column.headers.items()
        if header.channels != wanted and (header.color == "channels" or wanted > 4)  # colours become gray and back
    }
    if others:
        flag = "--input_nc" if column.side == dataset.input_side else "--output_nc"
        named = first_few([f"{path} has {count}" for path, count in others.items()])
        fitting = f"images of {wanted} channel{'s' * (wanted != 1)} are wanted"
        yield f"{fitting}, but {named}; pass the {flag} that fits all, or convert the images"
    for path, header in column.headers.items():
        if domain.limits is None and header.dtype.itemsize > 2:
            try:
                range_of_type(header.dtype)
            except UserError as error:
                yield f"{path} {error}"
                return


def _too_small(column: Column, dataset: TranslationDataset) -> Iterator[str]:
    """Yield that images are smaller than the crop, after resizing."""
    refused: list[str] = []
    random = np.random.default_rng(0)
    for path, header in column.headers.items():
        size = (max(1, header.width // 2) if dataset.side_by_side else header.width, header.height)
        try:
            draw_geometry(scaled_size(size, dataset.opt), dataset.opt, random)
        except UserError as error:
            refused.append(f"{path} {error}")
    if refused:
        black = "; of pairs, what is missing becomes black" if isinstance(dataset, AlignedDataset) else ""
        yield f"{len(refused):,} images are too small: {refused[0]}{black}"


def _command(dataset: TranslationDataset) -> str:
    return f"python -m data.check --dataroot {dataset.opt.dataroot}"
