"""Sets that are too large for one disk: WebDataset shards, read from front to back, from this machine or from afar.

Samples are still a function of ``(seed, epoch, index)``: see ``data.shards.dealing`` and ``data.shards.stream``.
"""

import os
import re
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from data.base import Key, TranslationDataset
from data.batch import Sample
from data.pair import cut_alike, halves
from data.registry import DATASETS
from data.shards.dealing import Dealing
from data.shards.reading import Packed, Shard, ShardError, read_samples
from data.shards.shard_list import first_samples, names_shards, shards_at, shards_in
from data.shards.stream import Stream
from options.errors import DamagedError, UserError
from options.flag import Settings, flag
from options.schema import Options
from util.raster.kinds import Header
from util.raster.reading import read_header, read_raster

MOST_LANES = 16  # of a process
STREAMS = 0x5348  # sets the seeds of orders apart from those of samples
_ROLE = re.compile(r"(?P<side>[ab])(?P<number>[0-9]*)\.[^.]+")  # a.png, or a1.png, a2.png ..., which are stacked


@dataclass(frozen=True, kw_only=True)
class WebdatasetOptions(Settings):
    """Shards.

    How they are read.
    """

    shuffle_buffer: int = flag(
        1000,
        "samples, still encoded, that each process keeps to take them in another order. More shuffle better, and take "
        "memory",
        least=0,
    )
    shards_B: str = flag(
        "",
        "shards of B where --dataroot names those of A. For two sets that are no pairs",
        metavar="SHARDS",
        otherwise="none",
    )


@DATASETS.register("webdataset")
class WebdatasetDataset(TranslationDataset):
    """Shards of pairs in ``<root>/<phase>``, or else of images in ``<root>/<phase>A`` and ``<root>/<phase>B``.

    Unpaired A and B have an order each, and the smaller side begins again as often as it takes.
    """

    Flags = WebdatasetOptions

    def __init__(self, opt: Options, phase: str) -> None:
        super().__init__(opt, phase)
        found = self._find(phase)
        self.paired = len(found) == 1
        limited = {side: first_samples(shards, self.opt.max_dataset_size) for side, shards in found.items()}
        self._length = max(sum(shard.used for shard in shards) for shards in limited.values())
        self._shards = limited
        self._asked = 0  # place of the sample that was asked for, where another is loaded instead
        for side in "AB":
            self._define(side, limited[side if side in limited else "A"][0])
        self.share(self.opt.batch_size, 1)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, key: Key) -> Sample | UserError:
        """Load a sample; in place of a bad one the next of its lane, if ``--on_bad_image`` says so."""
        epoch, index = key
        self._asked = self._dealing.place(index)
        try:
            found = super().__getitem__((epoch, self._asked))
        except ShardError as error:
            return DamagedError(str(error))
        return found._replace(number=index) if isinstance(found, Sample) else found

    def share(self, batch_size: int, processes: int) -> None:
        """Deal an epoch out, to as many lanes as the shards allow; to a single one if it goes by their order."""
        serial = self.opt.serial_batches
        opened = min(self._length * len(own) // sum(s.used for s in own) for own in self._shards.values())
        lanes = 1 if serial else min(MOST_LANES, 1 << (max(1, opened // processes).bit_length() - 1))
        buffer = 0 if serial else -(-self.own.shuffle_buffer // lanes)
        self.lanes = lanes
        self._dealing = Dealing(self._length, batch_size, processes, lanes)
        self._streams = {
            side: Stream(shards, seed=(self.seed, STREAMS, ord(side)), buffer=buffer, shuffled=not serial)
            for side, shards in self._shards.items()
        }

    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Load the pair, or the two images, at a place of the epoch's row."""
        if self.paired:
            sample = cut_alike(self, index, *self._pair(index), rng)
        else:
            A, B = self.image("A", index, rng), self.image("B", index, rng)
            sample = Sample(A, B, self.path("A", index), self.path("B", index))
        if self.trains:
            return sample
        headers = [self._headers(self._packed(side, index), side)[0] for side in "AB"]  # for results like them
        return sample._replace(headers=tuple(headers))

    def _pair(self, index: int) -> tuple[Tensor, Tensor]:
        packed = self._packed("A", index)
        whole = _whole(packed)
        if not whole:
            return self.scaled("A", index), self.scaled("B", index)
        path = packed.path(whole)
        left, right = halves(read_raster(path, packed.images[whole]), path)
        return self.domains["A"].scaled_image([left], [path]), self.domains["B"].scaled_image([right], [path])

    def scaled(self, side: str, index: int) -> Tensor:
        """Decode and resize an image that is no half."""
        packed = self._packed(side, index)
        names = self._names(packed, side)
        rasters = [read_raster(packed.path(name), packed.images[name]) for name in names]
        return self.domains[side].scaled_image(rasters, [packed.path(name) for name in names])

    def path(self, side: str, index: int) -> str:
        """Return ``<shard>/<name>`` of an image, the first where it is made of several."""
        packed = self._packed(side, index)
        return packed.path(self._names(packed, side)[0])

    def relative_name(self, path: str) -> str:
        """Return ``<shard>/<key>.<ending>``: without ``.tar``, and without what says A or B."""
        shard, _, name = path.partition(".tar/")
        key, _, rest = os.path.basename(name).partition(".")
        folders = [part for part in (*shard.split("/"), *os.path.dirname(name).split("/")) if part not in ("", "..")]
        return "/".join([*folders, f"{key}.{rest.rpartition('.')[2]}"])

    def _find(self, phase: str) -> dict[str, list[Shard]]:
        """Return the shards of A and B, or those of pairs as A."""
        root, shards_B = self.opt.dataroot, self.own.shards_B
        if names_shards(root):
            urls = {"A": root, "B": shards_B} if shards_B else {"A": root}
            for name, url in zip(("--dataroot", "--shards_B"), urls.values(), strict=False):
                if phase != self.opt.phase and "{phase}" not in url:
                    raise UserError(
                        f"{name} {url} names the shards of one phase; write {{phase}} in the place of its name"
                    )
            return {side: shards_at(url.replace("{phase}", phase)) for side, url in urls.items()}
        if shards_B:
            raise UserError(
                f"--shards_B needs the shards of A as --dataroot, such as trainA-{{0000..0099}}.tar, not {root}"
            )
        folder = os.path.join(root, phase)
        hint = (
            f"--dataset_mode webdataset expects shards of pairs in {folder}, or of images in {folder}A and "
            f"{folder}B, or their URLs as --dataroot"
        )
        if os.path.isdir(folder) or not os.path.isdir(folder + "A"):
            return {"A": shards_in(folder, hint=hint)}
        return {side: shards_in(folder + side, hint=hint) for side in "AB"}

    def _define(self, side: str, shard: Shard) -> None:
        """Say how a side is read; the first sample settles how many channels each of its files has."""
        try:
            first = next(read_samples(shard, [0]))
        except ShardError as error:
            raise DamagedError(str(error)) from error
        paths = [first.path(name) for name in self._names(first, side)]
        headers = self._headers(first, side) if len(paths) > 1 else []
        self.define(side, paths, [header.channels for header in headers])

    def _headers(self, packed: Packed, side: str) -> list[Header]:
        names = self._names(packed, side)
        return [read_header(packed.path(name), packed.images[name]) for name in names]

    def _packed(self, side: str, place: int) -> Packed:
        stream = self._streams["A" if self.paired else side]
        return stream.sample(self.epoch, self._dealing.part(place), place, again_from=self._asked)

    def _names(self, packed: Packed, side: str) -> list[str]:
        """Return which images of a sample make up A or B."""
        if not self.paired:
            return sorted(packed.images, key=_number)
        if whole := _whole(packed):
            return [whole]
        roles = {name: match["side"] for name in packed.images if (match := _ROLE.fullmatch(name))}
        names = sorted((name for name, role in roles.items() if role == side.lower()), key=_number)
        if not names:
            have = ", ".join(packed.path(name) for name in sorted(packed.images))
            raise UserError(
                f"the sample has no {side.lower()}.png or the like, only {have}; a pair is x.a.png and x.b.png, or one "
                "image with A left and B right"
            )
        return names


def _whole(packed: Packed) -> str | None:
    """Return the image of a sample that has one, with both sides in it."""
    names = list(packed.images)
    return names[0] if len(names) == 1 and not _ROLE.fullmatch(names[0]) else None


def _number(name: str) -> tuple[int, str]:
    match = _ROLE.fullmatch(name)
    return int(match["number"] or 0) if match else 0, name
