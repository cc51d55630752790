"""What a run's stored options mean to a later command: the layer between defaults and command line."""

import dataclasses
import json
import logging
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from options.errors import UserError
from options.schema import NetOptions, Options

log = logging.getLogger(__name__)

OPTIONS_FILE = "train_opt.json"

# What a resume does not take over: it says which run and how this one starts, not what it is.
NOT_RESUMED = {
    "continue_train",
    "resume",
    "overwrite",
    "name",
    "suffix",
    "checkpoints_dir",
    "epoch",
    "load_iter",
    "epoch_count",
    "verbose",
    "quiet",
}

# What test.py takes over whatever model translates: the networks and how an image reaches them.
FOR_EVERY_TEST = {f.name for f in dataclasses.fields(NetOptions)} | {"direction", "preprocess", "crop_size", "ema"}
FOR_EVERY_TEST |= {f"{flag}{side}" for flag in ("value_range", "interpolation") for side in ("", "_A", "_B")}

# What test.py does not take over even when the model is the run's own.
TRAINING_ONLY = {
    "phase",
    "batch_size",
    "num_threads",
    "serial_batches",
    "no_flip",
    "max_dataset_size",
    "seed",
    "augment",
    "augment_input",
    "on_bad_image",
    "no_data_check",
    "cache",
    "fast_layers",
    "cache_gb",
    "cache_dir",
    "precision",
    "compile",
    "channels_last",
}
TRAINING_ONLY |= {"gpu_ids", "device", "load_size", "use_wandb", "display_winsize"} | NOT_RESUMED

# Random crops are for training; at test the whole image is translated.
UNCROPPED = {
    "scale_width_and_crop": "scale_width",
    "scale_shortside_and_crop": "scale_shortside",
    "crop": "none",
    "pad_and_crop": "keep",
}


def relevant(stored: Mapping[str, Any], *, given_model: str | None, is_train: bool) -> dict[str, Any]:
    """Keep the stored options that the next command should start from.

    Args:
        stored: flag -> value as written by the run; empty when there is none.
        given_model: ``--model`` of the command line, if any.
        is_train: True for a resume, False for ``test.py``.
    """
    if is_train:
        return {name: value for name, value in stored.items() if name not in NOT_RESUMED}
    same_model = given_model is None or given_model == stored.get("model")
    kept = {
        name: value
        for name, value in stored.items()
        if name in FOR_EVERY_TEST or (same_model and name not in TRAINING_ONLY)
    }
    preprocess = stored.get("preprocess")
    if str(preprocess).startswith("scale_"):
        kept["load_size"] = stored["load_size"]
    if preprocess in UNCROPPED:
        kept["preprocess"] = UNCROPPED[preprocess]
    return kept


def flatten(opt: Options) -> dict[str, Any]:
    """Return all flags of the command that ``opt`` came from, in one table, as plain values."""
    groups = Options.TRAIN_GROUPS if opt.is_train else Options.TEST_GROUPS
    tables = [getattr(opt, name) for name in groups] + [opt.own, opt.dataset]
    return {name: value for table in tables for name, value in dataclasses.asdict(table).items()}


def as_json(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Replace infinity, which JSON lacks, by the text that the flag accepts."""
    return {name: "inf" if value == math.inf else value for name, value in flat.items()}


def as_text(flat: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Lay the options out as in the official ``train_opt.txt``."""
    lines = ["----------------- Options ---------------"]
    for name, value in sorted(flat.items()):
        changed = f"\t[default: {defaults[name]}]" if name in defaults and value != defaults[name] else ""
        lines.append(f"{name:>25}: {value!s:<30}{changed}")
    return "\n".join([*lines, "----------------- End -------------------"])


def write_options(opt: Options, folder: Path) -> str:
    """Write the options of a command to the run folder and return them as text.

    ``train_opt.txt`` and the JSON that later commands read are written by a training; a test writes
    ``<phase>_opt.txt``, where it may.
    """
    flat = flatten(opt)
    text = as_text(flat, opt.defaults)
    if opt.is_train:
        _replace(folder / OPTIONS_FILE, json.dumps(as_json(flat), indent=2, sort_keys=True))
        _replace(folder / "train_opt.txt", text)
    elif opt.data.phase != "train":
        try:
            _replace(folder / f"{opt.data.phase}_opt.txt", text)
        except OSError as error:
            log.warning("the options of this test are not recorded in %s (%s)", folder, error.strerror)
    return text


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def read_options(folder: Path) -> dict[str, Any]:
    """Return the options that a training stored, or nothing if it stored none.

    Raises:
        UserError: the file is there but unreadable.
    """
    path = folder / OPTIONS_FILE
    if not path.exists():
        return {}
    try:
        options = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read the run's options in {path} ({error}); repair or remove the file") from error
    if not isinstance(options, dict):
        raise UserError(f"{path} holds no table of options; repair or remove the file")
    return options
