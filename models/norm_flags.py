"""What a batch norm means for several parts of a batch and for several processes."""

import logging

from options.errors import UserError
from options.training import OptimOptions

log = logging.getLogger(__name__)


def check_norm(norm: str, opt: OptimOptions, processes: int) -> None:
    """Warn where a norm makes another training.

    Raises:
        UserError: the processes could not share its statistics.
    """
    if norm == "syncbatch" and processes > 1 and (opt.accumulate > 1 or opt.gan_mode == "wgangp"):
        unable = "--accumulate" if opt.accumulate > 1 else "--gan_mode wgangp"
        raise UserError(f"{unable} does not go with --norm syncbatch in several processes; use --norm instance")
    if norm in ("batch", "syncbatch") and opt.accumulate > 1:
        log.warning("--accumulate: --norm %s takes the statistics of each part alone; instance has none", norm)
    if norm == "batch" and processes > 1:
        log.warning("--norm batch takes the statistics of each process alone; --norm syncbatch those of all")
