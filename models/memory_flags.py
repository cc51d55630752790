"""What ``--accumulate`` and ``--memory`` need beside them."""

from collections.abc import Mapping
from typing import Any

from networks.generators import has_blocks
from options.errors import UserError


def check_memory_flags(values: Mapping[str, Any], *, has_pieces: bool) -> None:
    """Refuse to split what cannot be split.

    Args:
        values: all flags, resolved; in a test those of a training are missing.
        has_pieces: whether the model's forward can be taken apart.

    Raises:
        UserError: naming the flag and what to do.
    """
    accumulate, memory, model = values.get("accumulate", 1), values.get("memory", "normal"), values["model"]
    if accumulate > max(1, values["batch_size"]):
        raise UserError(
            f"--accumulate {accumulate} is more than --batch_size {values['batch_size']}, and a part needs an image; "
            "raise --batch_size, or lower --accumulate"
        )
    if memory == "low" and not has_pieces:
        raise UserError(
            f"--memory low has no effect on --model {model}, whose losses share one pass; leave it out, or split the "
            "batch with --accumulate"
        )
    if memory == "lowest" and not has_blocks(values["netG"]):
        instead = "pass --memory low" if has_pieces else "leave it out, or split the batch with --accumulate"
        raise UserError(
            f"--memory lowest computes residual blocks a second time, and --netG {values['netG']} has none; {instead}"
        )
    if memory == "lowest" and values["compile"] != "off":
        raise UserError(f"--memory lowest cannot be combined with --compile {values['compile']}; pass --compile off")
