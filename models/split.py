"""How a batch goes through a model in a step: in one go or, to save memory, in parts and pieces.

A part is some images of the batch (``--accumulate``), a piece some passes of the forward (``--memory low``). The
gradients of all add up to those of the whole batch, because every loss is a mean over images or a sum over passes.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from data.batch import Batch
from models.abilities import InPieces
from models.base import Loss, Phase, TranslationModel
from models.outputs import concatenated, detached, joined
from networks.resnet import recompute_blocks
from networks.statistics import copied_buffers, still_statistics
from options.training import OptimOptions
from util.determinism import RandomState


class Whole:
    """A batch in one go: one forward, whose graph all phases use."""

    def __init__(self, model: TranslationModel[Any], batch: Batch) -> None:
        self._model = model
        with model.compute.forward():
            self._out = model(batch)

    def losses(self, phase: Phase) -> Iterator[Loss]:
        """Yield the loss of a phase."""
        with self._model.compute.forward():
            loss = phase.loss(self._out)
        yield loss

    def out(self) -> Any:
        """Return the model's output."""
        return self._out


class Split:
    """A batch in parts and pieces, each to be differentiated before the next is computed.

    A phase that trains discriminators alone is shown outputs without a graph, any other makes its outputs anew, with
    the randomness and the buffers of the first time; running statistics of batch norms move that time alone.

    Args:
        parts: number of them; fewer where the batch has fewer images.
        in_pieces: take the model's pieces instead of its whole forward.
    """

    def __init__(self, model: TranslationModel[Any], batch: Batch, *, parts: int, in_pieces: bool) -> None:
        self._model, self._in_pieces = model, in_pieces
        self._parts = batch.split(parts)
        self._weights = [part.size / batch.size for part in self._parts]
        self._starts: dict[tuple[int, int], tuple[RandomState, list[Tensor]]] = {}  # of each piece of each part
        self._outs: list[Any] = []  # by part, without graphs

    def losses(self, phase: Phase) -> Iterator[Loss]:
        """Yield the summands of a phase's loss; before the next is computed, one is to be differentiated."""
        if all(name.startswith("D") for name in phase.networks):
            return self._of_judges(phase)
        return self._of_makers(phase)

    def out(self) -> Any:
        """Return the model's output for the whole batch, without a graph."""
        return concatenated(self._outs)

    def _of_makers(self, phase: Phase) -> Iterator[Loss]:
        outs = []
        for place, weight in enumerate(self._weights):
            pieces = []
            for out in self._pieces(place):
                yield self._loss(phase, out, weight)
                pieces.append(detached(out))
            outs.append(joined(pieces))
        self._outs = outs

    def _of_judges(self, phase: Phase) -> Iterator[Loss]:
        if not self._outs:
            with torch.no_grad():
                self._outs = [joined(list(self._pieces(place))) for place in range(len(self._parts))]
        model = self._model
        by_part = [model.separate(out) if isinstance(model, InPieces) else [out] for out in self._outs]
        for outs in zip(*by_part, strict=True):  # all parts of one before the next: random draws keep their order
            for out, weight in zip(outs, self._weights, strict=True):
                yield self._loss(phase, out, weight)

    def _loss(self, phase: Phase, out: Any, weight: float) -> Loss:
        with self._model.compute.forward():
            loss = phase.loss(out)
        return loss if weight == 1 else scaled(loss, weight)

    def _pieces(self, place: int) -> Iterator[Any]:
        """Yield the outputs of the pieces of one part."""
        model, part = self._model, self._parts[place]
        whole: list[Callable[[], Any]] = [lambda: model(part)]
        pieces = model.pieces(part) if self._in_pieces and isinstance(model, InPieces) else whole
        for number, piece in enumerate(pieces):
            yield self._computed((place, number), piece)

    def _computed(self, key: tuple[int, int], piece: Callable[[], Any]) -> Any:
        if key not in self._starts:
            self._starts[key] = RandomState(self._model.compute.device), copied_buffers(self._model.networks)
            with self._model.compute.forward():
                return piece()
        state, buffers = self._starts[key]
        with state.replayed(), still_statistics(self._model.networks, buffers), self._model.compute.forward():
            return piece()


class Splitter:
    """Splits batches as ``--accumulate`` and ``--memory`` say, and lets networks remember what these allow."""

    def __init__(self, model: TranslationModel[Any], opt: OptimOptions) -> None:
        self._model, self._parts = model, opt.accumulate
        self._in_pieces = opt.memory != "normal" and isinstance(model, InPieces)
        if opt.memory == "lowest":
            recompute_blocks(model.networks)

    def start(self, batch: Batch) -> Whole | Split:
        """Return the way of a batch through the model."""
        parts = min(self._parts, batch.size)
        if parts == 1 and not self._in_pieces:
            return Whole(self._model, batch)
        return Split(self._model, batch, parts=parts, in_pieces=self._in_pieces)


def scaled(loss: Loss, weight: float) -> Loss:
    """Return a part's share of the whole batch's loss."""
    parts, accuracies = (
        {name: value * weight for name, value in table.items()} for table in (loss.parts, loss.accuracies)
    )
    return Loss(loss.total * weight, parts, accuracies)


def added(sums: Loss | None, loss: Loss) -> Loss:
    """Return a sum of losses, without a graph, with one more."""
    total, parts = loss.total.detach(), {name: value.detach() for name, value in loss.parts.items()}
    if sums is None:
        return Loss(total, parts, loss.accuracies)
    return Loss(sums.total + total, merged(sums.parts, parts), merged(sums.accuracies, loss.accuracies))


def merged(sums: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return both tables in one, what is in both added."""
    return {**sums, **{name: sums[name] + value if name in sums else value for name, value in values.items()}}
