"""A network that finds the classes in photos, given as a file: TorchScript or torch.export.

It takes 1 x 3 x H x W in [0, 1], RGB, float32, and returns scores, 1 x classes x h x w, in the order of the palette
without void. What it wants of its input, such as ImageNet's mean and deviation, belongs into the file. A file is a
program: take it only from people you trust.
"""

import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from options.errors import UserError


class Segmenter:
    """Finds a class for each pixel.

    Args:
        classes: how many scores each pixel must get.

    Raises:
        UserError: the file is missing, or is neither kind of network.
    """

    def __init__(self, file: str, classes: int, device: torch.device) -> None:
        if not file:
            raise UserError("segmented needs --segmenter: a TorchScript or torch.export file of a segmentation network")
        self.path, self.classes, self.device = Path(file), classes, device
        if not self.path.is_file():
            raise UserError(f"--segmenter {file} is no file; give a TorchScript or torch.export file")
        self.network = _loaded(self.path, device)

    def numbers(self, photos: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the classes with the highest scores, after these are brought to a size by bilinear interpolation.

        Args:
            photos: N x 3 x H x W in [0, 1]; they go through the network one by one.
            size: height, width.

        Returns:
            N x height x width in int64.

        Raises:
            UserError: the network refuses the photos, or returns something else.
        """
        results = []
        for photo in torch.split(photos, 1):
            try:
                scores = self.network(photo)
            except Exception as error:  # noqa: BLE001  # it is the user's program
                reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
                raise UserError(f"--segmenter {self.path} cannot take {tuple(photo.shape)} ({reason[0]})") from error
            if not isinstance(scores, Tensor) or scores.dim() != 4 or scores.shape[:2] != (1, self.classes):
                got = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
                raise UserError(
                    f"--segmenter {self.path} returned {got}, but the palette has {self.classes} classes: it must "
                    f"return scores, 1 x {self.classes} x h x w, in the palette's order without void"
                )
            results.append(F.interpolate(scores.float(), size, mode="bilinear", align_corners=False).argmax(1))
        return torch.cat(results)


def _loaded(path: Path, device: torch.device) -> Callable[[Tensor], object]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a kind of file that is going out of use
        try:
            script: Callable[[Tensor], object] = torch.jit.load(path, map_location=device).eval()  # type: ignore[no-untyped-call]
            return script
        except RuntimeError:  # not TorchScript
            pass
        try:
            program: Callable[[Tensor], object] = torch.export.load(path).module().to(device)
            return program
        except Exception as error:  # noqa: BLE001  # a dozen kinds, depending on what the file is
            raise UserError(
                f"--segmenter {path} is neither a TorchScript nor a torch.export file; write it with "
                "torch.jit.save or torch.export.save"
            ) from error
