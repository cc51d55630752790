"""What is to be run: for each row and seed the words for ``train.py`` and ``evaluate.py``, checked before the first."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablation.checks import parsed, refuse_evaluation, refuse_varied
from ablation.tables import Flags, Row, Table, words
from options.ablate import AblateOptions
from options.cli.preset import read_preset
from options.cli.resolving import preset_named
from options.schema import Options
from options.stored import as_json

# The dashboard and numbered weights of dozens of runs are in the way; whoever wants them types the flags.
SPARSE = ("--display_id", "0", "--save_epoch_freq", "1000000", "--keep_last", "1")
SCORES_FILE = "scores.json"

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
    def scores(self) -> Path:
        """The file that ``evaluate.py`` writes."""
        return self.folder / SCORES_FILE


def plan(table: Table, opt: AblateOptions) -> list[Job]:
    """Return the jobs, all rows with the first seed, then all with the next, so that a first table is there early.

    Raises:
        UserError: a typed flag is one in which the rows differ, or a metric is one that these runs do not have.
        SystemExit: ``train.py`` or ``evaluate.py`` would refuse their flags.
    """
    refuse_varied(table, opt.train)
    rows = table.chosen(opt.only)
    jobs = [_job(table, row, seed, opt) for seed in range(opt.seeds) for row in rows]
    refuse_evaluation(jobs[0].evaluate, opt.evaluate, parsed(jobs[0].train))
    return jobs


def table_folder(table: Table, opt: AblateOptions) -> Path:
    """Return the folder of the table's runs and results."""
    return Path(opt.checkpoints_dir, table.name)


def _job(table: Table, row: Row, seed: int, opt: AblateOptions) -> Job:
    name = f"{row.slug}_seed{seed}"
    train = _train_words(table, row, seed, opt)
    folder = table_folder(table, opt) / name
    evaluate = _evaluate_words(folder, table, opt)
    return Job(row, seed, name, folder, tuple(train), tuple(evaluate), settings(parsed(train)))


def _train_words(table: Table, row: Row, seed: int, opt: AblateOptions) -> list[str]:
    """Return a training's words; later ones win: the table's, the user's, the row's."""
    where = ["--name", f"{table.name}/{row.slug}_seed{seed}", "--checkpoints_dir", opt.checkpoints_dir]
    what = ["--model", table.model, "--dataroot", opt.dataroot, "--seed", str(seed), "--resume", "auto"]
    what += ["--direction", opt.direction] if opt.direction else []
    flags = _beside_preset(table.flags, preset_named(opt.train))
    without_size = {name: value for name, value in flags.items() if "{size}" not in str(value)}
    size = parsed([*what, *words(without_size), *opt.train]).data.crop_size
    return [*where, *what, *SPARSE, *words(flags, size), *opt.train, *words(row.flags, size)]


def _beside_preset(flags: Flags, name: str) -> Flags:
    """Return the table's flags that a typed preset does not set; of a network of the same kind the size stays free."""
    recipe = read_preset(name).flags if name else {}

    def free(flag: str, value: Any) -> bool:
        sized = re.escape(str(value)).replace(re.escape("{size}"), r"\d+")
        return flag not in recipe or ("{size}" in str(value) and bool(re.fullmatch(sized, str(recipe[flag]))))

    return {flag: value for flag, value in flags.items() if free(flag, value)}


def _evaluate_words(folder: Path, table: Table, opt: AblateOptions) -> list[str]:
    """Return the words for ``evaluate.py``."""
    what = ["--dataroot", opt.dataroot, "--phase", opt.phase, "--metrics", opt.metrics or table.metrics]
    return [str(folder), *what, *opt.evaluate, "--output", str(folder / SCORES_FILE)]


def settings(opt: Options) -> dict[str, Any]:
    """Return the flags that make a training what it is, as JSON holds them."""
    tables = (opt.net, opt.data, opt.optim, opt.own, opt.dataset)
    flat = {name: value for table in tables for name, value in dataclasses.asdict(table).items() if name not in FREE}
    flat |= {"precision": opt.speed.precision, "fast_layers": opt.speed.fast_layers, "compile": opt.speed.compile}
    flat |= {"init_from": opt.start.init_from, "val_share": opt.val.val_share, "patience": opt.val.patience}
    if opt.val.patience or opt.optim.lr_policy == "plateau":  # what is measured decides how the training goes on
        flat |= dataclasses.asdict(opt.val)
    return as_json({"model": opt.run.model, "seed": opt.run.seed, **flat})
