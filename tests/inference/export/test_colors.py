"""Lab inside a graph makes the colours that are computed outside of it."""

from pathlib import Path

import torch
from torch import Tensor, nn

from inference.export.check import HALF_RANGE, translated
from inference.export.colors import Colorizing
from inference.load import read_directions
from tests.runs import make_run


class Given(nn.Module):
    """Makes the same colours whatever the lightness, all that there are."""

    def forward(self, lightness: Tensor) -> Tensor:
        height, width = lightness.shape[2:]
        a, b = torch.linspace(-1, 1, height)[:, None], torch.linspace(-1, 1, width)[None]
        return torch.stack([a.expand(height, width), b.expand(height, width)])[None].expand(len(lightness), -1, -1, -1)


def test_colours_of_all_kinds_are_those_of_a_translation(tmp_path: Path) -> None:
    (way,) = read_directions(make_run(tmp_path / "c", "colorization", "--netG unet_32")).values()
    object.__setattr__(way, "network", Given())
    shades = torch.linspace(-1, 1, 256).repeat(3, 1)[:, None].expand(3, 3, 64, 256).contiguous()
    shades[1] = shades[1].flip(2)
    shades[2, 0] = -1
    wanted, made = translated(way, shades), Colorizing(Given())(shades)
    assert made.shape == wanted.shape == shades.shape
    assert (made - wanted).abs().max() * HALF_RANGE < 0.05
