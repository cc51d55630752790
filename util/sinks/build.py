"""The sinks that the flags ask for."""

import copy
import importlib.util
import sys

from options.errors import UserError
from options.schema import Options
from options.stored import flatten
from util.dashboard.address import environment_name, parse_address
from util.dashboard.saved import read_images, read_sheets
from util.dashboard.sink import VisdomSink
from util.dashboard.status import RunInfo
from util.dashboard.windows import Layout
from util.health import Health
from util.progress import Progress
from util.run_folder import METRICS_FILE, WANDB_RUN_FILE, run_folder
from util.sinks import Sink
from util.sinks.console import ConsoleSink
from util.sinks.health import HealthSink
from util.sinks.history import History
from util.sinks.html import HtmlSink
from util.sinks.jsonl import JsonLinesSink, read_events
from util.sinks.loss_log import LossLogSink
from util.sinks.tensorboard import TensorBoardSink
from util.sinks.wandb import WandbSink


def refuse_unusable(opt: Options) -> None:
    """Look at the flags of the sinks before anything is touched.

    Raises:
        UserError: a package that one needs is not installed, or the dashboard's address is none.
    """
    for package, wanted in (("wandb", opt.run.use_wandb), ("tensorboard", opt.log.use_tensorboard)):
        if wanted and package not in sys.modules and importlib.util.find_spec(package) is None:
            raise UserError(f"--use_{package} needs the {package} package; type: pip install {package}")
    if opt.log.display_id > 0:
        parse_address(opt.log.display_server, opt.log.display_port)


def build_sinks(opt: Options, progress: Progress) -> list[Sink]:
    """Open every destination of a training, going on from ``progress``."""
    log, name, folder = opt.log, opt.run.name, run_folder(opt)
    sinks: list[Sink] = []
    if opt.run.use_wandb:
        sinks.append(
            WandbSink(
                project=opt.run.wandb_project_name,
                name=name,
                options=flatten(opt),
                id_file=folder / WANDB_RUN_FILE,
                resume_at=progress.images_seen,
            )
        )
    if log.use_tensorboard:
        sinks.append(TensorBoardSink(folder / "tensorboard", resume_at=progress.images_seen))
    sinks.append(JsonLinesSink(folder / METRICS_FILE, resume_at=progress.images_seen))
    history, health = History(), Health(num_threads=opt.data.num_threads)
    for event in read_events(folder / METRICS_FILE):
        history.add(event)
        health.add(event)
    health.begin()
    sinks += [ConsoleSink(total_epochs=opt.optim.last_epoch, quiet=opt.run.quiet), LossLogSink(folder / "loss_log.txt")]
    sinks.append(HealthSink(copy.deepcopy(health)))
    if not log.no_html:
        sinks.append(
            HtmlSink(
                folder / "web",
                name=name,
                update_html_freq=log.update_html_freq,
                display_winsize=log.display_winsize,
                history=history.copy(),
                last_epoch=_last_epoch(progress),
            )
        )
    if log.display_id > 0:
        sinks.append(_dashboard(opt, progress, history, health))
    return sinks


def _dashboard(opt: Options, progress: Progress, history: History, health: Health) -> VisdomSink:
    log, folder = opt.log, run_folder(opt)
    info = RunInfo(opt.run.name, folder, opt.run.model, opt.optim.last_epoch, opt.optim.gan_mode)
    epoch, images_seen = _last_epoch(progress), progress.images_seen
    return VisdomSink(
        info,
        parse_address(log.display_server, log.display_port),
        env=environment_name(log.display_env or opt.run.name),
        layout=Layout(log.display_id, f"{opt.run.name}: " if log.display_env else "", log.display_ncols),
        history=history,
        health=health,
        images=read_images(folder, last_epoch=epoch, images_seen=images_seen),
        sheets=read_sheets(folder, last_epoch=epoch) if log.display_samples else None,
        stop_server=log.display_stop_server,
    )


def _last_epoch(progress: Progress) -> int:
    """Return the last epoch of which something is trained; images of later ones are of a part that is lost."""
    return progress.epoch if progress.seen_in_epoch else progress.epoch - 1
