"""What lies in a run folder, ours or the official code's: stored options and network weights."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from models.base import TranslationModel
from networks.recognise import recognise_generator
from options.errors import UserError
from options.stored import read_options
from util.checkpoint import STATE_FILE, load_file, load_weights, prefix_of, save_file, weights_path
from util.legacy import without_instance_norm_buffers

log = logging.getLogger(__name__)


def stored_options(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options a run was trained with, or what its generator's file shows of them.

    Args:
        run: the flags that name a run: checkpoints_dir, name, epoch, load_iter, model_suffix.

    Raises:
        UserError: the folder is missing, or its files are damaged.
    """
    folder = Path(run["checkpoints_dir"], run["name"])
    if not folder.is_dir():
        raise UserError(f"there is no run {folder}; check --name and --checkpoints_dir")
    described = read_options(folder)
    if (folder / STATE_FILE).exists() and (run.get("continue_train") or not described):
        state = load_file(folder / STATE_FILE)  # holds the options of the weights in it
        described = state.get("options", described) if isinstance(state, dict) else described
    if described:
        return described
    prefix = prefix_of(run["epoch"], run["load_iter"])
    names = (f"G{run['model_suffix']}",) if run["model_suffix"] else ("G", "G_A")
    for path in (weights_path(folder, prefix, name) for name in names):
        if path.exists():
            weights = load_weights(path)
            try:
                found = recognise_generator(weights)
            except UserError as error:
                raise UserError(f"{path}: {error}") from error
            log.info("%s holds %s", path, ", ".join(f"{key} {value}" for key, value in found.items()))
            return found
    return {}


def save_networks(model: TranslationModel[Any], folder: Path, prefix: str) -> None:
    """Write one official file per network."""
    for name, net in model.networks.items():
        weights = {key: value.detach().cpu() for key, value in net.state_dict().items()}
        save_file(weights, weights_path(folder, prefix, name))


def load_networks(model: TranslationModel[Any], folder: Path, prefix: str) -> None:
    """Fill a model from official files.

    In training a missing discriminator starts fresh, because published models come without.

    Raises:
        UserError: a generator's file is missing, or a file is damaged or fits another network.
    """
    for name, net in model.networks.items():
        candidates = [weights_path(folder, prefix, alias) for alias in model.file_names(name)]
        path = next((path for path in candidates if path.exists()), candidates[0])
        if not path.exists() and name.startswith("D"):
            log.warning("there is no %s; network %s starts fresh", path, name)
            continue
        log.info("loading the model from %s", path)
        fill(net, load_weights(path), source=str(path), flags=describe(model, name))


def fill(net: nn.Module, weights: Mapping[str, Tensor], *, source: str, flags: str) -> None:
    """Copy weights into a network, all of them.

    Args:
        source: the file, for the message.
        flags: the command-line flags that built the network, for the message.

    Raises:
        UserError: a key is missing or left over, or a shape differs.
    """
    weights = without_instance_norm_buffers(weights, net)
    own = net.state_dict()
    missing = [key for key in own if key not in weights]
    extra = [key for key in weights if key not in own]
    shapes = [key for key in own if key in weights and own[key].shape != weights[key].shape]
    if not (missing or extra or shapes):
        net.load_state_dict(weights)
        return
    told = [f"{kind} {keys[0]}" for kind, keys in (("lacks", missing), ("has also", extra)) if keys]
    if shapes:
        key = shapes[0]
        told.append(f"has {key} of shape {tuple(weights[key].shape)} instead of {tuple(own[key].shape)}")
    raise UserError(f"{source} does not fit the network built by {flags}: it {', '.join(told)}{_advice(weights)}")


def describe(model: TranslationModel[Any], network: str) -> str:
    """Return the flags that shape a network, as typed."""
    net = model.opt.net
    if network.startswith("D"):
        return f"--netD {net.netD} --n_layers_D {net.n_layers_D} --norm {net.norm} --ndf {net.ndf}"
    dropout = " --no_dropout" if net.no_dropout else ""
    return f"--netG {net.netG} --norm {net.norm} --ngf {net.ngf}{dropout}"


def _advice(weights: Mapping[str, Tensor]) -> str:
    """Name the flags that would fit, where the file is a generator's."""
    try:
        found = recognise_generator(weights)
    except UserError:
        return ""
    dropout = {True: " --no_dropout", False: " --dropout", None: ""}[found.pop("no_dropout", None)]
    return "; pass " + " ".join(f"--{name} {value}" for name, value in found.items()) + dropout
