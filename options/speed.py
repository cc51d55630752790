"""The flags of how fast and how exactly the networks are computed, as a frozen dataclass."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from options.flag import Settings, flag

_run = partial(flag, scope="run")  # a test chooses anew


@dataclass(frozen=True, kw_only=True)
class SpeedOptions(Settings):
    """Speed.

    How exactly the networks are computed, and how fast.
    """

    precision: Literal["auto", "fp32", "mixed", "tf32", "bf16", "fp16"] = _run(
        "auto",
        "numbers of the networks. auto is tf32 on GPUs and mixed on CPUs that have it, else fp32, the reference. bf16 "
        "is faster still; mixed goes forward in float32 and back in bfloat16, on CPUs; fp16 is for GPUs without bf16",
    )
    fast_layers: Literal["auto", "on", "off"] = _run(
        "auto",
        "layers that take fewer multiplications and less memory. auto is on for CPUs with --precision auto, mixed and "
        "bf16, without --compile; on for NVIDIA GPUs puts instance norm, rectifier and residual into one",
    )
    compile: Literal["off", "nets", "step"] = _run(
        "off",
        "compile the networks, or the whole step. nets takes a minute at the start and is faster then; step also "
        "records the training step and repeats it, on an NVIDIA GPU: for small images and networks",
    )
    channels_last: Literal["auto", "on", "off"] = _run(
        "auto",
        "layout of images in memory. auto is on with --compile nets and for bf16 on GPUs; off where it is slower",
    )
