"""The flags of how fast and how exactly the networks are computed, as a frozen dataclass."""

from dataclasses import dataclass
from typing import Literal

from options.flag import flag


@dataclass(frozen=True, kw_only=True)
class SpeedOptions:
    """How it is computed."""

    precision: Literal["auto", "fp32", "mixed", "tf32", "bf16", "fp16"] = flag(
        "auto",
        "numbers of the networks: fp32 is the reference; mixed goes forward in float32 and back in bfloat16, on CPUs; "
        "bf16 does both in bfloat16; auto is tf32 on GPUs and mixed on CPUs that have it, else fp32; fp16 is for GPUs "
        "without bf16",
    )
    fast_layers: Literal["auto", "on", "off"] = flag(
        "auto",
        "on the CPU: layers that take fewer multiplications and less memory; auto is on with --precision auto, mixed "
        "and bf16, without --compile. On NVIDIA GPUs: instance norm, rectifier and residual in one (not by itself)",
    )
    compile: Literal["off", "nets", "step"] = flag(
        "off",
        "nets: compile the networks (a minute at the start, then faster); step: also record the whole training step "
        "and repeat it, on an NVIDIA GPU",
    )
    channels_last: Literal["auto", "on", "off"] = flag(
        "auto", "layout of images in memory: auto is on with --compile nets and for bf16 on GPUs"
    )
