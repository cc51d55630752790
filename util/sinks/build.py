"""The sinks that the flags ask for."""

import importlib.util
import sys

from options.errors import UserError
from options.schema import Options
from options.stored import flatten
from util.progress import Progress
from util.run_folder import run_folder
from util.sinks import Sink
from util.sinks.console import ConsoleSink
from util.sinks.html import HtmlSink
from util.sinks.jsonl import JsonLinesSink, read_history
from util.sinks.loss_log import LossLogSink
from util.sinks.tensorboard import TensorBoardSink
from util.sinks.visdom import VisdomSink
from util.sinks.wandb import WandbSink

METRICS_FILE = "metrics.jsonl"


def refuse_missing_trackers(opt: Options) -> None:
    """Look for the packages that the flags ask for, before anything is touched.

    Raises:
        UserError: one is not installed.
    """
    for package, wanted in (("wandb", opt.run.use_wandb), ("tensorboard", opt.log.use_tensorboard)):
        if wanted and package not in sys.modules and importlib.util.find_spec(package) is None:
            raise UserError(f"--use_{package} needs the {package} package; type: pip install {package}")


def build_sinks(opt: Options, progress: Progress) -> list[Sink]:
    """Open every destination of a training, going on from ``progress``."""
    log, name, folder = opt.log, opt.run.name, run_folder(opt)
    sinks: list[Sink] = []
    if log.use_tensorboard:
        sinks.append(TensorBoardSink(folder / "tensorboard"))
    if opt.run.use_wandb:
        sinks.append(WandbSink(project=opt.run.wandb_project_name, name=name, options=flatten(opt)))
    sinks.append(JsonLinesSink(folder / METRICS_FILE, resume_at=progress.images_seen))
    history = read_history(folder / METRICS_FILE)
    sinks += [ConsoleSink(total_epochs=opt.optim.last_epoch), LossLogSink(folder / "loss_log.txt")]
    if not log.no_html:
        sinks.append(
            HtmlSink(
                folder / "web",
                name=name,
                update_html_freq=log.update_html_freq,
                display_winsize=log.display_winsize,
                history=history,
            )
        )
    if log.display_id > 0:
        sinks.append(
            VisdomSink(
                server=log.display_server,
                port=log.display_port,
                env=log.display_env or name,
                name=name,
                ncols=log.display_ncols,
                window_id=log.display_id,
                history=history,
            )
        )
    return sinks
