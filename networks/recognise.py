"""What a bare generator file holds, read from its keys and shapes.

A U-Net's dropout leaves no trace in its file and is not reported.
"""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from options.errors import UserError


def recognise_generator(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return the flags that build the generator these weights fit.

    Args:
        weights: a ``state_dict`` with official keys.

    Returns:
        ``netG, norm, input_nc, output_nc, ngf`` and, for a ResNet, ``no_dropout``.

    Raises:
        UserError: it is neither a ResNet nor a U-Net generator.
    """
    try:
        if "model.model.0.weight" in weights:
            return _unet(weights)
        if "model.1.weight" in weights and any(".conv_block." in key for key in weights):
            return _resnet(weights)
    except (KeyError, IndexError) as error:
        raise UserError(f"this file of a generator is not complete: it lacks {error}") from error
    some = ", ".join(list(weights)[:3])
    raise UserError(f"this is not the file of a ResNet or U-Net generator (its first keys: {some})")


def _resnet(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    blocks = {match[1] for key in weights if (match := re.match(r"model\.(\d+)\.conv_block\.", key))}
    first = min(int(index) for index in blocks)
    shifted = weights.get(f"model.{first}.conv_block.6.weight")  # dropout pushes the 2nd convolution here
    last = weights[f"model.{first + len(blocks) + 7}.weight"]
    return {
        "netG": f"resnet_{len(blocks)}blocks",
        "norm": _norm(weights, norm_key="model.2", conv_key="model.1"),
        "no_dropout": shifted is None or shifted.ndim != 4,
        "input_nc": weights["model.1.weight"].shape[1],
        "output_nc": last.shape[0],
        "ngf": last.shape[1],
    }


def _unet(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    depth = max(key.count("model.") for key in weights) - 1
    level2 = "model.model.1.model"
    return {
        "netG": f"unet_{2**depth}",
        "norm": _norm(weights, norm_key=f"{level2}.2", conv_key=f"{level2}.1"),
        "input_nc": weights["model.model.0.weight"].shape[1],
        "output_nc": weights["model.model.3.weight"].shape[1],
        "ngf": weights["model.model.0.weight"].shape[0],
    }


def _norm(weights: Mapping[str, Tensor], *, norm_key: str, conv_key: str) -> str:
    """Tell the norm from its own keys and from the bias of the convolution before it."""
    if f"{norm_key}.weight" in weights:
        return "batch"
    return "instance" if f"{conv_key}.bias" in weights else "none"
