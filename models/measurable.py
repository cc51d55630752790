"""Which metrics a model and its data set can have."""

from collections.abc import Sequence
from typing import Any

from metrics.base import METRICS, Need
from models.abilities import TranslatesBack
from models.base import TranslationModel
from options.errors import UserError


def default_metrics(model: TranslationModel[Any], *, paired: bool) -> tuple[str, ...]:
    """Return what is measured where nothing is asked for: it needs no weights of another network.

    Raises:
        UserError: there is nothing of that kind.
    """
    if paired:
        return ("l1",)
    if isinstance(model, TranslatesBack):
        return ("cycle",)
    raise UserError(
        f"--model {model.opt.run.model} has neither pairs nor a way back to measure without another network; say what "
        "to measure, such as --val_metrics kid"
    )


def refuse_impossible(
    names: Sequence[str], kind: type[TranslationModel[Any]], *, model: str, dataset_mode: str, paired: bool
) -> None:
    """Raise a ``UserError`` for a metric that nothing could be fed to.

    Args:
        names: of metrics.
        kind: the model's class, and ``model`` its name.
        paired: whether B is what A should become.
    """
    why: dict[Need, str] = {}
    if not paired:
        why["pairs"] = f"--dataset_mode {dataset_mode} has no pairs"
    if not issubclass(kind, TranslatesBack):
        why["cycles"] = f"--model {model} does not translate back"
    for name in names:
        if reason := why.get(METRICS[name].needs):
            fit = ", ".join(key for key in METRICS if METRICS[key].needs not in why)
            raise UserError(f"the metric {name} cannot be measured: {reason}; measured can be {fit}")
