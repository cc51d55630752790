"""The flags of validation: what is measured on held-out images while a training goes on, and what follows from it."""

from dataclasses import dataclass

from options.errors import UserError
from options.flag import INFINITE, at_least, count_or_inf, flag


@dataclass(frozen=True, kw_only=True)
class ValidationOptions:
    """How good the generators are on images that they do not learn from."""

    val_freq: int = flag(0, "epochs between two validations; 0: none, and 1 with --lr_policy plateau")
    val_phase: str = flag("val", "sub-folder of held-out images")
    val_share: float = flag(0.0, "share of the training images to hold out in place of that sub-folder, such as 0.1")
    val_size: float = flag(INFINITE, "validate on at most this many images", parse=count_or_inf)
    val_metrics: str = flag(
        "", "what is measured, such as l1,lpips or fid,kid; empty: l1 of pairs, else cycle (python evaluate.py --help)"
    )
    best_metric: str = flag("", "which of them says what best_net_*.pth is; empty: the first")
    patience: int = flag(0, "validations in a row without a better one after which the training ends; 0: never")

    def __post_init__(self) -> None:
        at_least("--val_freq", self.val_freq, 0)
        at_least("--val_size", self.val_size, 1)
        at_least("--patience", self.patience, 0)
        if not 0 <= self.val_share < 1:
            raise UserError(
                f"--val_share {self.val_share} is outside [0, 1); a usual share is 0.1, and 0 holds none out"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Return the metrics, in the order given."""
        return tuple(name.strip() for name in self.val_metrics.split(",") if name.strip())
