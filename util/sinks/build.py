"""The sinks of a training, in the order in which they are opened."""

from options.schema import Options
from util.dashboard.sink import VisdomSink
from util.progress import Progress
from util.sinks.base import RunSoFar, Sink
from util.sinks.console import ConsoleSink
from util.sinks.health import HealthSink
from util.sinks.html import HtmlSink
from util.sinks.jsonl import JsonLinesSink
from util.sinks.loss_log import LossLogSink
from util.sinks.tensorboard import TensorBoardSink
from util.sinks.wandb import WandbSink

SINKS: tuple[type[Sink], ...] = (
    WandbSink,  # this and the next may refuse, when nothing is written yet
    TensorBoardSink,
    JsonLinesSink,
    ConsoleSink,
    LossLogSink,
    HealthSink,
    HtmlSink,
    VisdomSink,
)


def refuse_unusable(opt: Options) -> None:
    """Look at the flags of the sinks before anything is touched.

    Raises:
        UserError: one is asked for and cannot work.
    """
    for kind in SINKS:
        kind.refuse(opt)


def build_sinks(opt: Options, progress: Progress) -> list[Sink]:
    """Open every destination of a training, going on from ``progress``."""
    run = RunSoFar(opt, progress)
    sinks = [kind.opened(run) for kind in SINKS]
    return [sink for sink in sinks if sink is not None]
