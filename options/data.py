"""The flags of the images that are fed, as a frozen dataclass."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

from options.errors import UserError
from options.flag import INFINITE, Settings, count_or_inf, flag

Side = Literal["A", "B"]
Range = tuple[float, float]  # the values that become -1 and 1


def value_range(text: str, flag_name: str) -> Range:
    """Parse ``LOW,HIGH``."""
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low, high = 0.0, 0.0
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UserError(f"{flag_name} {text!r} is not a range; give LOW,HIGH such as 0,4095 or -1,1")
    return low, high


_run = partial(flag, scope="run")  # how a training is fed; a test chooses anew
_networks = partial(flag, scope="networks")  # how an image reaches the networks, in any test of them too


@dataclass(frozen=True, kw_only=True)
class DataOptions(Settings):
    """The images.

    Where they lie, and how a file becomes the input of a network. A test reads them as the training did, but whole.
    """

    dataroot: str = flag(
        "",
        "folder of the images. Or a .csv or .txt file that lists them; --dataset_mode says what is expected in it",
        metavar="FOLDER",
        otherwise="none, it is needed",
        essential=True,
    )
    dataset_mode: str = flag(
        "unaligned",
        "how the folder is laid out. unaligned: trainA and trainB; aligned: pairs side by side in train, or of equal "
        "names in trainA and trainB; single: plain images; webdataset: shards, for sets larger than a disk",
        metavar="MODE",
        essential=True,
    )
    phase: str = _run(
        "train",
        "sub-folder to read: train, val, test or your own. Look at training images with a test, for example",
        metavar="NAME",
        in_test="test",
    )
    direction: Literal["AtoB", "BtoA"] = _networks(
        "AtoB",
        "which way to translate. BtoA where the files have the results on the left or in A",
        essential=True,
        aliases=("which_direction",),
        fixed=True,
    )
    batch_size: int = _run(
        1,
        "images in a step, per process. More use a GPU better, but each epoch then has fewer steps: raise --lr or "
        "--n_epochs",
        essential=True,
        aliases=("batchSize",),
        least=1,
    )
    preprocess: Literal[
        "resize_and_crop",
        "crop",
        "scale_width",
        "scale_width_and_crop",
        "none",
        "scale_shortside",
        "scale_shortside_and_crop",
        "pad_and_crop",
        "keep",
    ] = _networks(
        "resize_and_crop",
        "how an image becomes a network input: resize_and_crop, crop, scale_width, scale_width_and_crop, "
        "scale_shortside, scale_shortside_and_crop, pad_and_crop, keep or none. pad_and_crop for sizes and shapes of "
        "all kinds; scale_width keeps the shape; keep changes nothing",
        metavar="HOW",
        aliases=("resize_or_crop",),
    )
    load_size: int = _run(
        286,
        "pixels that images are scaled to. Somewhat more than --crop_size, so that crops differ",
        essential=True,
        aliases=("loadSize",),
        least=1,
        in_test=256,
    )
    crop_size: int = _networks(
        256,
        "pixels of the crop for the networks. Larger ones show more of an image at a time, and cost memory and "
        "time with their square",
        essential=True,
        aliases=("fineSize",),
        least=1,
    )
    no_flip: bool = _run(
        False, "do not mirror images at random. For text or organs, whose left is not their right", in_test=True
    )
    serial_batches: bool = _run(
        False, "take images in order instead of shuffling. To see what a training sees", in_test=True
    )
    max_dataset_size: float = _run(
        INFINITE,
        "use at most this many images. A few, to try whether all works",
        metavar="N",
        parse=count_or_inf,
        least=1,
    )
    num_threads: int = _run(
        4,
        "processes that load data; 0 loads in the main one. More where the dashboard says that steps wait for data",
        aliases=("nThreads",),
        least=0,
        in_test=0,
    )

    interpolation: Literal["bicubic", "bilinear", "nearest"] = _networks(
        "bicubic", "how images are resized. nearest for label maps, whose colours must not mix"
    )
    interpolation_A: Literal["", "bicubic", "bilinear", "nearest"] = _networks(
        "", "the same for A. Where one side alone is a label map", otherwise="--interpolation"
    )
    interpolation_B: Literal["", "bicubic", "bilinear", "nearest"] = _networks(
        "", "the same for B. Where one side alone is a label map", otherwise="--interpolation"
    )
    value_range: str = _networks(
        "",
        "the values that become -1 and 1. 12 bits in 16-bit files are 0,4095; floats say nothing of their range",
        metavar="LOW,HIGH",
        otherwise="the range of the file's type, 0,1 for floats",
    )
    value_range_A: str = _networks(
        "", "the same for A. Where A and B differ", metavar="LOW,HIGH", otherwise="--value_range"
    )
    value_range_B: str = _networks(
        "", "the same for B. Where A and B differ", metavar="LOW,HIGH", otherwise="--value_range"
    )

    augment: str = _run(
        "",
        "random changes in training, alike for both of a pair, such as rotation=10,color=0.2. For small data sets",
        metavar="NAMES",
        otherwise="none",
    )
    augment_input: str = _run(
        "",
        "random changes of the input alone. Blur or noise that the generator is to overcome",
        metavar="NAMES",
        otherwise="none",
    )

    on_bad_image: Literal["stop", "skip"] = _run(
        "stop", "at an image that cannot be read: stop, or take another. skip for large sets from the web"
    )
    on_missing_partner: Literal["stop", "skip"] = flag(
        "stop", "where only one of a pair's two files is there: stop, or leave it out. skip for half-finished sets"
    )
    no_data_check: bool = _run(
        False, "do not look the images over before the training. Saves seconds where the set is known"
    )
    cache: Literal["off", "ram", "disk"] = _run(
        "off", "keep decoded and resized images. Where reading files takes longer than a step"
    )
    cache_gb: float = _run(4.0, "most that --cache may take, per process. As much as there is to spare", metavar="GB")
    cache_dir: str = _run(
        "./cache", "folder of --cache disk. Put it on a fast disk; the next training uses it again", metavar="FOLDER"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for side in "AB":
            self.range_of(side)
        if self.cache_gb <= 0:
            raise UserError(f"--cache_gb {self.cache_gb} is no room at all; give a number above 0, or --cache off")
        if self.preprocess == "resize_and_crop" and self.crop_size > self.load_size:
            raise UserError(
                f"--crop_size {self.crop_size} is larger than --load_size {self.load_size}; "
                "raise --load_size or lower --crop_size"
            )

    @property
    def fixed_size(self) -> bool:
        """True where every image reaches the network in the same size."""
        return self.preprocess.endswith("crop")

    def range_of(self, side: str) -> Range | None:
        """Return the values of A or B, as they lie on disk, that become -1 and 1; None: those of the file's type."""
        own = {"A": self.value_range_A, "B": self.value_range_B}[side]
        text, name = (own, f"--value_range_{side}") if own else (self.value_range, "--value_range")
        return value_range(text, name) if text else None

    def interpolation_of(self, side: str) -> str:
        """Return how A or B, as they lie on disk, are resized."""
        return {"A": self.interpolation_A, "B": self.interpolation_B}[side] or self.interpolation
