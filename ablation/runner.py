"""Train and evaluate what is not done yet, one after the other; every finished run is on record at once."""

import json
import logging
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ablation.child import FailedError, run
from ablation.plan import Job, plan, table_folder
from ablation.record import Entry, Record, Score
from ablation.report import markdown, summary
from ablation.tables import Table
from options.ablate import AblateOptions
from options.errors import StoppedError
from util.files import whole_file
from util.run_folder import clear_run, make_folder

log = logging.getLogger(__name__)

REPORT_FILE = "results.md"
Run = Callable[[str, Sequence[str], Path], None]


def run_table(table: Table, opt: AblateOptions, run: Run = run) -> list[str]:
    """Run a table, or go on with it, and write ``results.json`` and ``results.md`` into its folder.

    Args:
        run: starts a program with words and a log file.

    Returns:
        What is wrong with the runs that failed; the others were run all the same.

    Raises:
        UserError: flags contradict each other or the runs that are there.
    """
    jobs = plan(table, opt)
    folder = make_folder(table_folder(table, opt))
    record = Record(folder, table)
    if opt.overwrite:
        _start_over(jobs, record)
    entries = [record.entry(job) for job in jobs]
    complaints = []
    for number, (job, entry) in enumerate(zip(jobs, entries, strict=True), start=1):
        title = f"[{number}/{len(jobs)}] {job.row.label}, seed {job.seed}"
        try:
            _train(job, entry, record, run, title)
            _evaluate(job, entry, run, title)
        except FailedError as error:
            complaints.append(f"{job.name}: {error}")
            log.warning("%s failed: %s (all of it: %s)", title, error, _log_file(job))
        finally:
            write_results(record)
    log.info("\n%s\n%s", (folder / REPORT_FILE).read_text(encoding="utf-8"), folder / REPORT_FILE)
    return complaints


def commands(table: Table, opt: AblateOptions) -> Iterator[str]:
    """Yield the commands of all runs, done or not, as they would be typed."""
    for job in plan(table, opt):
        yield shlex.join(["python", "train.py", *job.train])
        yield shlex.join(["python", "evaluate.py", *job.evaluate])


def write_results(record: Record) -> None:
    """Bring both files up to date."""
    table, runs = record.table, list(record.runs.values())
    record.write(summary(table, runs))
    with whole_file(record.path.with_name(REPORT_FILE)) as file:
        file.write(markdown(table, runs).encode())


def _start_over(jobs: Sequence[Job], record: Record) -> None:
    """Delete what earlier runs of the same names have written."""
    record.forget(jobs)
    for job in jobs:
        clear_run(job.folder)
        job.scores.unlink(missing_ok=True)


def _train(job: Job, entry: Entry, record: Record, run: Run, title: str) -> None:
    if entry["trained"]:
        return
    entry["started"] = True
    write_results(record)  # the settings are on record before anything is learned with them
    log.info("%s: training (%s)", title, _log_file(job))
    start = time.perf_counter()
    try:
        run("train.py", job.train, _log_file(job))
    except (StoppedError, KeyboardInterrupt):
        log.warning("%s: stopped; the same command goes on", title)
        raise
    finally:
        entry["train_seconds"] += time.perf_counter() - start
    entry["trained"] = True
    entry.pop("evaluated", None)
    log.info("%s: trained in %.0f s", title, entry["train_seconds"])


def _evaluate(job: Job, entry: Entry, run: Run, title: str) -> None:
    words = list(job.evaluate)
    if entry.get("evaluated") == words:
        log.info("%s: done already", title)
        return
    start = time.perf_counter()
    run("evaluate.py", words, _log_file(job))
    entry["evaluate_seconds"] = time.perf_counter() - start
    entry["scores"], entry["evaluator"] = _read_scores(job.scores)
    entry["evaluated"] = words
    told = [f"{name} {score['value']:.4g}" for name, score in entry["scores"].items() if score["value"] is not None]
    log.info("%s: %s", title, ", ".join(told))


def _read_scores(path: Path) -> tuple[dict[str, Score], dict[str, Any]]:  # Any: what JSON can hold
    """Return the scores that ``evaluate.py`` has written, and what it says of itself."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        scores = {name: Score(value=one["value"], better=one["better"]) for name, one in found["scores"].items()}
        parts = found.get("generators", {})
        return scores, {name: part["evaluator"] for name, part in parts.items()} or found["evaluator"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FailedError(f"evaluate.py left no scores in {path} ({error})") from error


def _log_file(job: Job) -> Path:
    return job.folder.with_name(f"{job.name}.log")
