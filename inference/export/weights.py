"""The weights alone as safetensors, a format without code, with what tells how to build and feed the network."""

import os
import secrets
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from inference.direction import Direction
from inference.export.check import Deviation, compare, translated
from inference.export.metadata import describe_network
from models.trained_run import fill
from networks.factory import build_generator
from networks.repeatable import repeatable
from options.schema import NetOptions
from util.checkpoint import load_weights
from util.safetensors_file import read_safetensors, write_safetensors


def write_weights(way: Direction, path: Path) -> Deviation:
    """Write the weights; the file takes its place once a network built of it alone translates as the first does.

    Raises:
        DeviationError: it does not.
        OSError: the file cannot be written.
    """
    metadata = {"format": "pt", **describe_network(way)}
    temporary = path.with_name(f".{secrets.token_hex(8)}.safetensors")
    try:
        write_safetensors(load_weights(way.file), temporary, metadata)
        again = replace(way, network=_rebuilt(temporary))
        deviation = compare(way, partial(translated, again)).checked("fp32")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return deviation


def _rebuilt(path: Path) -> nn.Module:
    """Build the network of a file from what the file says."""
    weights, told = read_safetensors(path)
    more: dict[str, Any] = {"no_dropout": told["no_dropout"] == "true"} if "no_dropout" in told else {}
    more |= {name: told[name] for name in ("norm", "upsampling", "spectral_norm") if name in told}
    flags = NetOptions(netG=told["netG"], ngf=int(told["ngf"]), **more)
    network = build_generator(flags, int(told["input_nc"]), int(told["output_nc"]))
    fill(network, weights, source=str(path), flags=f"--netG {flags.netG} --norm {flags.norm} --ngf {flags.ngf}")
    return repeatable(network)
