"""The flags of validation: what is measured on held-out images while a training goes on, and what follows from it."""

from dataclasses import dataclass

from options.errors import UserError
from options.flag import INFINITE, Settings, count_or_inf, flag


@dataclass(frozen=True, kw_only=True)
class ValidationOptions(Settings):
    """Validation.

    How good the generators are on images that they do not learn from: curves, the best weights, an end in time.
    """

    val_freq: int = flag(
        0,
        "epochs between validations; 0: none. 1 or more to find the best epoch; --lr_policy plateau takes 1 for 0",
        essential=True,
        least=0,
    )
    val_phase: str = flag("val", "sub-folder of held-out images. test where there is no val", metavar="NAME")
    val_share: float = flag(
        0.0, "share of the training images to hold out in its place. 0.1 where there is no sub-folder", metavar="SHARE"
    )
    val_size: float = flag(
        INFINITE,
        "validate on at most this many images. Some hundred are enough for all but fid",
        metavar="N",
        parse=count_or_inf,
        least=1,
    )
    val_metrics: str = flag(
        "",
        "what is measured, such as l1,lpips or fid,kid. python evaluate.py --help names all",
        metavar="NAMES",
        otherwise="l1 of pairs, else cycle",
    )
    best_metric: str = flag(
        "", "which of them says what best_net_*.pth is. The one you trust", metavar="NAME", otherwise="the first"
    )
    patience: int = flag(
        0,
        "validations in a row without a better one after which the training ends; 0: never. Saves the time in which "
        "nothing gets better",
        least=0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.val_share < 1:
            raise UserError(
                f"--val_share {self.val_share} is outside [0, 1); a usual share is 0.1, and 0 holds none out"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Return the metrics, in the order given."""
        return tuple(name.strip() for name in self.val_metrics.split(",") if name.strip())
