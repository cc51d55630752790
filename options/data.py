"""The flags of what is fed, as a frozen dataclass."""

import math
from dataclasses import dataclass
from typing import Literal

from options.errors import UserError
from options.flag import INFINITE, at_least, count_or_inf, flag

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


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """What is fed."""

    dataroot: str = flag("", "folder of images, or a .csv or .txt file that lists them")
    dataset_mode: str = flag("unaligned", "how the folder is laid out")
    phase: str = flag("train", "sub-folder: train, val, test ...")
    direction: Literal["AtoB", "BtoA"] = flag("AtoB", "which way to translate", aliases=("which_direction",))
    serial_batches: bool = flag(False, "take images in order instead of shuffling")
    num_threads: int = flag(4, "processes that load data; 0 loads in the main one", aliases=("nThreads",))
    batch_size: int = flag(1, "images in a step (per process)", aliases=("batchSize",))
    load_size: int = flag(286, "images are scaled to this size", aliases=("loadSize",))
    crop_size: int = flag(256, "then cropped to this size", aliases=("fineSize",))
    max_dataset_size: float = flag(INFINITE, "use at most this many images", parse=count_or_inf)
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
    ] = flag("resize_and_crop", "how an image becomes a network input", aliases=("resize_or_crop",))
    no_flip: bool = flag(False, "do not mirror training images at random")

    interpolation: Literal["bicubic", "bilinear", "nearest"] = flag("bicubic", "how images are resized")
    interpolation_A: Literal["", "bicubic", "bilinear", "nearest"] = flag(
        "", "the same for A alone; nearest is for label maps"
    )
    interpolation_B: Literal["", "bicubic", "bilinear", "nearest"] = flag("", "the same for B alone")
    value_range: str = flag(
        "", "LOW,HIGH: the values that become -1 and 1; empty takes the range of the type, and 0,1 for floats"
    )
    value_range_A: str = flag("", "the same for A alone")
    value_range_B: str = flag("", "the same for B alone")

    augment: str = flag("", "random changes in training, alike for both of a pair: rotation=10,color=0.2 ...")
    augment_input: str = flag("", "random changes of the input alone")

    on_bad_image: Literal["stop", "skip"] = flag(
        "stop", "what to do about an image that cannot be read: stop, or take another in its place"
    )
    on_missing_partner: Literal["stop", "skip"] = flag(
        "stop", "what to do where only one of a pair's two files is there: stop, or leave it out"
    )
    no_data_check: bool = flag(False, "do not look the images over before the training")
    cache: Literal["off", "ram", "disk"] = flag("off", "keep decoded and resized images")
    cache_gb: float = flag(4.0, "most that --cache may take, GB (per process)")
    cache_dir: str = flag("./cache", "folder of --cache disk, which the next training uses again")

    def __post_init__(self) -> None:
        at_least("--batch_size", self.batch_size, 1)
        at_least("--num_threads", self.num_threads, 0)
        at_least("--load_size", self.load_size, 1)
        at_least("--crop_size", self.crop_size, 1)
        at_least("--max_dataset_size", self.max_dataset_size, 1)
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
