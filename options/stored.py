"""The options of a command on record: as text, and as JSON that later commands read."""

import dataclasses
import json
import logging
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from options.errors import UserError
from options.schema import TEST_TABLES, TRAIN_TABLES, Options

log = logging.getLogger(__name__)

OPTIONS_FILE = "train_opt.json"


def flatten(opt: Options) -> dict[str, Any]:
    """Return all flags of the command that ``opt`` came from, in one table, as plain values."""
    topics, nested = TRAIN_TABLES if opt.is_train else TEST_TABLES, dataclasses.asdict(opt)
    return {name: value for topic in (*topics, "own", "dataset") for name, value in nested[topic].items()}


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
