"""Show runs from their folders: finished ones, and those that were trained without a server."""

from pathlib import Path
from typing import Any

from options.errors import UserError
from options.stored import read_options
from util.curves.health import Health
from util.curves.history import History
from util.dashboard import server
from util.dashboard.address import Address, environment_name
from util.dashboard.saved import read_images, read_sheets
from util.dashboard.status import RunInfo
from util.dashboard.windows import Layout, View, Windows
from util.run_folder import METRICS_FILE
from util.sinks.events import read_events

FAR_AHEAD = 10**9  # an epoch that no run reaches


def replay(folder: Path, address: Address, *, env: str, layout: Layout) -> str:
    """Show what lies in a run's folder, and have the server save it; return the address of the page.

    Args:
        env: environment; empty takes the name of the run.

    Raises:
        UserError: there is nothing to show, or the server refuses.
    """
    from util.dashboard.client import Client

    view, info = view_of(folder), info_of(folder)
    name = environment_name(env or info.name)
    try:
        server.start_if_absent(address)
        client = Client(address, name)
        client.open_environment()
        Windows(client, info, layout).show(view, whole=True)
        client.keep()
    except ConnectionError as error:
        raise UserError(
            f"no Visdom server took the run at {address} ({error}); start one: python -m util.dashboard --port "
            f"{address.port}"
        ) from error
    return f"{address}/env/{name}"


def view_of(folder: Path) -> View:
    """Return the dashboard of a run as it ended.

    Raises:
        UserError: the folder holds no reports.
    """
    history, health = History(), Health(num_threads=int(read_options(folder).get("num_threads", 0)))
    for event in read_events(folder / METRICS_FILE):
        history.add(event)
        health.add(event)
    if history.last is None:
        raise UserError(f"there are no reports of a training in {folder / METRICS_FILE}; give the folder of a run")
    signals = [signal.sentence for signal in health.signals()]
    images = read_images(folder, last_epoch=FAR_AHEAD, images_seen=history.last.images_seen)
    return View(history, signals, "", images, read_sheets(folder, last_epoch=FAR_AHEAD), closed=True)


def info_of(folder: Path) -> RunInfo:
    """Return what a run's options say of it."""
    stored: dict[str, Any] = read_options(folder)
    epochs = int(stored.get("n_epochs", 0)) + int(stored.get("n_epochs_decay", 0))
    model, gan_mode = str(stored.get("model", "")), str(stored.get("gan_mode", ""))
    return RunInfo(folder.resolve().name, folder, model, max(1, epochs), gan_mode)
