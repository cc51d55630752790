"""The Inception network of FID: TensorFlow's of 2015-12-05, put together from torchvision's blocks.

It differs from torchvision's Inception-v3 (Szegedy et al. 2015) in its pools of stride 1: averages leave out what lies
beyond the border, and the last block takes a maximum instead. Imports torchvision; import it when it is needed.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import Inception3
from torchvision.models.inception import InceptionE

from util.determinism import RandomState

FEATURES = 2048
AVERAGING = ("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7b")
NOT_OURS = ("fc.", "AuxLogits.")  # the classifiers


def fid_inception(weights: Mapping[str, Tensor]) -> nn.Module:
    """Build the network; it maps N x 3 x 299 x 299 around [-1, 1] to N x 2048 features.

    Args:
        weights: in torchvision's names, with or without classifiers.

    Raises:
        RuntimeError: the weights are those of another network.
    """
    with RandomState(torch.device("cpu")).replayed():  # the first weights of a layer are random, and replaced
        network: nn.Module = Inception3(num_classes=1, aux_logits=False, transform_input=False, init_weights=False)
        network.Mixed_7c = LastBlock(FEATURES)
    network.fc = nn.Identity()
    network.load_state_dict({name: value for name, value in weights.items() if not name.startswith(NOT_OURS)})
    for name in AVERAGING:
        block = network.get_submodule(name)
        block.branch_pool = nn.Sequential(WithoutBorder(), block.get_submodule("branch_pool"))
    network.eval().requires_grad_(False)
    return network


class WithoutBorder(nn.Module):
    """Turn an average over 3 x 3 pixels that counts zeros beyond the border into one that does not."""

    def forward(self, averages: Tensor) -> Tensor:
        """Divide by the share of the nine pixels that lies inside."""
        inside = averages.new_ones(1, 1, *averages.shape[2:])
        return averages / F.avg_pool2d(inside, 3, stride=1, padding=1)


class LastBlock(InceptionE):
    """A block whose branch with a pool, the last of its output, sees maxima instead of averages."""

    def forward(self, x: Tensor) -> Tensor:
        """Map N x 2048 x H x W to the same shape."""
        pooled = self.branch_pool(F.max_pool2d(x, 3, stride=1, padding=1))
        others: Tensor = super().forward(x)[:, : -pooled.shape[1]]
        return torch.cat([others, pooled], 1)
