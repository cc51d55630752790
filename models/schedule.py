"""The learning rate as a pure function of the epoch, so that a resume has nothing to restore."""

import math
from collections.abc import Sequence

from options.training import OptimOptions
from util.progress import Progress

STEP_FACTOR = 0.1
PLATEAU_FACTOR, PLATEAU_PATIENCE, PLATEAU_THRESHOLD = 0.2, 5, 0.01


def lr_factor(opt: OptimOptions, epoch: int, metrics: Sequence[float] = ()) -> float:
    """Return what ``--lr`` is multiplied by in an epoch.

    ``linear``: 1 for ``n_epochs``, then straight down, reaching 0 one epoch after the last.
    ``step``: a tenth every ``lr_decay_iters`` epochs. ``cosine``: half a cosine over all epochs.
    ``plateau``: a fifth whenever the metric has not improved by 1 % in more than 5 validations.

    Args:
        epoch: from 1.
        metrics: of every validation the score that decides, lower is better; for ``plateau``.
    """
    if opt.lr_policy == "linear":
        return 1.0 - max(0, epoch - opt.n_epochs) / (opt.n_epochs_decay + 1)
    if opt.lr_policy == "step":
        return float(STEP_FACTOR ** ((epoch - 1) // opt.lr_decay_iters))
    if opt.lr_policy == "cosine":
        return 0.5 * (1 + math.cos(math.pi * (epoch - 1) / opt.last_epoch))
    return _plateau_factor(metrics)


def _plateau_factor(metrics: Sequence[float]) -> float:
    factor, best, waited = 1.0, math.inf, 0
    for metric in metrics:
        if metric < best * (1 - math.copysign(PLATEAU_THRESHOLD, best)):
            best, waited = metric, 0
        else:
            waited += 1
        if waited > PLATEAU_PATIENCE:
            factor, waited = factor * PLATEAU_FACTOR, 0
    return factor


def is_over(opt: OptimOptions, progress: Progress, patience: int) -> bool:
    """Tell whether all epochs are done, or there was no better validation for too long.

    Args:
        patience: validations in a row without a better one; 0 waits for ever.
    """
    return progress.epoch > opt.last_epoch or 0 < patience <= since_best(progress.metrics)


def since_best(metrics: Sequence[float]) -> int:
    """Return how many validations ago the best one was; the first of several that are equal."""
    return len(metrics) - 1 - metrics.index(min(metrics)) if metrics else 0
