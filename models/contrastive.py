"""The contrastive loss between patches of an image and of its translation (Park et al. 2020, equations 3 and 4)."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from networks.patch_sampler import Encoder, draw_places, full_precision, read_patches

Vectors = Callable[[Tensor, int], Tensor]  # patches of the map of a number, N x P x C, to vectors, N x P x K
PatchLoss = Callable[[Tensor, Tensor], Tensor]  # of queries and keys


def patch_nce(queries: Tensor, keys: Tensor, *, temperature: float, across_batch: bool = False) -> Tensor:
    """Return how badly each patch of a result is told, among those of its input, by the one at the same place.

    The cross entropy of choosing between P patches by their cosines, divided by the temperature (equation 3); a mean
    over patches and images.

    Args:
        queries: of the result, N x P x C of length 1.
        keys: of the input at the same places, the same shape; no gradient reaches them.
        temperature: above 0; the lower, the more the nearest wrong patches count.
        across_batch: let all N x P patches be wrong answers, not only the P of the same image.
    """
    if across_batch:
        queries, keys = queries.flatten(0, 1)[None], keys.flatten(0, 1)[None]
    with full_precision(queries):
        logits = queries @ keys.detach().transpose(1, 2) / temperature  # N x P x P
        right = torch.arange(logits.shape[1], device=logits.device).expand(len(logits), -1)
        return F.cross_entropy(logits.flatten(0, 1), right.flatten())


def contrast(
    real: Tensor,
    made: Tensor,
    *,
    mirrored: Tensor | None,
    encoder: Encoder,
    vectors: Vectors,
    patches: int,
    loss: PatchLoss,
) -> Tensor:
    """Compare images with what was made of them, in all maps of an encoder: a mean over maps (equation 4).

    Args:
        real, made: N x C x H x W.
        mirrored: N x 1 x 1 x 1, true where ``made`` is a mirror image: its maps are turned back (FastCUT, appendix).
        patches: how many are drawn in each map.
        loss: ``patch_nce``, with its settings.
    """
    places: list[Tensor] = []
    keys: list[Tensor] = []
    with torch.no_grad():
        for number, features in enumerate(encoder.maps(real)):
            places.append(draw_places(features, patches))
            keys.append(vectors(read_patches(features, places[number]), number))
    total = made.new_zeros(())
    for number, features in enumerate(encoder.maps(made)):
        queries = vectors(read_patches(features, places[number], mirrored), number)
        total = total + loss(queries, keys[number])
    return total / len(keys)
