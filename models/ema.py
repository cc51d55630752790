"""The generators' weights, averaged over the training (``--ema``): calmer than those of any single step.

Karras et al. 2018 (arXiv 1710.10196, section 5); Yazici et al. 2019 (arXiv 1806.04498) compare it over many GANs.
What is no parameter is not averaged: the running statistics of batch norms are the network's own.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from options.errors import UserError

log = logging.getLogger(__name__)

WARM_UP = 9  # in the first steps the average spans about a ninth of all so far


class Averages:
    """The average of every network whose name begins with G; none if ``ema`` is 0.

    After step ``n``, from 0, ``average = d * average + (1 - d) * weights`` with ``d = min(ema, n / (n + 9))``: the
    first step takes the weights as they are, and 0.999 is reached after 8991 steps.

    Raises:
        UserError: no network has such a name.
    """

    def __init__(self, networks: nn.ModuleDict, ema: float) -> None:
        self._ema, self._updates = ema, 0
        averaged = {name: net for name, net in networks.items() if ema and name.startswith("G")}
        if ema and not averaged:
            raise UserError(
                f"--ema averages networks whose names begin with G, not {', '.join(networks)}; leave it out"
            )
        self._weights = {name: dict(net.named_parameters(remove_duplicate=False)) for name, net in averaged.items()}
        self._averages = {
            name: {key: weight.detach().clone() for key, weight in weights.items()}
            for name, weights in self._weights.items()
        }
        self._all_weights: list[Tensor] = [weight for net in self._weights.values() for weight in net.values()]
        self._all_averages = [average for net in self._averages.values() for average in net.values()]

    @property
    def are_kept(self) -> bool:
        """Whether there is an average that differs from the weights."""
        return self._updates > 0

    @torch.no_grad()
    def update(self) -> None:
        """Follow the weights after a step; does not wait for the device.

        Not to be recorded with the step: ``d`` changes.
        """
        if self._averages:
            decay = min(self._ema, self._updates / (self._updates + WARM_UP))
            torch._foreach_lerp_(self._all_averages, self._all_weights, 1 - decay)
            self._updates += 1

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Give the networks their averages while the body runs, and then their own weights back, to the bit.

        In place: compiled networks and optimizers notice nothing.
        """
        if not self._updates:  # the average is the weights
            yield
            return
        kept = [weight.detach().clone() for weight in self._all_weights]
        try:
            _copy(self._all_weights, self._all_averages)
            yield
        finally:
            _copy(self._all_weights, kept)

    def state_dict(self) -> dict[str, Any]:
        """Return the number of ``updates`` and, by name, the parameters of ``networks``, not copies; or nothing."""
        now = self._averages if self._updates else self._weights
        networks = {name: dict(parameters) for name, parameters in now.items()}
        return {"updates": self._updates, "networks": networks} if networks else {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over averages. Where there are none the next step starts them, and where none are wanted they go.

        Raises:
            KeyError: one of a network or a parameter is missing.
            TypeError: the number of updates is none.
            ValueError: a shape differs.
        """
        if self._averages and not state:
            log.info("there are no averaged weights yet: the average (--ema %s) starts with the next step", self._ema)
        elif self._averages:
            self._fill(state["networks"], state["updates"])
        elif state:
            log.info("the averaged weights are dropped (--ema 0)")

    def _fill(self, networks: Mapping[str, Mapping[str, Tensor]], updates: int) -> None:
        if type(updates) is not int or updates < 0:
            raise TypeError(f"{updates!r} is no number of updates")
        for name, averages in self._averages.items():
            for key, average in averages.items():
                given = networks[name][key]
                if given.shape != average.shape:
                    raise ValueError(f"the average of {key} has the shape {tuple(given.shape)}")
                average.copy_(given)
        self._updates = updates


@torch.no_grad()
def _copy(targets: list[Tensor], sources: list[Tensor]) -> None:
    torch._foreach_copy_(targets, sources)
