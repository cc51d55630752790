"""Trained generators as files for other programs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.trained_run import network_flags
from options.errors import UserError
from options.stored import read_options
from util.checkpoint import load_weights
from util.safetensors_file import write_safetensors

PREPARATION = ("model", "direction", "preprocess", "load_size", "crop_size")  # how a picture reaches the network


def export_generators(run: Path, prefix: str, output: Path) -> Iterator[Path]:
    """Write each generator of a run as ``<prefix>_net_<G...>.safetensors``; yield the paths.

    The metadata say which flags build the network and how it was fed.

    Args:
        prefix: ``latest``, an epoch number, ``iter_<N>`` ...

    Raises:
        UserError: there is no such run or no such file, or one is damaged.
        OSError: a file cannot be written.
    """
    files = sorted(run.glob(f"{prefix}_net_G*.pth"))
    if not files:
        raise UserError(f"there is no {run / f'{prefix}_net_G*.pth'}; check --name, --checkpoints_dir and --epoch")
    options = read_options(run)
    output.mkdir(parents=True, exist_ok=True)
    for file in files:
        described: dict[str, Any] = {"network": file.stem.removeprefix(f"{prefix}_net_")}
        described |= {key: options[key] for key in (*PREPARATION, "no_dropout") if key in options}
        described |= network_flags(file)
        metadata = {"format": "pt", **{key: _text(value) for key, value in described.items()}}
        path = output / f"{file.stem}.safetensors"
        write_safetensors(load_weights(file), path, metadata)
        yield path


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
