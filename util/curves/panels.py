"""A run's curves by what they tell: the groups that the dashboard and the plots show. It draws nothing itself."""

import math
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from util.curves.history import Curve, History
from util.curves.traces import is_reconstruction, usual_range

# What the adversarial losses are when a discriminator that can do no better says one half to everything.
EQUILIBRIUM: Mapping[str, float] = MappingProxyType({
    "lsgan": 0.25,  # Mao et al. 2017: squared distance of 1/2 to 0 or 1
    "vanilla": math.log(2),  # Goodfellow et al. 2014, section 4.1
})  # fmt: skip
MEASURES = 12  # panels for what validation measures, one for each metric; the last takes all that are left
OF_ONE_GENERATOR = re.compile(r"(_G(_[AB])?)?(_raw)?$")  # ends a figure's name: fid_G_A, fid_G_B, fid_G_A_raw are fid


class Panel(NamedTuple):
    """Curves that share axes. A list of all panels has the same ones for every run; some may have no curves."""

    name: str
    title: str
    kind: str  # what the curves are, in a word or two
    curves: Mapping[str, Curve]
    order: Sequence[str] = ()  # of colours; empty: that of the curves
    levels: Mapping[str, float] = MappingProxyType({})  # horizontal lines by label
    shares: bool = False  # of 1
    zero: bool = True  # the y axis begins at 0 unless something is below
    exact: bool = False  # no moving average


def panels(history: History, gan_mode: str) -> list[Panel]:
    """Return all panels, in reading order; last come those that begin last.

    Args:
        gan_mode: of the run; empty where it is not known.
    """
    losses, order = _visible(history.losses), tuple(history.losses)
    reconstruction = {name: curve for name, curve in losses.items() if is_reconstruction(name)}
    adversarial = {name: curve for name, curve in losses.items() if name not in reconstruction}
    is_game = any(name.startswith("D") for name in adversarial)
    level = EQUILIBRIUM.get(gan_mode) if is_game else None
    balance = {f"equilibrium {level:.3g}": level} if level else {}
    scores = _visible(history.scores)
    varieties = {name: curve for name, curve in scores.items() if name.startswith("variety_")}
    measures: list[dict[str, Curve]] = [{} for _ in range(MEASURES)]
    metrics = list(dict.fromkeys(OF_ONE_GENERATOR.sub("", name) for name in scores if name not in varieties))
    for name, curve in scores.items():
        if name not in varieties:
            place = metrics.index(OF_ONE_GENERATOR.sub("", name))
            measures[min(place, MEASURES - 1)][name] = curve
    verdicts, chance = _visible(history.accuracies), {"cannot tell": 0.5}
    speed, rate = {"Images per second": history.images_per_second}, {"Learning rate": history.learning_rate}
    return [
        Panel("gan", "GAN losses" if is_game or not adversarial else "Losses", "loss", adversarial, order, balance),
        Panel("reconstruction", "Reconstruction losses", "reconstruction", reconstruction, order),
        Panel("accuracy", "Discriminators: share of right verdicts", "accuracy", verdicts, levels=chance, shares=True),
        Panel("speed", "Images per second", "speed", _visible(speed)),
        Panel("waiting", "Time spent waiting for data", "waiting", _visible({"waiting": history.waiting}), shares=True),
        Panel("memory", "Memory, GiB", "memory", _visible({"memory": history.memory})),
        Panel("rate", "Learning rate", "rate", _visible(rate), exact=True),
        Panel("variety", "Variety of the samples (1: as real images)", "variety", varieties),
        *(_measure(place, metrics, own) for place, own in enumerate(measures)),
    ]


def _measure(place: int, metrics: Sequence[str], curves: Mapping[str, Curve]) -> Panel:
    title = f"Validation: {metrics[place]}" if curves else "Validation"
    return Panel(f"validation-{place}" if place else "validation", title, "validation", curves, zero=False)


def y_range(panel: Panel) -> tuple[float, float]:
    """Return the ends of the y axis: every level is inside, and all but the wildest reports."""
    if panel.shares:
        return 0.0, 1.03
    low, high = usual_range(y for curve in panel.curves.values() for y in curve.y)
    low, high = min(low, *panel.levels.values(), 0.0 if panel.zero else low), max(high, *panel.levels.values(), high)
    room = 0.05 * (high - low) or abs(high) or 1.0
    return (low if low == 0.0 else low - room), high + room


def _visible(curves: Mapping[str, Curve]) -> dict[str, Curve]:
    return {name: curve for name, curve in curves.items() if any(map(math.isfinite, curve.mean))}
