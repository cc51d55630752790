"""The flags of ``translate.py``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from options.amount import amount
from options.arguments import FlagParser
from options.errors import UserError
from options.flag import Settings, flag

USAGE = "python translate.py RUN IN... -o OUT [flags]\n       python translate.py RUN --camera [-o VIDEO]"
ABOUT = (
    "Translates images, folders, videos or what a camera sees with a trained run. Sizes, depths and folders are kept. "
    "A command that was stopped goes on where it was: what is done already is skipped."
)


@dataclass(frozen=True, kw_only=True)
class TranslateOptions(Settings):
    """The translation.

    The run says how images reach its networks; these say what becomes of them.
    """

    run: str = ""
    inputs: tuple[str, ...] = ()
    camera: str = ""
    output: str = flag(
        "",
        "a folder, or a file's name for one input. - writes an image to standard output, for a pipe",
        metavar="OUT",
        essential=True,
        short="o",
    )
    direction: Literal["", "AtoB", "BtoA"] = flag(
        "", "which way. A CycleGAN has both", otherwise="that of the training", essential=True
    )
    epoch: str = flag(
        "latest",
        "which saved weights: latest, an epoch number or iter_N. To compare epochs; best where there were validations",
        metavar="EPOCH",
        essential=True,
    )
    checkpoints_dir: str = flag(
        "./checkpoints", "folder of all runs. Where RUN is a name and they lie elsewhere", metavar="FOLDER"
    )
    ema: Literal["auto", "on", "off"] = flag(
        "auto", "averaged weights. auto takes them where the run has --ema; off shows the raw ones beside them"
    )
    eval: bool = flag(
        False,
        "let batch norms use what they gathered in training instead of each image's statistics. Then a result does "
        "not depend on what else is in the image",
    )
    load_size: int = flag(
        0,
        "pixels of the shorter side while an image is translated; 0 keeps its size. Things should be about as large as "
        "in the training images",
        essential=True,
        least=0,
    )
    format: Literal["", "png", "jpg", "webp", "bmp", "tif", "npy"] = flag(
        "",
        "kind of the image files. jpg or webp for small ones",
        otherwise="png, and tif or npy where the depth or the source asks for it",
        essential=True,
    )
    quality: int = flag(95, "quality of jpg and webp, 1 to 100. Lower for smaller files", least=1, most=100)
    overwrite: bool = flag(
        False, "replace files that are there. Without it, what is done already is skipped", essential=True
    )
    tiling: Literal["auto", "off", "exact", "blend"] = flag(
        "auto",
        "how large images are computed. exact: in parts, with the norms of the whole; blend: in tiles that fade into "
        "each other; off: all at once; auto is off where it fits into memory, else exact",
    )
    max_memory: str = flag(
        "",
        "most that the program (on a GPU: of the GPU) may take, as 2G. Less where others need the machine",
        metavar="AMOUNT",
        otherwise="half of the rest",
    )
    gpu_ids: str = flag(
        "",
        "number of the GPU; -1: the CPU. Another one where the first is busy",
        metavar="ID",
        otherwise="as --device says",
        essential=True,
    )
    device: str = flag("auto", "auto, cpu, cuda, cuda:1 or mps. PyTorch's names, for all kinds", metavar="DEVICE")
    precision: Literal["auto", "fp32", "tf32", "bf16", "fp16", "int8"] = flag(
        "auto",
        "numbers of the networks. fp32 is exact; on CPUs int8 takes half the time of auto, a few levels off",
        essential=True,
    )
    num_threads: int = flag(2, "threads that read and write files. More where the disk is slow", least=1)
    smooth: float = flag(
        0.0,
        "share that stands still where the video does, 0 to 1. 0.8 against flicker",
        metavar="SHARE",
        least=0,
        most=1,
    )
    crf: int = flag(
        18, "quality of videos, lower is better. 23 for smaller files; 0 is lossless in mkv and avi", least=0, most=51
    )
    port: int = flag(
        8098,
        "of the web page that shows the camera, on this machine. Another where it is taken",
        metavar="PORT",
        least=1,
        most=65535,
    )
    quiet: bool = flag(False, "print warnings only, and no progress bar. In scripts")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.gpu_ids not in ("", "-1") and not self.gpu_ids.isdecimal():
            raise UserError(f"--gpu_ids {self.gpu_ids} is not one GPU's number; give 0, or -1 for the CPU")
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
    def suffix(self) -> str:
        """The suffix of images that ``--format`` asks for, or nothing where each decides for itself."""
        return f".{self.format}" if self.format else ""

    @property
    def bytes(self) -> int:
        """``--max_memory`` as a number; 0 if it is not given."""
        of, examples = " of memory", "2G or 500M"
        return amount("--max_memory", self.max_memory, kilo=1024, of=of, examples=examples) if self.max_memory else 0


def parse_translate(words: Sequence[str]) -> TranslateOptions:
    """Parse the flags of ``translate.py``.

    Raises:
        UserError: a flag is unknown, or its value impossible.
    """
    parser = FlagParser("translate.py", USAGE, ABOUT, words)
    parser.add_argument("run", nargs="?", default="", help="a run's folder or name, or a generator's file")
    parser.add_argument("inputs", nargs="*", default=[], help="images, videos, folders, patterns; - reads one image")
    parser.add_argument(
        "--camera", nargs="?", const="0", default="", help="what a camera sees: 0 is the first, or a device or address"
    )
    parser.add_flags(TranslateOptions, bare_switches=True)
    values = vars(parser.parse_intermixed_args(words))
    return TranslateOptions(**values | {"inputs": tuple(values["inputs"])})
