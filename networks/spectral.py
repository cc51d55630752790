"""Spectral norm: weights that, as a matrix, have the largest singular value 1 (Miyato et al. 2018, algorithm 1).

PyTorch's parametrization does it: a step of the power method at every forward pass in training mode. Its vectors are
buffers, so that a state holds them; the weights that are learned are called ``parametrizations.weight.original``.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import _SpectralNorm  # the public function makes no subclasses of it

LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


class SpectralNorm(_SpectralNorm):
    """The one of PyTorch, in full precision under autocast as well.

    Attributes:
        held: the vectors stay as they are, in training mode too.
    """

    held = False

    def train(self, mode: bool = True) -> "SpectralNorm":
        """Switch to training mode, unless held."""
        super().train(mode and not self.held)
        return self

    def forward(self, weight: Tensor) -> Tensor:
        """Divide weights by their largest singular value."""
        with torch.autocast("cpu" if weight.is_meta else weight.device.type, enabled=False):
            normal: Tensor = super().forward(weight)
        return normal


def normalise_spectra(network: nn.Module) -> None:
    """Give all convolutions and linear layers of a network spectral norm. Their weights are to be initialised."""
    for layer in list(network.modules()):
        if isinstance(layer, LAYERS):
            outputs = 1 if isinstance(layer, nn.ConvTranspose2d) else 0  # the dimension
            parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.weight, dim=outputs))


def hold_spectra(network: nn.Module) -> None:
    """Let forward passes in training mode no longer change the vectors: for weights that stay as they are."""
    for layer in network.modules():
        if isinstance(layer, SpectralNorm):
            layer.held = True
            layer.eval()


def without_spectral_norm(network: nn.Module) -> None:
    """Replace, in place, weights that are computed at every pass by what they come to; layers have plain classes then.

    PyTorch's ``remove_parametrizations`` would change the weights of every network that shares them.
    """
    for layer in list(network.modules()):
        if parametrize.is_parametrized(layer, "weight"):
            layer.eval()
            assert isinstance(layer.weight, Tensor)
            weight = layer.weight.detach()
            layer.__class__ = type(layer).__bases__[0]  # what PyTorch made the parametrized class of
            del layer.parametrizations
            layer.weight = nn.Parameter(weight, requires_grad=False)
