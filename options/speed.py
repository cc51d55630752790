"""The flags of how fast and how exactly the networks are computed, as a frozen dataclass."""

from dataclasses import dataclass
from typing import Literal

from options.flag import flag


@dataclass(frozen=True, kw_only=True)
class SpeedOptions:
    """How it is computed."""

    precision: Literal["auto", "fp32", "tf32", "bf16"] = flag(
        "auto", "numbers of the networks: fp32 is the reference; auto is tf32 on GPUs that have it, else fp32"
    )
    compile: Literal["off", "nets"] = flag("off", "nets: compile the networks (a minute at the start, then faster)")
    channels_last: Literal["auto", "on", "off"] = flag(
        "auto", "layout of images in memory: auto is on with --compile nets and for bf16 on GPUs"
    )
