"""Initial weights, in place."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import init

_KINDS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "normal": lambda weight, gain: init.normal_(weight, 0.0, gain),
    "xavier": lambda weight, gain: init.xavier_normal_(weight, gain=gain),
    "kaiming": lambda weight, gain: init.kaiming_normal_(weight, a=0, mode="fan_in"),
    "orthogonal": lambda weight, gain: init.orthogonal_(weight, gain=gain),
}


class AsBuilt(nn.Module):
    """A part of a network whose layers keep the initial weights that PyTorch gives them."""


def init_weights(net: nn.Module, kind: str, gain: float) -> None:
    """Fill convolutions and linear layers by ``kind``, their biases with 0, batch norms around 1.

    What is inside an ``AsBuilt`` stays as it is.

    Args:
        gain: standard deviation for ``normal`` (DCGAN uses 0.02; Radford et al. 2016), gain for
            ``xavier`` and ``orthogonal``, unused by ``kaiming``.
    """
    built = {layer for part in net.modules() if isinstance(part, AsBuilt) for layer in part.modules()}
    for module in net.modules():
        if module in built:
            continue
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            _KINDS[kind](module.weight.data, gain)
            if module.bias is not None:
                init.zeros_(module.bias.data)
        elif isinstance(module, nn.BatchNorm2d | nn.SyncBatchNorm):
            init.normal_(module.weight.data, 1.0, gain)
            init.zeros_(module.bias.data)
