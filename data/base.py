"""The contract of a data set: say how long it is and load one sample.

A sample is a function of ``(seed, epoch, index)`` alone, so worker processes, their number and a
resume in mid-epoch change nothing.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from data.augment.augmentation import Augmentation, Look, parse_augmentation
from data.batch import Sample
from data.cache.image_cache import ImageCache
from data.domain import Domain, channels_of
from data.files.layout import Files
from data.held_out import names_of, rows_of
from data.pixels import size_of
from data.transforms import cut, draw_geometry
from options.errors import UserError
from options.flag import Settings
from options.schema import Options
from util.raster.kinds import Raster
from util.raster.reading import read_header, read_raster

Key = tuple[int, int]  # (epoch, index)

MOST_IN_A_ROW = 100  # bad images, before a data set counts as damaged


class TranslationDataset(Dataset[Sample | UserError], ABC):
    """Base of all data sets. A subclass calls ``use`` in its constructor and fills in ``load``.

    Attributes:
        Flags: dataclass of the data set's own flags.
        defaults: shared flags that it gives another default.
        has_target: whether samples have B images.
        paired: whether B is what A should become.
        input_side: what the network's input is called as it lies on disk.
        lanes: in how many orders of its own a data set that is read from front to back comes; sample ``i`` of an epoch
            is then whatever it says, and the number of loading processes divides this. 0: any sample at any time.
        side_by_side: whether A and B are halves of the same files.
        files: those of A and B, as they lie on disk.
        cache: decoded and resized images, if they are kept.
    """

    Flags: ClassVar[type[Settings]] = Settings
    defaults: ClassVar[Mapping[str, Any]] = {}
    has_target: ClassVar[bool] = True
    paired: bool = False
    lanes: int = 0
    side_by_side: bool = False

    def __init__(self, opt: Options, phase: str) -> None:
        self.opt = opt.data
        self.own: Any = opt.dataset
        self.phase = phase
        self.seed = opt.run.seed
        self.swapped = opt.data.direction == "BtoA"
        self.input_side = "B" if self.swapped else "A"
        self.trains = opt.is_train
        learned = opt.is_train and not opt.held_out and phase == opt.data.phase
        self.replaces_bad = learned and opt.data.on_bad_image == "skip"  # what is measured is rather left out
        self.epoch = 0  # of the sample under way
        self.files: dict[str, Files] = {}
        self.domains: dict[str, Domain] = {}
        self.cache: ImageCache | None = None
        self._nc = (opt.net.input_nc, opt.net.output_nc)
        self._held_out, self._val = opt.held_out, opt.val
        self._splits = opt.val.val_share > 0 and phase == opt.data.phase
        self._rows: list[int] = []
        alike = parse_augmentation(opt.data.augment, "--augment")
        self._augmentation = Augmentation(alike, parse_augmentation(opt.data.augment_input, "--augment_input"))

    def __len__(self) -> int:
        """Return the number of samples in an epoch: where nobody says otherwise, the images of the larger side."""
        return max(len(files) for files in self.files.values())

    @abstractmethod
    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Load one sample in disk order (A is domain A, whatever the direction).

        Args:
            index: 0 <= index < len(self).
            rng: the only source of randomness to use.

        Raises:
            UserError: a file is missing, damaged or too small.
        """

    def __getitem__(self, key: Key) -> Sample | UserError:
        """Load a sample; in place of a bad one another, if ``--on_bad_image`` says so."""
        epoch, index = key
        complaints: list[str] = []
        for _ in range(min(MOST_IN_A_ROW, len(self)) if self.replaces_bad else 1):
            found = self._attempt(epoch, (index + len(complaints)) % len(self))
            if isinstance(found, Sample):
                return found._replace(number=index, complaints=tuple(complaints))
            complaints.append(str(found))
        if len(complaints) == 1:
            return UserError(complaints[0])
        return UserError(f"{len(complaints)} images in a row cannot be used: {complaints[0]}; see python -m data.check")

    @property
    def target_side(self) -> str:
        """What the network's target is called as it lies on disk."""
        return "AB".replace(self.input_side, "")

    def share(self, batch_size: int, processes: int) -> None:
        """Learn how an epoch is dealt out: process r takes samples r, r + processes ..., in batches, in turns."""

    def use(self, side: str, files: Files, *, channels: int | None = None) -> None:
        """Say which files the images of A or B are made of.

        Args:
            channels: of an image; None takes ``--input_nc`` or ``--output_nc``.
        """
        if self._splits:
            files = self._part(files)
        self.files[side] = files
        found = [read_header(path).channels for path in files[0]] if len(files[0]) > 1 else []
        self.define(side, files[0], found, channels=channels)

    def _part(self, files: Files) -> Files:
        """Return the images that are held out, or all others; a pair stays together."""
        if not (self.paired and self._rows):
            self._rows = rows_of(names_of(files), self._val.val_share, held_out=self._held_out)
        rows = self._rows[: int(min(self._val.val_size, len(files)))] if self._held_out else self._rows
        return files.take(rows)

    def define(self, side: str, names: Sequence[str], found: Sequence[int], *, channels: int | None = None) -> None:
        """Settle how the images of A or B are read.

        Args:
            names: of the files of the first image.
            found: the channels of each, where they are several.
            channels: of an image; None takes ``--input_nc`` or ``--output_nc``.
        """
        wanted, flag = (self._nc[0], "--input_nc") if side == self.input_side else (self._nc[1], "--output_nc")
        split = channels_of(names, found, channels or wanted, flag)
        self.domains[side] = Domain(side, split, self.opt.range_of(side), self.opt)

    def image(self, side: str, index: int, rng: np.random.Generator) -> Tensor:
        """Read an image and make it a network input, with a crop, flip and augmentation of its own.

        Returns:
            pixels (see ``data.pixels``), C x H x W.

        Raises:
            UserError: the file is damaged, or smaller than the crop.
        """
        pixels = self.scaled(side, index)
        try:
            geometry = draw_geometry(size_of(pixels), self.opt, rng)
        except UserError as error:
            raise UserError(f"the image {self.path(side, index)} {error}") from error
        return self.augmented([side], [cut(pixels, geometry)], rng)[0]

    def scaled(self, side: str, index: int) -> Tensor:
        """Read and resize an image, or take it from the cache; not to be written to."""
        found = self.cached(side, index)
        if found is not None:
            return found
        return self.keep(side, index, [read_raster(path) for path in self.files[side][index]])

    def cached(self, side: str, index: int) -> Tensor | None:
        """Return a scaled image if the cache has it."""
        return self.cache.get(side, index) if self.cache else None

    def keep(self, side: str, index: int, rasters: Sequence[Raster]) -> Tensor:
        """Resize an image as it was read, and put it into the cache if there is one."""
        pixels = self.domains[side].scaled_image(rasters, self.files[side][index])
        if self.cache:
            self.cache.put(side, index, pixels)
        return pixels

    def augmented(self, sides: Sequence[str], images: Sequence[Tensor], rng: np.random.Generator) -> list[Tensor]:
        """Change images at random as the flags say, alike where they are several, and lay them out for a batch."""
        pairs = [(side, self.domains[side]) for side in sides]
        looks = [Look(domain.channels, side == self.input_side, domain.holds_labels) for side, domain in pairs]
        return [image.contiguous() for image in self._augmentation(images, rng, looks=looks)]

    def path(self, side: str, index: int) -> str:
        """Return the file of an image, the first where it is made of several."""
        return self.files[side][index][0]

    def relative_name(self, path: str) -> str:
        """Return a file's path below the folder it was found in, for naming what is made of it."""
        roots = [column.root for files in self.files.values() for column in files.columns]
        names = [os.path.relpath(path, root) for root in roots if root]
        return min((name for name in names if not name.startswith("..")), key=len, default=os.path.basename(path))

    def _attempt(self, epoch: int, index: int) -> Sample | UserError:
        rng, self.epoch = np.random.default_rng((self.seed, epoch, index)), epoch
        try:
            sample = self.load(index, rng)
        except UserError as error:
            return error
        if not self.trains and not sample.headers:  # results are like the files
            headers = tuple(read_header(path) for path in (sample.A_path, sample.B_path) if path)
            sample = sample._replace(headers=headers)
        if not self.swapped or sample.B is None:
            return sample
        A, B = sample.B, sample.A
        return sample._replace(A=A, B=B, A_path=sample.B_path, B_path=sample.A_path, headers=sample.headers[::-1])
