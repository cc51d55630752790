"""Run the GPU's norm in Triton's interpreter, on the CPU, and print how far it is from PyTorch in float64.

A process of its own, because Triton decides when it is imported whether it interprets.
"""

import copy
import itertools
import json
import os
from collections.abc import Callable

os.environ["TRITON_INTERPRET"] = "1"

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from networks.fast import triton_norm
from networks.fast.fused import FusedInstanceNorm, fuse
from networks.patchgan import PatchDiscriminator
from networks.resnet import ResnetGenerator

SHAPES = {"one image": (1, 5, 9, 7), "several": (2, 6, 6, 5), "chunks": (1, 2, 20, 20), "a row": (2, 3, 1, 33)}
ORDERS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
TYPES = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16}
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "resnet": lambda: ResnetGenerator(3, 3, ngf=2, blocks=1, norm="instance", dropout=False, upsampling="transposed"),
    "resnet dropout": lambda: ResnetGenerator(
        3, 3, ngf=2, blocks=1, norm="instance", dropout=True, upsampling="transposed"
    ),
    "patch": lambda: PatchDiscriminator(3, ndf=4, n_layers=2, norm="instance"),
}


def off(given: Tensor, expected: Tensor) -> float:
    """Return the relative error."""
    given, expected = given.detach().double(), expected.detach().double()
    return float((given - expected).norm() / expected.norm())


def norm_errors(shape: tuple[int, ...], order: torch.memory_format, dtype: torch.dtype, *, slope: float) -> list[float]:
    """Return the errors of output and gradients, alone and with a residual."""
    generator = torch.Generator().manual_seed(1)
    x, residual, weight = (torch.randn(*shape, generator=generator).to(dtype) + 3 for _ in range(3))
    errors = []
    for added in (None, residual):
        wanted_by = [value.detach().clone().double().requires_grad_() for value in (x, residual)]
        wanted = F.leaky_relu(F.instance_norm(wanted_by[0]), slope) + (0 if added is None else wanted_by[1])
        (wanted * weight.double()).sum().backward()  # type: ignore[no-untyped-call]
        given_by = [value.detach().clone(memory_format=order).requires_grad_() for value in (x, residual)]
        layer = FusedInstanceNorm(shape[1])
        layer.slope = slope
        given = layer(given_by[0], None if added is None else given_by[1])
        assert given.dtype == dtype
        assert given.is_contiguous(memory_format=order)
        (given * weight).sum().backward()
        pairs = [(given, wanted), (given_by[0].grad, wanted_by[0].grad)]
        pairs += [] if added is None else [(given_by[1].grad, wanted_by[1].grad)]
        errors += [off(one, other) for one, other in pairs if one is not None and other is not None]
    return errors


def network_errors(network: nn.Module, order: torch.memory_format) -> list[float]:
    """Return the errors of output and gradients of a network with the fused norms."""
    plain, fused = network.double(), copy.deepcopy(network).double().to(memory_format=order)
    fuse(fused)
    found = []
    for one in (plain, fused):
        torch.manual_seed(3)
        x = torch.randn(1, 3, 16, 16, dtype=torch.float64).requires_grad_()
        out = one(x)
        (out * torch.linspace(-1, 2, out.numel(), dtype=torch.float64).view_as(out)).sum().backward()
        found.append([out, x.grad, *(p.grad for p in one.parameters() if p.grad is not None)])
    sizes = [float(value.norm()) for value in found[0]]
    pairs = [pair for pair, size in zip(zip(*found, strict=True), sizes, strict=True) if size > 1e-9]  # bias: 0
    assert len(pairs) > len(sizes) // 2
    return [off(given, expected) for expected, given in pairs]


def main() -> None:
    """Print the errors by case."""
    errors = {}
    triton_norm.TILE, triton_norm.MOST_CHANNELS = 256, 4  # so that small maps have several
    for chunks in (triton_norm.MOST_CHUNKS, 1):  # 1: several tiles in a chunk
        triton_norm.MOST_CHUNKS = chunks
        for shape, order, dtype, slope in itertools.product(SHAPES, ORDERS, TYPES, (0.2, 1.0)):
            name = f"{shape}, {order}, {dtype}, slope {slope}, at most {chunks} chunks"
            errors[name] = norm_errors(SHAPES[shape], ORDERS[order], TYPES[dtype], slope=slope)
    for network, order in itertools.product(NETWORKS, ORDERS):
        if "dropout" in network and order == "channels_last":
            continue  # its random numbers come in the order of memory
        errors[f"{network}, {order}"] = network_errors(NETWORKS[network](), ORDERS[order])
    print(json.dumps(errors))


if __name__ == "__main__":
    main()
