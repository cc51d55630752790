"""Instance norms that do the work of the rectifier right behind them."""

from collections import Counter
from itertools import pairwise

from torch import nn

from networks.norm import InstanceNorm


class RectifyingNorm(InstanceNorm):
    """An instance norm, and the rectifier behind it.

    Attributes:
        slope: of the rectifier below 0; 1: there is none.
    """

    slope: float = 1.0

    def extra_repr(self) -> str:
        """Describe it for people."""
        return f"{super().extra_repr()}, slope={self.slope}"  # type: ignore[no-untyped-call]


def join_rectifiers(network: nn.Module) -> None:
    """Let norms take over the rectifiers right behind them, where neither has another place as well."""
    used = Counter(id(layer) for _, layer in network.named_modules(remove_duplicate=False))
    for layers in network.modules():
        for norm, rectifier in pairwise(layers) if type(layers) is nn.Sequential else ():
            alone = used[id(norm)] == used[id(rectifier)] == 1
            if alone and isinstance(norm, RectifyingNorm) and isinstance(rectifier, nn.ReLU | nn.LeakyReLU):
                norm.slope = rectifier.negative_slope if isinstance(rectifier, nn.LeakyReLU) else 0.0
                rectifier.__class__ = nn.Identity  # type: ignore[assignment]
