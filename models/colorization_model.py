"""Colorization: pix2pix from lightness to colour in CIE Lab (Zhang et al. 2016 for the task)."""

import torch
from torch import Tensor

from models.abilities import ComposedResults
from models.pix2pix_model import Pair, Pix2PixModel
from models.registry import MODELS
from util.color import AB_RANGE, L_HALF, lab_to_rgb


@MODELS.register("colorization")
class ColorizationModel(Pix2PixModel, ComposedResults[Pair]):
    """pix2pix on ``--dataset_mode colorization``; shows the Lab images in RGB."""

    defaults = {**Pix2PixModel.defaults, "dataset_mode": "colorization"}

    def visuals(self, out: Pair) -> dict[str, Tensor]:
        """Show the gray input, the true colours and the guessed ones."""
        return {
            "real_A": out.real_A,
            "real_B_rgb": lightness_and_color_to_rgb(out.real_A, out.real_B),
            "fake_B_rgb": lightness_and_color_to_rgb(out.real_A, out.fake_B),
        }

    def results(self, out: Pair) -> dict[str, tuple[Tensor, Tensor]]:
        """Return the guessed and the true colours as RGB images."""
        made, true = (lightness_and_color_to_rgb(out.real_A, color) for color in (out.fake_B, out.real_B))
        return {"G": (made, true)}


def lightness_and_color_to_rgb(lightness: Tensor, color: Tensor) -> Tensor:
    """Convert network images to RGB.

    Args:
        lightness: N x 1 x H x W, L / 50 - 1.
        color: N x 2 x H x W, ab / 110.

    Returns:
        N x 3 x H x W in [-1, 1], on the CPU. Synchronises the device.
    """
    lab = torch.cat([(lightness + 1) * L_HALF, color * AB_RANGE], 1).detach().permute(0, 2, 3, 1)
    rgb = lab_to_rgb(lab.cpu().double().numpy())  # N x H x W x 3, sync
    return torch.from_numpy(rgb).permute(0, 3, 1, 2).float() * 2 - 1
