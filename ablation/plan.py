"""What is to be run: for each row and seed the words for ``train.py`` and ``evaluate.py``, checked before the first."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablation.tables import Row, Table, words
from options.ablate import AblateOptions
from options.cli import parse_train
from options.errors import UserError
from options.schema import Options
from options.stored import as_json

# The dashboard and numbered weights of dozens of runs are in the way; whoever wants them types the flags.
SPARSE = ("--display_id", "0", "--save_epoch_freq", "1000000", "--keep_last", "1")
FIGURES_FILE = "figures.json"

# What two trainings may differ in and still be the same run.
FREE = {"num_threads", "cache", "cache_gb", "cache_dir", "no_data_check", "memory"}


@dataclass(frozen=True)
class Job:
    """One row with one seed.

    Attributes:
        name: of the run, below the table's folder.
        folder: of the run.
        train: words for ``train.py``.
        evaluate: words for ``evaluate.py``.
        settings: the flags that make the training what it is, as JSON holds them.
    """

    row: Row
    seed: int
    name: str
    folder: Path
    train: tuple[str, ...]
    evaluate: tuple[str, ...]
    settings: Mapping[str, Any]

    @property
    def figures(self) -> Path:
        """The file that ``evaluate.py`` writes."""
        return self.folder / FIGURES_FILE


def plan(table: Table, opt: AblateOptions) -> list[Job]:
    """Return the jobs, all rows with the first seed, then all with the next, so that a first table is there early.

    Raises:
        UserError: a flag typed for ``train.py`` is one in which the rows differ.
        SystemExit: ``train.py`` would refuse its flags.
    """
    _refuse_varied(table, opt.train)
    rows = table.chosen(opt.only)
    return [_job(table, row, seed, opt) for seed in range(opt.seeds) for row in rows]


def table_folder(table: Table, opt: AblateOptions) -> Path:
    """Return the folder of the table's runs and results."""
    return Path(opt.checkpoints_dir, table.name)


def _job(table: Table, row: Row, seed: int, opt: AblateOptions) -> Job:
    name = f"{row.slug}_seed{seed}"
    train = _train_words(table, row, seed, opt)
    folder = table_folder(table, opt) / name
    return Job(row, seed, name, folder, tuple(train), tuple(_evaluate_words(folder, opt)), settings(_parsed(train)))


def _train_words(table: Table, row: Row, seed: int, opt: AblateOptions) -> list[str]:
    """Return a training's words; later ones win: the table's, the user's, the row's."""
    where = ["--name", f"{table.name}/{row.slug}_seed{seed}", "--checkpoints_dir", opt.checkpoints_dir]
    what = ["--model", table.model, "--dataroot", opt.dataroot, "--seed", str(seed), "--resume", "auto"]
    what += ["--direction", opt.direction] if opt.direction else []
    without_size = {name: value for name, value in table.flags.items() if "{size}" not in str(value)}
    size = _parsed([*what, *words(without_size), *opt.train]).data.crop_size
    return [*where, *what, *SPARSE, *words(table.flags, size), *opt.train, *words(row.flags, size)]


def _evaluate_words(folder: Path, opt: AblateOptions) -> list[str]:
    """Return the words for ``evaluate.py``; this function alone knows its flags."""
    what = ["--dataroot", opt.dataroot, "--phase", opt.phase, "--metrics", opt.metrics]
    return [str(folder), *what, *opt.evaluate, "--output", str(folder / FIGURES_FILE)]


def settings(opt: Options) -> dict[str, Any]:
    """Return the flags that make a training what it is, as JSON holds them."""
    tables = (opt.net, opt.data, opt.optim, opt.own, opt.dataset)
    flat = {name: value for table in tables for name, value in dataclasses.asdict(table).items() if name not in FREE}
    return as_json({"model": opt.run.model, "seed": opt.run.seed, **flat})


def _refuse_varied(table: Table, typed: Sequence[str]) -> None:
    for word in typed:
        name = word.split("=")[0].lstrip("-")
        if word.startswith("--") and name in table.varied:
            raise UserError(f"--{name} is what the rows of {table.name} differ in; leave it out")
        if word.startswith("--") and name in ("model", "name", "checkpoints_dir", "dataroot", "seed", "direction"):
            raise UserError(f"--{name} for train.py is set by ablate.py; give it before -- if it is a flag there")


def _parsed(train: Sequence[str]) -> Options:
    """Parse as ``train.py`` will, without telling what it will tell."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        return parse_train(train)
    finally:
        logging.disable(before)
