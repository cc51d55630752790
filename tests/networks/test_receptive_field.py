"""``--patch_size`` against what a discriminator really depends on."""

import pytest
import torch

from networks.factory import build_discriminator
from networks.receptive_field import receptive_field
from options.net import PATCHES, NetOptions


@pytest.mark.parametrize("side", PATCHES)
def test_a_verdict_depends_on_a_square_of_the_promised_side(side: int) -> None:
    judge = build_discriminator(NetOptions(patch_size=side, ndf=1, norm="none", init_gain=1.0), 1)
    assert receptive_field(judge) == side
    image = torch.rand(1, 1, 3 * side + 32, 3 * side + 32, requires_grad=True)
    verdicts = judge(image)
    verdicts[0, 0, verdicts.shape[2] // 2, verdicts.shape[3] // 2].backward()
    assert image.grad is not None
    for axis in (2, 3):
        touched = image.grad.abs().sum((0, 1, 5 - axis)).nonzero()
        assert int(touched.max() - touched.min()) + 1 == side


@pytest.mark.parametrize(
    ("flags", "side"), [({}, 70), ({"netD": "pixel"}, 1), ({"netD": "n_layers", "n_layers_D": 4}, 142)]
)
def test_the_official_names_have_theirs(flags: dict[str, object], side: int) -> None:
    assert receptive_field(build_discriminator(NetOptions(ndf=2, **flags), 3)) == side  # type: ignore[arg-type]
