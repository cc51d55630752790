"""What becomes of an image that is too large to be computed at once."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from inference.direction import Direction
from inference.large.blend import blended
from inference.large.box import Box, boxes
from inference.large.exact import Plan, exact_map
from inference.large.maps import Source
from networks.any_size import AnySizeGenerator
from options.errors import UserError
from util.machine import free_memory, give_back_freed_memory, memory_in_use

BYTES = 16  # that an image computed at once takes, per pixel and filter of the last layer (ngf)
BAND = 12  # the same of a row of tiles and its copies, per pixel and channel
SMALLEST, LARGEST = 128, 1024  # pixels a side of a part
UNKNOWN = 4 * 2**30  # bytes to take where the machine does not say what is free
MANY = 1 << 20


@dataclass(frozen=True)
class Tiling:
    """How large images are computed.

    Attributes:
        mode: ``exact``: in parts, with the norms of the whole image; ``blend``: in tiles with norms of their own,
            faded into each other; ``off``: at once; ``auto``: at once if it fits, else exact.
        max_memory: bytes that the process may take in all (on a GPU: of the GPU); 0 takes half of what is free.
    """

    mode: Literal["auto", "off", "exact", "blend"] = "auto"
    max_memory: int = 0

    def room(self, device: torch.device, enough: float = math.inf) -> float:
        """Return the bytes that may be taken beside what is in use.

        Args:
            enough: bytes from which on it need not be more.

        Raises:
            UserError: there are hardly any.
        """
        if not self.max_memory:
            free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()
            return (free or UNKNOWN) / 2
        left = self.max_memory - memory_in_use(device)
        if left < enough:
            give_back_freed_memory()
            left = self.max_memory - memory_in_use(device)
        if left < 2**27:
            raise UserError(
                f"--max_memory {self.max_memory / 2**30:.2f}G leaves {max(0, left) / 2**20:.0f} MiB beside the program "
                "and the networks; allow at least 0.2G more"
            )
        return left

    def how_many(self, way: Direction, width: int, height: int, device: torch.device) -> int:
        """Return how many images of a size are computed at once; 0: each in parts."""
        if self.mode == "off":
            return MANY
        takes = BYTES * way.ngf * height * width
        most = int(self.room(device, takes) / takes)
        if max(height, width) <= SMALLEST:
            return max(1, most)
        return most if self.mode == "auto" else 0


def translate_in_parts(
    way: Direction,
    network: nn.Module,
    forward: Callable[[Tensor], Tensor],
    size: tuple[int, int],
    read: Callable[[Box], Tensor],
    write: Callable[[Box, Tensor], None],
    *,
    tiling: Tiling,
    device: torch.device,
    progress: Callable[[float], None] = lambda share: None,
) -> None:
    """Translate an image part by part.

    Args:
        network: as it is placed on the device.
        forward: applies it under the precision and returns the result on the CPU.
        size: width and height.
        read: returns a part of the image as pixels, C x h x w.
        write: takes a part of the result, C x h x w in [-1, 1].
        progress: is called with the share of the work that is done, 0 to 1, roughly.
    """
    width, height = size
    room = tiling.room(device)
    side = int((0.28 * room / (BYTES * way.ngf)) ** 0.5)
    side = max(SMALLEST, min(LARGEST, side)) // 16 * 16
    if tiling.mode == "blend":
        whole = int(min((0.5 * room / (BYTES * way.ngf)) ** 0.5, 0.2 * room / (width * BAND * (way.output_nc + 1))))
        whole = max(SMALLEST, whole // way.multiple * way.multiple)
        for box, made in blended(height, width, whole, lambda box: forward(way.encode(read(box)))):
            write(box, way.decode(way.encode(read(box)), made) if way.colorizes else made[0])
            progress(box.bottom / height)
        return
    has_blocks = isinstance(network, AnySizeGenerator) and network.rounds_up
    kept = way.ngf / (4 if has_blocks else 8)  # maps at a quarter of the size
    source = Source(way.input_nc, height, width, lambda box: way.encode(read(box)).to(device))
    memory = 0.5 * room if device.type == "cpu" else (free_memory() or UNKNOWN) / 2  # maps are kept beside the GPU
    out = exact_map(network, source, Plan(side, memory, kept, progress), device)
    for box in boxes(height, width, side):
        write(box, way.decode(way.encode(read(box)), out.read(box).float().cpu()))
    progress(1.0)
