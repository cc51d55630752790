"""The flags of ``test.py`` alone, as a frozen dataclass."""

from dataclasses import dataclass

from options.errors import UserError
from options.flag import INFINITE, Settings, count_or_inf, flag


@dataclass(frozen=True, kw_only=True)
class ResultOptions(Settings):
    """The results.

    What becomes of the translated images.
    """

    results_dir: str = flag(
        "./results/",
        "folder of the results. Each run has a folder in it, with the images and a web page",
        metavar="FOLDER",
        essential=True,
    )
    num_test: float = flag(
        INFINITE,
        "translate at most this many images. A few give a first look",
        metavar="N",
        essential=True,
        parse=count_or_inf,
        aliases=("how_many", "ntest"),
        least=1,
    )
    metrics: str = flag(
        "",
        "measure the results, such as fid,lpips. To compare runs by numbers; python evaluate.py --help names all",
        metavar="NAMES",
        otherwise="none",
        essential=True,
    )
    eval: bool = flag(
        False,
        "batch norm and dropout as at inference instead of as in training. For results that do not differ from one "
        "time to the next; pix2pix of the paper goes without",
        essential=True,
    )
    ema: float = flag(
        0.0, "above 0: averaged weights; 0: the raw ones. A run that was trained with --ema has both", metavar="SHARE"
    )
    aspect_ratio: float = flag(
        1.0, "stretch the width of the results. 1.5 gives images of 3:2 back that were squeezed", metavar="FACTOR"
    )
    display_winsize: int = flag(
        256, "pixels of width of an image on the web page. As large as the images shows all", least=1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.aspect_ratio < INFINITE:
            raise UserError(f"--aspect_ratio {self.aspect_ratio} must be above 0; 1 keeps the shape")
