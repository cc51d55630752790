"""The images of one side of a data set, each by its name, as metrics take them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from torch import Tensor

from data.base import TranslationDataset
from inference.evaluating.of_run import FIRST
from models.scorer import file_values
from models.single_side_model import SingleSideOptions
from options.errors import UserError
from options.flag import INFINITE
from options.schema import Options
from util.partners import pair_name
from util.raster.values import units

DEEP = {".npy", ".npz", ".tif", ".tiff"}  # beside which test.py puts an 8-bit PNG to look at
SHOWN = "_shown"  # ends the name of such a PNG where the image itself is one


def plain(opt: Options, folder: str, *, limited: bool) -> Options:
    """Return the options that read a folder as images of the target side: with its channels, range and interpolation.

    Args:
        limited: whether ``--max_dataset_size`` counts.
    """
    data = replace(
        opt.data,
        dataroot=folder,
        dataset_mode="single",
        direction="AtoB" if opt.data.direction == "BtoA" else "BtoA",  # a lone image is the input, here of the way back
        max_dataset_size=opt.data.max_dataset_size if limited else INFINITE,
    )
    net = replace(opt.net, input_nc=opt.net.output_nc, output_nc=opt.net.input_nc)
    return replace(opt, data=data, net=net, own=SingleSideOptions())


class Images:
    """The target images of a data set, or all images of one that has no targets.

    Attributes:
        root: the folder they lie in.
        side: A or B, as they lie on disk.
        names: their paths below their folders without ending; several may share one.
        sources: the names on the other side; none where there is no other.
        preparation: how they are read, for those who keep what was computed of them.

    Raises:
        UserError: the data set has no folder of such images.
    """

    def __init__(self, dataset: TranslationDataset, *, results: bool) -> None:
        """Look at the names.

        Args:
            results: leave out the 8-bit PNGs that ``test.py`` puts beside results of other kinds.
        """
        self.dataset = dataset
        self.side = dataset.target_side if dataset.has_target else dataset.input_side
        files = dataset.files.get(self.side, dataset.files.get("A"))
        if files is None:
            raise UserError(
                f"there is no folder of images on side {self.side}: --dataset_mode {dataset.opt.dataset_mode} keeps "
                "them otherwise; unpack them and pass --dataset_mode aligned, unaligned or single"
            )
        self.root = files.columns[0].root
        self._paths = [files[index] for index in range(len(files))]
        first = [paths[0] for paths in self._paths]
        self.places = _without_previews(first) if results else list(range(len(first)))
        self.names = [pair_name(dataset.relative_name(first[place])) for place in self.places]
        self._named: dict[str, list[int]] = {}
        for name, place in zip(self.names, self.places, strict=True):
            self._named.setdefault(name, []).append(place)
        inputs = dataset.files.get(dataset.input_side) if dataset.has_target else None
        count = len(inputs) if inputs else 0
        self.sources = frozenset(pair_name(dataset.relative_name(inputs[i][0])) for i in range(count) if inputs)
        opt = dataset.opt
        how = [opt.dataset_mode, self.side, opt.preprocess, opt.load_size, opt.crop_size]
        how += [opt.interpolation_of(self.side), opt.range_of(self.side)]
        self.preparation = repr([*how, [domain.channels for domain in dataset.domains.values()]])

    def __contains__(self, name: str) -> bool:
        return name in self._named

    def __iter__(self) -> Iterator[Tensor]:
        return (self.image(place) for place in self.places)

    @property
    def files(self) -> list[Path]:
        """All files, also of images that several are stacked to."""
        return [Path(path) for place in self.places for path in self._paths[place]]

    def place(self, name: str) -> int:
        """Return where the image of a name is.

        Raises:
            UserError: several have it.
        """
        first, *others = self._named[name]
        if others:
            raise UserError(
                f"{self.path(first)} and {self.path(others[0])} are both called {name}, so that it is not clear which "
                "is meant; remove or rename one"
            )
        return first

    def path(self, place: int) -> str:
        """Return the file of an image, the first where it is made of several."""
        return self._paths[place][0]

    def image(self, place: int) -> Tensor:
        """Return an image, 1 x C x H x W in [0, 1].

        Raises:
            UserError: it cannot be read.
        """
        return self._read(place, target=self.dataset.has_target)

    def input(self, place: int) -> Tensor:
        """Return what belongs to it on the other side, where the data set has pairs."""
        return self._read(place, target=False)

    def _read(self, place: int, *, target: bool) -> Tensor:
        sample = self.dataset[FIRST, place]
        if isinstance(sample, UserError):
            raise sample
        image = sample.B if target else sample.A
        assert image is not None
        return file_values(units(image)[None])


def _without_previews(paths: Sequence[str]) -> list[int]:
    """Return the places of all but the PNGs that show an image which no browser can."""
    kinds: dict[str, set[str]] = {}
    for path in map(PurePath, paths):
        kinds.setdefault(str(path.with_suffix("")), set()).add(path.suffix.lower())

    def shows_another(path: PurePath) -> bool:
        stem = str(path.with_suffix(""))
        deep = stem.removesuffix(SHOWN)
        beside = bool(kinds[stem] & DEEP) or (deep != stem and ".png" in kinds.get(deep, ()))
        return path.suffix.lower() == ".png" and beside

    return [place for place, path in enumerate(paths) if not shows_another(PurePath(path))]
