"""A memory of older fakes, so that a discriminator does not forget (Shrivastava et al. 2017, section 2.3).

What happens to a batch is drawn on the host (``plan``) and done on the device, where nobody waits for it. ``query`` is
both in one. Under ``following`` it obeys a plan that lies on the device: then a step can be recorded and repeated.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor


class Plan(NamedTuple):
    """What becomes of a batch. Rows below the pool's size are its places, image i of the batch has row size + i."""

    sources: tuple[int, ...]  # for each answer, the row it is taken from
    targets: tuple[int, ...]  # for each image, the place it is kept in, or its own row; no row twice


class ImagePool:
    """Keep up to ``size`` images; 0 keeps none and passes everything through."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.images: list[Tensor] = []  # from the first plan that was followed on, views of the rows
        self._rows: Tensor | None = None  # size + N images
        self._followed: Tensor | None = None

    def query(self, images: Tensor) -> Tensor:
        """Swap about half of a batch for older fakes.

        Args:
            images: N x C x H x W in [-1, 1], detached; stored by copy.

        Returns:
            Same shape. Until the pool has ``size`` images it returns ``images`` unchanged.
        """
        if self.size == 0:
            return images
        if self._followed is not None:
            return self._swap_rows(images, *self._followed)
        return self._swap(images, self.plan(len(images)))

    def plan(self, count: int) -> Plan:
        """Draw what becomes of the next ``count`` images, from the CPU generator, which is re-seeded at every step."""
        newest: dict[int, int] = {}  # place: row of the image of this batch that is in it
        sources = []
        held = len(self.images)
        for own in range(self.size, self.size + count):
            source = own
            if held < self.size:
                newest[held] = own
                held += 1
            elif torch.rand(()) > 0.5:
                place = int(torch.randint(self.size, ()))
                source, newest[place] = newest.get(place, place), own
            sources.append(source)
        places = {row: place for place, row in newest.items()}
        return Plan(tuple(sources), tuple(places.get(own, own) for own in range(self.size, self.size + count)))

    def _swap(self, images: Tensor, plan: Plan) -> Tensor:
        """Do what was planned for these images. Those in the pool may have other sizes."""
        assert self._rows is None, "this pool has followed plans on the device"
        answers = [(self.images[row] if row < self.size else images[row - self.size]) for row in plan.sources]
        if len(answers) > 1:  # a batch has one size; an older fake of another, from other flags, retires
            answers = [old if old.shape == new.shape else new for old, new in zip(answers, images, strict=True)]
        answer = torch.stack(answers)
        for place, image in sorted(zip(plan.targets, range(len(images)), strict=True)):
            if place < self.size:
                self.images[place : place + 1] = [images[image].clone()]  # or one more at the end
        return answer

    @contextmanager
    def following(self, plan: Tensor) -> Iterator[None]:
        """While the body runs, let ``query`` do what a plan on the device says, and draw nothing.

        Nothing of it depends on the values in ``plan``, so it can be recorded and repeated with others; all images
        must have one size. Who does so tells the pool with ``settle``.

        Args:
            plan: 2 x N int64, sources and targets.
        """
        self._followed = plan
        try:
            yield
        finally:
            self._followed = None

    def settle(self, plan: Plan) -> None:
        """Count the images that a followed plan stored: the host has no other sign of it."""
        assert self._rows is not None, "no plan was followed"
        filled = max((place + 1 for place in plan.targets if place < self.size), default=0)
        self.images += self._rows[len(self.images) : filled].unbind()

    def _swap_rows(self, images: Tensor, sources: Tensor, targets: Tensor) -> Tensor:
        rows = self._rows_for(images)
        rows[self.size : self.size + len(images)].copy_(images)
        answer = rows.index_select(0, sources)
        rows.index_copy_(0, targets, images)
        return answer

    def _rows_for(self, images: Tensor) -> Tensor:
        """Return the rows; make them if there are none for a batch like this, out of the images held so far."""
        needed = (self.size + len(images), *images.shape[1:])
        if self._rows is None or len(self._rows) < needed[0]:
            self._rows = images.new_zeros(needed)
            for row, image in zip(self._rows, self.images, strict=False):
                row.copy_(image if image.shape == row.shape else images[0])  # one of another size, from other flags
            self.images = list(self._rows[: len(self.images)])
        assert self._rows.shape[1:] == needed[1:], "images of another size"
        return self._rows

    def state_dict(self) -> dict[str, list[Tensor]]:
        """Return the stored images, oldest place first."""
        return {"images": self.images}

    def load_state_dict(self, state: dict[str, list[Tensor]], device: torch.device) -> None:
        """Take over stored images, by copy; a step that was recorded before does not know them."""
        self.images = [image.to(device, copy=True) for image in state["images"]][: self.size]
        self._rows = None
