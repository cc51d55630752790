"""Which weights an export takes: the directions of a run, and the file that each lies in."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from inference.direction import Direction
from inference.load import read_directions
from options.errors import UserError
from options.stored import read_options
from util.checkpoint import AVERAGED


class Source(NamedTuple):
    """A direction of a run and the file of its weights."""

    way: Direction
    file: Path

    @property
    def weights(self) -> str:
        """``averaged`` or ``raw``."""
        return "averaged" if self.file.stem.endswith(AVERAGED) else "raw"


def read_sources(
    place: Path, prefix: str, *, ema: float | None = None, direction: str = "", training_norms: bool = False
) -> list[Source]:
    """Read the generators of a run, or the one in a file.

    Args:
        place: the run's folder, or a file of weights.
        prefix: ``latest``, an epoch number, ``iter_<N>`` ...; a file's own name says it.
        ema: above 0 for averaged weights, whose file names end in ``_ema``; 0 for raw ones; None for those that a
            test of the run would take.
        direction: ``AtoB`` or ``BtoA``; empty takes all that there are.
        training_norms: let batch norms use what they gathered in training.

    Raises:
        UserError: there is no such run, file or direction, or one is damaged.
    """
    if place.is_file():
        if ema is not None or prefix != "latest":
            raise UserError(f"{place} is one file, so --ema, --epoch and --load_iter have no choice; leave them out")
        ways = read_directions(place, running_statistics=training_norms)
    else:
        averaged = float(read_options(place).get("ema", 0) if ema is None else ema) > 0
        _check_there(place, prefix, averaged=averaged)
        ways = read_directions(place, epoch=prefix, ema=averaged, running_statistics=training_norms)
    return [Source(way, way.file) for way in _chosen(ways, direction, place).values()]


def _chosen(ways: Mapping[str, Direction], direction: str, place: Path) -> Mapping[str, Direction]:
    if direction and direction not in ways:
        raise UserError(f"{place} translates {' and '.join(ways)}, not {direction}; leave --direction out")
    return {direction: ways[direction]} if direction else ways


def _check_there(run: Path, prefix: str, *, averaged: bool) -> None:
    stem = f"{prefix}_net_G*{AVERAGED if averaged else ''}"
    there = (path for suffix in (".pth", ".safetensors") for path in run.glob(stem + suffix))
    if not any(path.stem.endswith(AVERAGED) == averaged for path in there):
        advice = "check --name, --checkpoints_dir and --epoch"
        wanted = run / f"{stem}.pth"
        raise UserError(f"there is no {wanted}; {advice}{', or pass --ema 0 for raw weights' * averaged}")
