"""Weights as safetensors: a format without code that other programs read.

It has no checksum of its own, so one is put among the metadata and, where it is there, verified.
"""

import zlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from options.errors import UserError
from util.files import whole_file

CHECKSUM = "crc32"


def write_safetensors(weights: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str]) -> None:
    """Write weights and what is to be known of them, whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    plain = {key: tensor.detach().cpu().contiguous() for key, tensor in weights.items()}
    described = {**metadata, CHECKSUM: _checksum(plain, metadata)}
    with whole_file(path) as file:
        file.write(save(plain, metadata=described))


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the weights, on the CPU, and the metadata but the checksum.

    Raises:
        UserError: the file is missing, damaged or of another kind.
    """
    if not path.is_file():
        raise UserError(f"there is no file {path}; check the path")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # not a mapping
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is no whole safetensors file ({error}); restore it from a copy") from error
    found = metadata.pop(CHECKSUM, None)
    if found and found != _checksum(weights, metadata):
        raise UserError(f"{path} is damaged: its checksum does not fit; restore it from a copy")
    return weights, metadata


def _checksum(weights: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """Return one number for names, types, shapes, values and what is said of them."""
    total = zlib.crc32(repr(sorted(metadata.items())).encode())
    for key, tensor in sorted(weights.items()):
        total = zlib.crc32(f"{key} {tensor.dtype} {tuple(tensor.shape)}".encode(), total)
        total = zlib.crc32(tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes(), total)
    return f"{total:08x}"
