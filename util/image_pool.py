"""A memory of older fakes, so that a discriminator does not forget (Shrivastava et al. 2017, section 2.3)."""

import torch
from torch import Tensor


class ImagePool:
    """Keep up to ``size`` images; 0 keeps none and passes everything through."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.images: list[Tensor] = []

    def query(self, images: Tensor) -> Tensor:
        """Swap about half of a batch for older fakes.

        Args:
            images: N x C x H x W in [-1, 1], detached; stored by copy.

        Returns:
            Same shape. Until the pool has ``size`` images it returns ``images`` unchanged.
        """
        if self.size == 0:
            return images
        swapped = [self._swap(image) for image in images]
        if len(swapped) > 1:  # a batch has one size; an older fake of another, from other flags, retires
            swapped = [old if old.shape == new.shape else new for old, new in zip(swapped, images, strict=True)]
        return torch.stack(swapped)

    def _swap(self, image: Tensor) -> Tensor:
        if len(self.images) < self.size:
            self.images.append(image.clone())
            return image
        if torch.rand(()) <= 0.5:  # CPU generator, re-seeded at every step
            return image
        index = int(torch.randint(self.size, ()))
        old, self.images[index] = self.images[index], image.clone()
        return old

    def state_dict(self) -> dict[str, list[Tensor]]:
        """Return the stored images, oldest place first."""
        return {"images": self.images}

    def load_state_dict(self, state: dict[str, list[Tensor]], device: torch.device) -> None:
        """Take over stored images."""
        self.images = [image.to(device) for image in state["images"]][: self.size]
