"""Which metrics a model and its data set can have."""

from collections.abc import Sequence
from typing import Any

from data.base import TranslationDataset
from metrics.base import METRICS
from models.base import TranslationModel
from options.errors import UserError


def default_metrics(model: TranslationModel[Any], *, paired: bool) -> tuple[str, ...]:
    """Return what is measured where nothing is asked for: it needs no weights of another network.

    Raises:
        UserError: there is nothing of that kind.
    """
    if paired:
        return ("l1",)
    if type(model).cycles is not TranslationModel.cycles:
        return ("cycle",)
    raise UserError(
        f"--model {model.opt.run.model} has neither pairs nor a way back to measure without another network; say what "
        "to measure, such as --val_metrics kid"
    )


def refuse_impossible(names: Sequence[str], model: TranslationModel[Any], dataset: TranslationDataset) -> None:
    """Raise a ``UserError`` for a metric that nothing could be fed to."""
    has = {
        "sets": True,
        "labelled": True,
        "pairs": dataset.paired,
        "cycles": type(model).cycles is not TranslationModel.cycles,
    }
    why = {
        "pairs": f"--dataset_mode {dataset.opt.dataset_mode} has no pairs",
        "cycles": f"--model {model.opt.run.model} does not translate back",
    }
    for name in names:
        need = METRICS[name].needs
        if not has.get(need, False):
            fit = [key for key in METRICS if has.get(METRICS[key].needs)]
            raise UserError(f"the metric {name} cannot be measured: {why[need]}; measured can be {', '.join(fit)}")
