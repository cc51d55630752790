"""How the networks are computed: in which precision, in which memory layout, compiled or not.

The reference is float32, contiguous, not compiled. Everything else is faster and tested against it.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from options.errors import UserError
from options.speed import SpeedOptions

MOST_VARIANTS = 64  # of compiled code for all networks of a kind: sizes, batches, with and without gradients
PER_SAMPLE = ("instance", "none")  # norms under which the images of a batch do not see each other


@dataclass(frozen=True)
class Compute:
    """What ``--precision``, ``--compile`` and ``--channels_last`` come to on a device.

    Attributes:
        precision: fp32, tf32 or bf16.
    """

    device: torch.device
    precision: str = "fp32"
    compiled: bool = False
    channels_last: bool = False

    @property
    def is_reference(self) -> bool:
        """True for the plain way, whose bits on the CPU are those of the first version of this project."""
        return self == Compute(self.device)

    def forward(self) -> AbstractContextManager[object]:
        """Return what a forward pass runs under; weights are cast once in it, so none may change before it ends."""
        if self.precision != "bf16":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

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

    def place(self, networks: nn.ModuleDict) -> None:
        """Move networks to the device, lay their weights out and compile them; their names and values stay."""
        networks.to(self.device)
        if self.compiled:
            torch._dynamo.config.recompile_limit = MOST_VARIANTS
        for network in networks.values():
            if self.channels_last:
                network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            if self.precision == "bf16":
                network.register_forward_hook(_as_float32)
            if self.compiled:
                network.compile()

    def __str__(self) -> str:
        extras = [word for word, on in (("channels_last", self.channels_last), ("compiled", self.compiled)) if on]
        return ", ".join([self.precision, *extras])


def choose_compute(opt: SpeedOptions, device: torch.device) -> Compute:
    """Turn the flags into what they mean on a device.

    Raises:
        UserError: the device cannot do it.
    """
    ampere = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    precision = opt.precision
    if precision == "auto":
        precision = "tf32" if ampere else "fp32"
    if precision == "tf32" and not ampere:
        raise UserError(f"--precision tf32 needs an NVIDIA GPU of 2020 or later, not {device}; pass fp32 or bf16")
    if precision == "bf16" and device.type not in ("cpu", "cuda"):
        raise UserError(f"--precision bf16 needs a CPU or an NVIDIA GPU, not {device}; pass --precision fp32")
    compiled = opt.compile == "nets"
    if compiled and device.type == "cpu" and shutil.which(compiler := _compiler()) is None:
        raise UserError(
            f"--compile nets needs the C++ compiler {compiler}; install it, name another in the environment variable "
            "CXX, or pass --compile off"
        )
    wanted = compiled or (precision == "bf16" and device.type == "cuda")
    channels_last = wanted if opt.channels_last == "auto" else opt.channels_last == "on"
    return Compute(device, precision, compiled, channels_last)


def _compiler() -> str:
    """Return the compiler that PyTorch will call."""
    return os.environ.get("CXX", {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++"))


def together(network: nn.Module, images: Sequence[Tensor], *, batched: bool) -> list[Tensor]:
    """Pass several batches through a network: in one call if ``batched`` and they have one size.

    One call is the same mathematics where the norm treats every image by itself, and faster; its bits may differ.
    """
    if not batched or len({image.shape[1:] for image in images}) > 1:
        return [network(image) for image in images]
    return list(network(torch.cat(list(images))).split([len(image) for image in images]))


def _as_float32(network: nn.Module, given: object, out: Tensor) -> Tensor:
    """Hand losses and pictures full precision."""
    return out.float()
