"""All settings of a command, as frozen dataclasses by topic, each with a file of its own.

A field's name is its flag. ``bool`` becomes a switch, ``Literal`` becomes choices, anything else its type. Models and
data sets add a dataclass (``Flags``) and override defaults as data. ``options`` imports nothing else of the project, so
that everything may import it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, get_type_hints

from options.data import DataOptions as DataOptions
from options.errors import UserError
from options.evaluation import EvaluationSettings
from options.flag import Settings, flags_of
from options.net import NetOptions as NetOptions
from options.recording import LogOptions, SaveOptions
from options.result import ResultOptions
from options.run import RunOptions as RunOptions
from options.speed import SpeedOptions
from options.training import OptimOptions, StartOptions
from options.validation import ValidationOptions

_train = partial(field, metadata={"programs": ("train",)})
_test = partial(field, metadata={"programs": ("test",)})
_both = partial(field, metadata={"programs": ("train", "test")})


@dataclass(frozen=True, kw_only=True)
class Options:
    """All settings of one command, by topic, in the order of the help.

    Attributes:
        own: the flags that the model declares.
        dataset: the flags that the data set declares.
        is_train: True in ``train.py``.
        held_out: read the images that ``--val_share`` keeps aside, instead of the others.
        defaults: flag -> value when not given.
    """

    run: RunOptions = _both()
    data: DataOptions = _both()
    result: ResultOptions = _test()
    start: StartOptions = _train()
    net: NetOptions = _both()
    optim: OptimOptions = _train()
    val: ValidationOptions = _train()
    save: SaveOptions = _train()
    log: LogOptions = _train()
    speed: SpeedOptions = _both()
    evaluation: EvaluationSettings = _both()
    own: Any  # an instance of the model's own class
    dataset: Any  # an instance of the data set's own class
    is_train: bool
    held_out: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.start.epoch_count > self.optim.last_epoch:
            raise UserError(
                f"--epoch_count {self.start.epoch_count} is past the last epoch, {self.optim.last_epoch} (--n_epochs "
                "plus --n_epochs_decay); raise one of these"
            )


def _tables(program: str) -> Mapping[str, type[Settings]]:
    """Return the topics whose flags a program takes, and their dataclasses."""
    kinds = get_type_hints(Options)
    return {topic.name: kinds[topic.name] for topic in fields(Options) if program in topic.metadata.get("programs", ())}


TRAIN_TABLES, TEST_TABLES = _tables("train"), _tables("test")
TEST_DEFAULTS: Mapping[str, Any] = {
    flag.name: flag.in_test
    for table in TEST_TABLES.values()
    for flag in flags_of(table).values()
    if flag.in_test is not None
}
