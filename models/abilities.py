"""What some models can do beside the contract of all: a model that can has it among its bases."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic

from torch import Tensor

from data.batch import Batch
from models.outputs import Out


class InPieces(ABC, Generic[Out]):
    """To pass a batch in pieces that are differentiated one by one, so that less is remembered (``--memory low``)."""

    @abstractmethod
    def pieces(self, batch: Batch) -> list[Callable[[], Out]]:
        """Return ``forward`` in pieces.

        Each computes an output in which None stands for what belongs to other pieces. Losses go over what is there.
        """

    def separate(self, out: Out) -> list[Out]:
        """Return an output in pieces that discriminators judge one by one, where a batch is split; the default is one.

        They are to be those in whose order the losses draw random numbers (image pools).
        """
        return [out]


class TranslatesBack(ABC, Generic[Out]):
    """To translate what was translated back, so that it can be compared with what was given."""

    @abstractmethod
    def cycles(self, out: Out) -> dict[str, tuple[Tensor, Tensor]]:
        """Return by generator what came back of the images it was given, and these, N x C x H x W in [-1, 1]."""


class ComposedResults(ABC, Generic[Out]):
    """To make images of what the networks were given together with what they made of it."""

    @abstractmethod
    def results(self, out: Out) -> dict[str, tuple[Tensor, Tensor]]:
        """Return ``translations`` as the images whose quality is measured."""
