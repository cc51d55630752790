"""What a bare generator file holds, read from its keys and shapes.

A U-Net's dropout leaves no trace in its file and is not reported; nor is the norm of the discriminators.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from options.errors import UserError

Weights = Mapping[str, Tensor]
LEARNED = ".parametrizations.weight.original"  # what ``networks.spectral`` makes of ``.weight``
HALVINGS = 5  # of the smallest encoder-decoder


def recognise_generator(weights: Weights) -> dict[str, Any]:
    """Return the flags that build the generator these weights fit.

    Args:
        weights: a ``state_dict`` with official keys, or those of our own generators.

    Returns:
        ``netG, input_nc, output_nc, ngf``; ``norm`` and ``no_dropout`` where they show; ``upsampling`` and
        ``spectral_norm`` where they are not the usual ones.

    Raises:
        UserError: it is no generator of the table.
    """
    plain = {key.replace(LEARNED, ".weight"): value for key, value in weights.items()}
    try:
        if found := next((read(plain) for fits, read in _KINDS if fits(plain)), None):
            return found | ({"spectral_norm": "GD"} if any(LEARNED in key for key in weights) else {})
    except (KeyError, IndexError) as error:
        raise UserError(f"this file of a generator is not complete: it lacks {error}") from error
    some = ", ".join(list(weights)[:3])
    raise UserError(f"this is not the file of a known generator (its first keys: {some})")


def _johnson(weights: Weights) -> dict[str, Any]:
    found = _of_blocks(weights, "johnson", behind=6, second=4)
    return found | {"ngf": 2 * found["ngf"]}


def _adalin(weights: Weights) -> dict[str, Any]:
    found = _of_blocks(weights, "adalin", behind=9, second=6)
    return {name: value for name, value in found.items() if name not in ("norm", "upsampling")}  # which have no say


def _of_blocks(weights: Weights, family: str, *, behind: int, second: int) -> dict[str, Any]:
    """Return the flags of a generator of residual blocks.

    Args:
        behind: how many layers behind the last block the last convolution is.
        second: place in a block of the second convolution, unless dropout pushes it back.
    """
    indices = {int(match[1]) for key in weights if (match := re.match(r"model\.(\d+)\.conv_block\.", key))}
    blocks, first = len(indices), min(indices)
    last = weights[f"model.{first + blocks + behind}.weight"]
    resized = f"model.{first + blocks}.2.weight" in weights  # the first layer that doubles maps
    return {
        "netG": f"{family}_{blocks}blocks",
        "norm": _norm(weights, norm_key="model.2", conv_key="model.1"),
        "no_dropout": not _is_convolution(weights, f"model.{first}.conv_block.{second}"),
        "ngf": last.shape[1],
        "input_nc": weights["model.1.weight"].shape[1],
        "output_nc": last.shape[0],
        **({"upsampling": "resize"} if resized else {}),
    }


def _unet(weights: Weights) -> dict[str, Any]:
    depth = max(key.count("model.") for key in weights) - 1
    level2, resized = "model.model.1.model", weights.get("model.model.3.2.weight")
    found = {
        "netG": f"unet_{2**depth}",
        "norm": _norm(weights, norm_key=f"{level2}.2", conv_key=f"{level2}.1"),
        "input_nc": weights["model.model.0.weight"].shape[1],
        "output_nc": weights["model.model.3.weight"].shape[1] if resized is None else resized.shape[0],
        "ngf": weights["model.model.0.weight"].shape[0],
    }
    return found if resized is None else {**found, "upsampling": "resize"}


def _encdec(weights: Weights) -> dict[str, Any]:
    *_, last = _row(weights)
    downs, resized = len(_row(weights)) // 2, last.endswith(".2")
    found = {
        "netG": f"encdec_{2**downs}",
        "norm": _norm(weights, norm_key="model.3", conv_key="model.2"),
        "input_nc": weights["model.0.weight"].shape[1],
        "output_nc": weights[f"{last}.weight"].shape[0 if resized else 1],
        "ngf": weights["model.0.weight"].shape[0],
    }
    if downs > HALVINGS:  # otherwise it has no dropout
        found["no_dropout"] = int(last.split(".")[1]) == 6 * (downs - 1) + 1  # which dropout would push back
    return {**found, "upsampling": "resize"} if resized else found


def _is_encdec(weights: Weights) -> bool:
    """Tell an encoder-decoder from a patch discriminator, which is also a row of convolutions."""
    row = _row(weights)
    if "model.0.weight" not in weights or len(row) % 2 or len(row) < 2 * HALVINGS:
        return False
    before = weights[f"{row[-2]}.weight"]  # of the last doubling but one: from twice as many channels
    return row[-2].endswith(".2") or before.shape[0] == 2 * before.shape[1]


def _row(weights: Weights) -> list[str]:
    """Return the names of the convolutions of a plain row of layers, in order."""
    found = (match[1] for key in weights if (match := re.fullmatch(r"(model\.\d+(\.2)?)\.weight", key)))
    convolutions = [name for name in found if _is_convolution(weights, name)]
    return sorted(convolutions, key=lambda name: int(name.split(".")[1]))


def _is_convolution(weights: Weights, name: str) -> bool:
    weight = weights.get(f"{name}.weight")
    return weight is not None and weight.ndim == 4


def _norm(weights: Weights, *, norm_key: str, conv_key: str) -> str:
    """Tell the norm from its own keys and from the bias of the convolution before it."""
    if f"{norm_key}.weight" in weights:
        return "batch"
    return "instance" if f"{conv_key}.bias" in weights else "none"


def _is_resnet(weights: Weights) -> bool:
    return "model.1.weight" in weights and any(".conv_block." in key for key in weights)


_KINDS: tuple[tuple[Callable[[Weights], bool], Callable[[Weights], dict[str, Any]]], ...] = (
    (lambda weights: any(key.endswith(".first_norm.rho") for key in weights), _adalin),
    (lambda weights: _is_resnet(weights) and weights["model.1.weight"].shape[-1] == 9, _johnson),
    (_is_resnet, lambda weights: _of_blocks(weights, "resnet", behind=7, second=6)),
    (lambda weights: "model.model.0.weight" in weights, _unet),
    (_is_encdec, _encdec),
)
