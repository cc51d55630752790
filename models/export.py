"""Trained generators as files for other programs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.trained_run import network_flags
from options.errors import UserError
from options.stored import read_options
from util.checkpoint import AVERAGED, load_weights
from util.safetensors_file import write_safetensors

PREPARATION = ("model", "direction", "preprocess", "load_size", "crop_size")  # how a picture reaches the network
RANGES = ("value_range", "value_range_A", "value_range_B")


def export_generators(run: Path, prefix: str, output: Path, *, ema: float | None = None) -> Iterator[Path]:
    """Write each generator of a run as ``<prefix>_net_<G...>.safetensors``; yield the paths.

    The metadata say which flags build the network and how it was fed.

    Args:
        prefix: ``latest``, an epoch number, ``iter_<N>`` ...
        ema: above 0 for averaged weights, whose file names end in ``_ema``; 0 for raw ones; None for those that a
            test of the run would take.

    Raises:
        UserError: there is no such run or no such file, or one is damaged.
        OSError: a file cannot be written.
    """
    options = read_options(run)
    averaged = float(options.get("ema", 0) if ema is None else ema) > 0
    files = _generator_files(run, prefix, averaged=averaged)
    output.mkdir(parents=True, exist_ok=True)
    for file in files:
        network = file.stem.removeprefix(f"{prefix}_net_").removesuffix(AVERAGED)
        described: dict[str, Any] = {"network": network, "weights": "averaged" if averaged else "raw"}
        described |= {key: options[key] for key in (*PREPARATION, *RANGES, "no_dropout") if key in options}
        described |= network_flags(file)
        metadata = {"format": "pt", **{key: _text(value) for key, value in described.items()}}
        path = output / f"{file.stem}.safetensors"
        write_safetensors(load_weights(file), path, metadata)
        yield path


def _generator_files(run: Path, prefix: str, *, averaged: bool) -> list[Path]:
    pattern = f"{prefix}_net_G*{AVERAGED if averaged else ''}.pth"
    files = sorted(path for path in run.glob(pattern) if path.stem.endswith(AVERAGED) == averaged)
    if not files:
        advice = "check --name, --checkpoints_dir and --epoch"
        raise UserError(f"there is no {run / pattern}; {advice}{', or pass --ema 0 for raw weights' * averaged}")
    return files


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
