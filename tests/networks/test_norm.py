"""The instance norm, in every layout and type."""

import pytest
import torch
from torch import Tensor, nn

from networks.norm import InstanceNorm


@pytest.mark.parametrize("shape", [(1, 3, 5, 7), (1, 64, 16, 16), (2, 8, 9, 4), (3, 1, 2, 2)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4), (torch.bfloat16, 0.06)])
def test_instance_norm_and_its_gradient_equal_the_formula(
    shape: tuple[int, ...], layout: torch.memory_format, dtype: torch.dtype, tolerance: float
) -> None:
    generator = torch.Generator().manual_seed(1)
    x, weight = (torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2))
    x = (3 * x + 1).to(dtype).double()  # the same numbers for both

    def run(norm: nn.Module, given: Tensor) -> tuple[Tensor, Tensor]:
        given = given.detach().requires_grad_()
        out = norm(given)
        (out.double() * weight).sum().backward()
        assert given.grad is not None
        return out.detach().double(), given.grad.double()

    class Formula(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            centred = x - x.mean((2, 3), keepdim=True)
            return centred / (centred.square().mean((2, 3), keepdim=True) + 1e-5).sqrt()

    expected = run(Formula(), x)
    got = run(InstanceNorm(shape[1]), x.to(dtype).to(memory_format=layout))
    for one, other in zip(got, expected, strict=True):
        assert (one - other).abs().max() <= tolerance * max(1, float(other.abs().max()))


def test_a_map_of_one_point_has_no_variance_in_any_layout() -> None:
    with pytest.raises(ValueError, match="more than 1 spatial element"):
        InstanceNorm(4)(torch.randn(1, 4, 3, 3)[:, :, 1:2, 1:2])
