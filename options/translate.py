"""The flags of ``translate.py``."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from options.arguments import QuietParser, add_flags
from options.errors import UserError
from options.flag import at_least, flag

UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
USAGE = "python translate.py RUN IN... -o OUT [flags]\n       python translate.py RUN --camera [-o VIDEO]"


def memory(text: str) -> int:
    """Parse an amount of memory such as ``2G`` or ``500M``; bytes.

    Raises:
        UserError: it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if not match:
        raise UserError(f"--max_memory {text!r} is no amount of memory; give 2G or 500M for example")
    return int(float(match[1]) * UNITS[match[2].upper()])


@dataclass(frozen=True, kw_only=True)
class TranslateOptions:
    """What is translated, and how."""

    run: str = ""
    inputs: tuple[str, ...] = ()
    camera: str = ""
    output: str = flag("", "a folder, or a file's name for one input; - writes to standard output")
    direction: Literal["", "AtoB", "BtoA"] = flag("", "which way, of a CycleGAN; empty takes that of the training")
    epoch: str = flag("latest", "which saved weights: latest, an epoch number or iter_<N>")
    checkpoints_dir: str = flag("./checkpoints", "folder of all runs, where RUN is a name")
    ema: Literal["auto", "on", "off"] = flag("auto", "averaged weights; auto takes them where the run has --ema")
    eval: bool = flag(False, "let batch norms use what they gathered in training instead of each image's statistics")
    load_size: int = flag(0, "pixels of the shorter side while an image is translated; 0 keeps its size")
    format: Literal["", "png", "jpg", "webp", "bmp", "tif", "npy"] = flag(
        "", "of images; empty takes png, and tif or npy where the depth or the source asks for it"
    )
    quality: int = flag(95, "of jpg and webp, 1 to 100")
    overwrite: bool = flag(False, "replace files that are there; without it, what is done already is skipped")
    tiling: Literal["auto", "off", "exact", "blend"] = flag(
        "auto",
        "large images: exact computes parts with the norms of the whole, blend computes tiles that fade into each "
        "other, off all at once; auto is off where it fits into memory, else exact",
    )
    max_memory: str = flag(
        "", "most that the program (on a GPU: of the GPU) may take, as 2G; empty is half of the rest"
    )
    gpu_ids: str = flag("", "number of the GPU; -1 is the CPU; empty leaves it to --device")
    device: str = flag("auto", "auto, cpu, cuda, cuda:1 or mps")
    precision: Literal["auto", "fp32", "tf32", "bf16", "fp16", "int8"] = flag(
        "auto", "numbers of the networks: fp32 is exact; on CPUs int8 takes half the time of auto, a few levels off"
    )
    num_threads: int = flag(2, "threads that read and write files beside the work")
    smooth: float = flag(0.0, "videos: how much stands still where the video does, 0 to 1")
    crf: int = flag(18, "videos: quality, lower is better; 0 is lossless in mkv and avi")
    port: int = flag(8098, "of the page that shows the camera, on this machine")
    quiet: bool = flag(False, "print warnings only, and no progress bar")

    def __post_init__(self) -> None:
        at_least("--load_size", self.load_size, 0)
        at_least("--num_threads", self.num_threads, 1)
        if self.gpu_ids not in ("", "-1") and not self.gpu_ids.isdecimal():
            raise UserError(f"--gpu_ids {self.gpu_ids} is not one GPU's number; give 0, or -1 for the CPU")
        if not 1 <= self.quality <= 100:
            raise UserError(f"--quality {self.quality} is outside 1 to 100; 95 is a good one")
        if not 0 <= self.smooth <= 1:
            raise UserError(f"--smooth {self.smooth} is outside 0 to 1; 0.8 is a good one")
        if not 0 <= self.crf <= 51:
            raise UserError(f"--crf {self.crf} is outside 0 to 51; 18 is a good one")
        if not self.run:
            raise UserError(f"RUN is missing: a run's folder or name, or a generator's file; usage: {USAGE}")
        if self.camera and self.inputs:
            raise UserError(f"--camera translates what it sees, not {self.inputs[0]}; leave one of both out")
        if not self.camera and not self.inputs:
            raise UserError(
                f"there is nothing to translate; name images, folders or videos, or pass --camera ({USAGE})"
            )
        if not self.camera and not self.output:
            raise UserError("-o is missing: a folder for the translations, or a file's name for one")
        if "-" in self.inputs and len(self.inputs) > 1:
            raise UserError("- (standard input) holds one image and comes alone; leave the other inputs out")

    @property
    def place(self) -> str:
        """The device that ``--device`` or ``--gpu_ids`` names."""
        if not self.gpu_ids:
            return self.device
        return "cpu" if self.gpu_ids == "-1" else f"cuda:{self.gpu_ids}"

    @property
    def bytes(self) -> int:
        """``--max_memory`` as a number; 0 if it is not given."""
        return memory(self.max_memory) if self.max_memory else 0


def parse_translate(argv: Sequence[str] | None = None) -> TranslateOptions:
    """Parse the flags of ``translate.py``.

    Raises:
        UserError: a flag is unknown, or its value impossible.
    """
    parser = QuietParser(prog="translate.py", usage=USAGE, description=__doc__)
    parser.add_argument("run", nargs="?", default="", help="a run's folder or name, or a generator's file")
    parser.add_argument("inputs", nargs="*", default=[], help="images, videos, folders, patterns; - reads one image")
    parser.add_argument(
        "--camera", nargs="?", const="0", default="", help="what a camera sees: 0 is the first, or a device or address"
    )
    parser.add_argument("-o", dest="output", default=argparse.SUPPRESS, help="the same as --output")
    add_flags(parser, TranslateOptions, bare_switches=True)
    values = vars(parser.parse_intermixed_args(argv))
    return TranslateOptions(**values | {"inputs": tuple(values["inputs"])})
