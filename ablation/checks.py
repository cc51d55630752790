"""What is refused before the first training: flags that would lose to others, metrics that these runs do not have."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from ablation.tables import Table
from data.registry import DATASETS
from inference.evaluating.of_run import metric_names
from metrics.base import METRICS
from models.measurable import refuse_impossible
from models.registry import MODELS
from options.arguments import typed
from options.cli import parse_test, parse_train
from options.errors import UserError
from options.evaluate import EvaluateOptions, parse_evaluate
from options.schema import TRAIN_TABLES, Options
from options.stored import flatten

OURS = ("model", "name", "checkpoints_dir", "dataroot", "seed", "direction")
PAIRED_OR_NOT = ("webdataset",)  # only its files tell


def parsed(train: Sequence[str]) -> Options:
    """Parse as ``train.py`` will, without telling what it will tell."""
    with _silent():
        return parse_train(train)


def refuse_varied(table: Table, train: Sequence[str]) -> None:
    """Raise a ``UserError`` for a flag, typed for ``train.py``, that a row or this program sets."""
    for name in typed(train, [*TRAIN_TABLES.values(), MODELS[table.model].Flags]):
        if name in table.varied:
            raise UserError(f"--{name} is what the rows of {table.name} differ in; leave it out")
        if name in OURS:
            raise UserError(f"--{name} for train.py is set by ablate.py; give it before -- if it is a flag there")


def refuse_evaluation(words: Sequence[str], extra: Sequence[str], trained: Options) -> None:
    """Parse the words for ``evaluate.py`` as it will, and see that the metrics can be had.

    Args:
        extra: those of the words that were typed for it.
        trained: the options of the run.

    Raises:
        UserError: a flag has no effect, or a metric is unknown, has nothing to compare, or lacks palette or segmenter.
        SystemExit: ``evaluate.py`` would refuse its flags.
    """
    for name in set(typed(extra, [EvaluateOptions])) & {"metrics", "output"}:
        raise UserError(f"--{name} for evaluate.py is set by ablate.py; give it before -- if it is a flag there")
    own, others = parse_evaluate(words)
    own.refuse_for_run()
    with _silent():
        opt = parse_test(others, stored=lambda run: flatten(trained), program="evaluate.py")
    names = metric_names(opt.result.metrics)
    mode, model = opt.data.dataset_mode, opt.run.model
    paired = DATASETS[mode].paired or mode in PAIRED_OR_NOT
    refuse_impossible(names, MODELS[model], model=model, dataset_mode=mode, paired=paired)
    for name in names:
        if METRICS[name].reads_files:
            METRICS[name](opt.evaluation, torch.device("cpu"))


@contextmanager
def _silent() -> Iterator[None]:
    """Keep back what a parser tells: its program tells it."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
