"""What lies in a run folder, ours or the official code's: stored options and network weights."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from models.base import TranslationModel
from models.state import has_state, read_state
from networks.legacy import without_instance_norm_buffers
from networks.recognise import recognise_generator
from options.errors import UserError
from options.schema import NetOptions
from options.stored import OPTIONS_FILE, read_options
from util.checkpoint import AVERAGED, existing_weights, load_weights, prefix_of, weights_path
from util.safetensors_file import read_safetensors

log = logging.getLogger(__name__)

ARCHITECTURE = {f.name for f in dataclasses.fields(NetOptions)} - {"init_type", "init_gain"}


def stored_options(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options a run was trained with, or what its generator's file shows of them.

    Args:
        run: the flags that name a run: checkpoints_dir, name, epoch, load_iter, model_suffix; in training also
            continue_train, without which (``--resume auto``) a run that has no state yet has no options.

    Raises:
        UserError: the folder is missing, or its files are damaged.
    """
    folder = Path(run["checkpoints_dir"], run["name"])
    prefix, has_saved = prefix_of(run["epoch"], run["load_iter"]), has_state(folder)
    if not run.get("continue_train", True) and not has_saved:
        return {}
    if not folder.is_dir():
        raise UserError(f"there is no run {folder}; check --name and --checkpoints_dir")
    if has_saved and "continue_train" in run and prefix == "latest":
        return dict(read_state(folder).state["options"])  # the options of the weights in it
    if described := read_options(folder) or (dict(read_state(folder).state["options"]) if has_saved else {}):
        return described
    return _recognised(folder, prefix, generator_files(run["model_suffix"]))


def generator_files(suffix: str = "") -> tuple[str, ...]:
    """Return the names under which the generator of one direction may lie in a run folder, best first.

    Args:
        suffix: of ``--model_suffix``; without one G, or else a CycleGAN's G_A.
    """
    return (f"G{suffix}",) if suffix else ("G", "G_A")


def is_run(folder: Path) -> bool:
    """Tell whether a training, ours or the official one, has left a generator in a folder."""
    return folder.is_dir() and (has_state(folder) or (folder / OPTIONS_FILE).exists() or any(folder.glob("*_net_G*")))


def stored_networks(folder: Path) -> Mapping[str, Any]:
    """Return the flags that build the networks of a run."""
    described = read_options(folder) or (read_state(folder).state["options"] if has_state(folder) else {})
    if described:
        return {name: value for name, value in described.items() if name in ARCHITECTURE}
    return _recognised(folder, "latest", generator_files())


def _recognised(folder: Path, prefix: str, names: Sequence[str]) -> dict[str, Any]:
    """Return the flags of the first generator that has a file, of raw weights or of averaged ones."""
    paths = (_weights_of(folder, prefix, names, suffix) for suffix in ("", AVERAGED))
    return next((network_flags(path) for path in paths if path.exists()), {})


def network_flags(path: Path) -> dict[str, Any]:
    """Return the flags that build the generator whose weights lie in a file.

    Raises:
        UserError: the file is damaged, or holds no generator of ours.
    """
    weights = load_weights(path)
    try:
        found = recognise_generator(weights)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    if path.suffix == ".safetensors":  # its metadata know a U-Net's dropout as well
        known = read_safetensors(path)[1].get("no_dropout")
        found |= {"no_dropout": known == "true"} if known else {}
    log.info("%s holds %s", path, ", ".join(f"{key} {value}" for key, value in found.items()))
    return found


def load_networks(model: TranslationModel[Any], folder: Path, prefix: str, *, averaged: bool = False) -> None:
    """Fill a model from official files.

    In training what is missing beside generators starts fresh, because published models come without.

    Args:
        averaged: take the generators' averaged weights, which a run with ``--ema`` has.

    Raises:
        UserError: a generator's file is missing, or a file is damaged or fits another network.
    """
    for name, net in model.networks.items():
        suffixes = (AVERAGED, "") if averaged and name.startswith("G") else ("", AVERAGED)
        path, other = (_weights_of(folder, prefix, model.file_names(name), suffix) for suffix in suffixes)
        if not path.exists() and model.is_train and not name.startswith("G"):
            log.warning("there is no %s; network %s starts fresh", path, name)
            continue
        if not path.exists() and other.exists() and not model.is_train:
            raise UserError(_only_the_other(path, other, averaged=averaged))
        kinds = ("averaged", "raw") if averaged else ("raw", "averaged")
        note = f": the {kinds[0]} weights; {other.name} holds the {kinds[1]} ones" if other.exists() else ""
        log.info("loading the model from %s%s", path, note)
        fill(net, load_weights(path), source=str(path), flags=describe(model, name))


def _weights_of(folder: Path, prefix: str, names: Sequence[str], suffix: str) -> Path:
    """Return the file of the first network that has one; where none has, the path of the first."""
    found = (path for name in names if (path := existing_weights(folder, prefix, name + suffix)))
    return next(found, weights_path(folder, prefix, names[0] + suffix))


def _only_the_other(path: Path, other: Path, *, averaged: bool) -> str:
    """Say how to take the kind of weights that there is."""
    if averaged:
        return f"there is no {path}, the averaged weights of --ema; pass --ema 0 for the raw ones, {other.name}"
    return f"there is no {path}, but the averaged weights {other.name}; pass --ema 0.999 for these"


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
        judge, spectral = net.discriminator, net.spectral_norm != "none"
        text = f"--netD {judge.name} --n_layers_D {judge.layers} --norm {net.norm} --ndf {net.ndf}"
        more = {f"--num_D {net.num_D}": net.num_D > 1, f"--spectral_norm {net.spectral_norm}": spectral}
    elif not network.startswith("G"):
        return f"the flags of --model {model.opt.run.model} and by --netG {net.netG} --ngf {net.ngf}"
    else:
        text = f"--netG {net.netG} --norm {net.norm} --ngf {net.ngf}"
        more = {"--no_dropout": net.no_dropout, "--upsampling resize": net.upsampling == "resize"}
        more |= {"--spectral_norm GD": net.spectral_norm == "GD"}
    return " ".join([text, *(words for words, holds in more.items() if holds)])


def _advice(weights: Mapping[str, Tensor]) -> str:
    """Name the flags that would fit, where the file is a generator's."""
    try:
        found = recognise_generator(weights)
    except UserError:
        return ""
    dropout = {True: " --no_dropout", False: " --dropout", None: ""}[found.pop("no_dropout", None)]
    return "; pass " + " ".join(f"--{name} {value}" for name, value in found.items()) + dropout
