"""How the networks are computed: in which precision, in which memory layout, by which layers, compiled or not.

The reference is float32, contiguous, not compiled. Everything else is faster and tested against it.
"""

import importlib.util
import logging
import os
import platform
import shutil
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import Tensor, nn

from networks.fast.fused import fuse
from networks.fast.layers import speed_up
from networks.multiscale import Verdict
from options.errors import UserError
from options.speed import SpeedOptions

log = logging.getLogger(__name__)

SHORT = MappingProxyType({"bf16": torch.bfloat16, "fp16": torch.float16})  # precisions of 16 bits
COMPILER = {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++")  # that PyTorch will call
X86 = ("x86_64", "AMD64", "i686")
MOST_VARIANTS = 64  # of compiled code for all networks of a kind: sizes, batches, with and without gradients
PER_SAMPLE = ("instance", "none")  # norms under which the images of a batch do not see each other


@dataclass(frozen=True)
class Compute:
    """What the flags of ``SpeedOptions`` come to on a device.

    Attributes:
        precision: fp32, mixed, tf32, bf16 or fp16.
    """

    device: torch.device
    precision: str = "fp32"
    compiled: bool = False
    channels_last: bool = False
    recorded: bool = False  # whole training steps
    fast_layers: bool = False

    @property
    def is_reference(self) -> bool:
        """True for the plain way, whose bits on the CPU are those of the first version of this project."""
        return self == Compute(self.device)

    @property
    def has_cpu_layers(self) -> bool:
        """True with the CPU's fast layers, which convert numbers for themselves and gain nothing by larger batches."""
        return self.fast_layers and self.device.type == "cpu"

    def forward(self) -> AbstractContextManager[object]:
        """Return what a forward pass runs under; weights are cast once in it, so none may change before it ends."""
        if self.precision not in SHORT or self.has_cpu_layers:
            return nullcontext()
        return torch.autocast(self.device.type, SHORT[self.precision])

    def scaler(self) -> torch.amp.GradScaler:
        """Return what keeps gradients within the range of fp16; elsewhere it changes nothing.

        Every optimizer needs one of its own, because the gradients of a GAN's sides differ in length.
        """
        return torch.amp.GradScaler(self.device.type, enabled=self.precision == "fp16")

    @contextmanager
    def kernels(self) -> Iterator[None]:
        """Choose the GPU's kernels for float32 while the body runs, forward and backward."""
        if self.device.type != "cuda":
            yield
            return
        before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
        torch.backends.cudnn.allow_tf32 = self.precision != "fp32"
        torch.backends.cuda.matmul.allow_tf32 = self.precision != "fp32"
        try:
            yield
        finally:
            torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before

    def place(self, networks: nn.ModuleDict, twice_differentiable: Collection[str] = ()) -> None:
        """Move networks to the device, lay their weights out and compile them; their names and values stay.

        Args:
            twice_differentiable: networks that are to stay so; the fast layers are not.
        """
        networks.to(self.device)
        if self.compiled:
            torch._dynamo.config.recompile_limit = MOST_VARIANTS
        for name, network in networks.items():
            if self.has_cpu_layers and name not in twice_differentiable:
                short = torch.bfloat16 if self.precision in ("mixed", "bf16") else None
                speed_up(network, wide=SHORT.get(self.precision), short=short)
            elif self.fast_layers and name not in twice_differentiable:
                fuse(network)
            if self.channels_last:
                network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            if self.precision in SHORT:
                network.register_forward_hook(_as_float32)
            if self.compiled:
                network.compile()

    def __str__(self) -> str:
        ways = {
            "fast layers": self.fast_layers,
            "channels_last": self.channels_last,
            "compiled": self.compiled,
            "recorded": self.recorded,
        }
        return ", ".join([self.precision, *(word for word, on in ways.items() if on)])


def choose_compute(opt: SpeedOptions, device: torch.device, *, unet: bool = False) -> Compute:
    """Turn the flags into what they mean on a device.

    Args:
        unet: whether the generators are U-Nets, whose gradients survive a forward pass in bfloat16.

    Raises:
        UserError: the device cannot do it.
    """
    if opt.compile == "step" and device.type != "cuda":
        raise UserError(f"--compile step needs an NVIDIA GPU, not {device}; pass --compile nets")
    ampere = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    fast = choose_layers(opt, device)
    precision = opt.precision
    if precision == "auto":
        short: Literal["bf16", "mixed"] = "bf16" if unet else "mixed"
        precision = "tf32" if ampere else short if fast and has_bf16(device) else "fp32"
    if precision == "tf32" and not ampere:
        raise UserError(f"--precision tf32 needs an NVIDIA GPU of 2020 or later, not {device}; pass fp32 or bf16")
    if precision == "bf16" and device.type not in ("cpu", "cuda"):
        raise UserError(f"--precision bf16 needs a CPU or an NVIDIA GPU, not {device}; pass --precision fp32")
    if precision == "fp16" and device.type != "cuda":
        raise UserError(f"--precision fp16 needs an NVIDIA GPU, not {device}; pass bf16 or fp32")
    if precision in ("bf16", "mixed") and not has_bf16(device):
        log.warning("%s has no instructions for --precision %s: it works, but may be slower", device, precision)
    compiled = opt.compile != "off"
    if compiled and device.type == "cpu" and shutil.which(compiler := os.environ.get("CXX", COMPILER)) is None:
        raise UserError(
            f"--compile nets needs the C++ compiler {compiler}; install it, name another in the environment variable "
            "CXX, or pass --compile off"
        )
    if compiled and device.type == "cuda":
        refuse_without_triton(f"--compile {opt.compile}", "--compile off")
    wanted = compiled or (precision in SHORT and device.type == "cuda")
    channels_last = wanted if opt.channels_last == "auto" else opt.channels_last == "on"
    return Compute(device, precision, compiled, channels_last, recorded=opt.compile == "step", fast_layers=fast)


def choose_layers(opt: SpeedOptions, device: torch.device) -> bool:
    """Tell whether the fast layers are used: of themselves on a CPU alone.

    Raises:
        UserError: they, or a precision that needs them, are asked for where they cannot be.
    """
    if opt.precision == "mixed" and (device.type != "cpu" or opt.compile != "off" or opt.fast_layers == "off"):
        raise UserError(
            f"--precision mixed is for the CPU (here: {device}), with --compile off and without --fast_layers off; "
            "pass --precision auto"
        )
    if opt.fast_layers == "on":
        if device.type not in ("cpu", "cuda") or opt.compile != "off":
            raise UserError(
                f"--fast_layers on is for CPUs and NVIDIA GPUs (here: {device}), with --compile off; "
                "pass --fast_layers auto"
            )
        if device.type == "cuda":
            refuse_without_triton("--fast_layers on", "--fast_layers off")
        return True
    if opt.fast_layers == "off" or device.type != "cpu" or opt.compile != "off":
        return False
    return opt.precision in ("auto", "bf16", "mixed")


def refuse_without_triton(wanted: str, instead: str) -> None:
    """Raise a UserError if what is to make kernels for a GPU is missing."""
    if importlib.util.find_spec("triton") is None:
        raise UserError(f"{wanted} needs the package triton on a GPU; pip install triton, or pass {instead}")


def has_bf16(device: torch.device) -> bool:
    """Tell whether a device is known to compute bfloat16 itself, not by way of float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    if platform.machine() not in X86:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    avx512 = getattr(torch.cpu, "_is_avx512_bf16_supported", bool)  # PyTorch has no public ones
    amx = getattr(torch.cpu, "_is_amx_tile_supported", bool)
    return bool(avx512() or amx())


def together(network: nn.Module, images: Sequence[Tensor], *, batched: bool) -> list[Any]:
    """Pass several batches through a network: in one call if ``batched`` and they have one size.

    One call is the same mathematics where the norm treats every image by itself, and faster; its bits may differ.

    Returns:
        What the network makes of each: images, or a ``Verdict``.
    """
    if not batched or len({image.shape[1:] for image in images}) > 1:
        return [network(image) for image in images]
    made, sizes = network(torch.cat(list(images))), [len(image) for image in images]
    if isinstance(made, tuple):
        return list(zip(*(scale.split(sizes) for scale in made), strict=True))
    return list(made.split(sizes))


def _as_float32(network: nn.Module, given: object, out: Verdict) -> Verdict:
    """Hand losses and images full precision."""
    return tuple(scale.float() for scale in out) if isinstance(out, tuple) else out.float()
