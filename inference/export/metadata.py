"""What another program has to know of an exported generator: the same table of strings in every format."""

from typing import Any

import torch

from inference.direction import Direction
from networks.any_size import AnySizeGenerator
from networks.generators import generator_family
from options.data import Range

VERSION = "1"  # of this table
PRODUCER = "CycleGAN and pix2pix in PyTorch"
TRAINING = ("model", "direction", "preprocess", "load_size", "crop_size")
NETWORK = ("netG", "norm", "ngf", "no_dropout", "upsampling", "spectral_norm")
BYTE_RANGE = (0.0, 255.0)
COLORS = {1: "gray", 3: "RGB"}


def describe(way: Direction, precision: str) -> dict[str, str]:
    """Return the metadata of a file that translates images by itself.

    Args:
        precision: of the numbers in the file.
    """
    network = way.network
    assert isinstance(network, AnySizeGenerator)
    sides = f"{network.least} pixels at least" if network.rounds_up else f"multiples of {network.multiple}"
    norms = {"instance": "image", "none": "none"}.get(dict(way.about)["norm"])
    return {
        **describe_network(way),
        "input_name": "image",
        "output_name": "translation",
        "input_channels": "RGB" if way.colorizes else channels(way.input_nc),
        "output_channels": "RGB" if way.colorizes else channels(way.output_nc),
        "padding": f"inside: sides are extended by reflection to {sides}, and cut again; give any height and width",
        "norm_statistics": norms or ("training" if way.running_statistics else "image"),
        "precision": precision,
    }


def describe_network(way: Direction) -> dict[str, str]:
    """Return the metadata of a file of weights, which say how to build and feed the network."""
    about = dict(way.about)
    family, _ = generator_family(way.netG)
    if family == "unet" and "model" not in about:
        about.pop("no_dropout", None)  # its weights do not show it
    known: dict[str, Any] = {key: about[key] for key in (*TRAINING, *NETWORK) if key in about}
    source, target = way.name[0], way.name[-1]
    for side, limits in ((source, way.limits), (target, way.target_limits)):
        known |= {f"value_range_{side}": _pair(limits)} if limits else {}
    known |= {"network": way.generator, "weights": way.weights, "translates": way.name}
    known |= {"input_nc": way.input_nc, "output_nc": way.output_nc, "multiple": way.multiple}
    origin = {"producer": PRODUCER, "made_with": f"PyTorch {torch.__version__}", "metadata_version": VERSION}
    return {key: _text(value) for key, value in known.items()} | _values(way) | origin


def channels(count: int) -> str:
    """Name the channels of an image, in their order."""
    return COLORS.get(count, f"{count} channels, in the order of the training's images")


def _values(way: Direction) -> dict[str, str]:
    """Say how the values of files become those of the network, and back."""
    colors = {"input_channels": channels(way.input_nc), "output_channels": channels(way.output_nc)}
    if way.colorizes:
        colors = {"input_channels": "L / 50 - 1 of CIE Lab", "output_channels": "a / 110 and b / 110 of CIE Lab"}
    network = way.network
    fit = f"extend sides by reflection to multiples of {way.multiple}, half of it before, and cut them again"
    if isinstance(network, AnySizeGenerator) and network.rounds_up:
        fit = f"sides become multiples of {way.multiple}; cut the surplus off at the bottom and the right"
    return {
        "layout": "float32, N x C x H x W",
        "range": "-1,1",
        "input_values": _pair(way.limits or BYTE_RANGE),
        "output_values": _pair(way.target_limits or BYTE_RANGE),
        "to_network": "x = 2 * (value - low) / (high - low) - 1; low and high are input_values",
        "from_network": "value = low + (y + 1) / 2 * (high - low), clipped, rounded; low and high are output_values",
        "padding": fit,
        **colors,
    }


def _pair(limits: Range) -> str:
    return ",".join(str(int(limit)) if limit == int(limit) else repr(limit) for limit in limits)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
