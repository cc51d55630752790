"""The table as it stands: means over the seeds beside the published scores, and whether the order is the paper's."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ablation.ordering import Better, Mean, Pair, compare, mean, published_order
from ablation.record import Entry
from ablation.tables import Published, Table
from util.markdown import table as grid

NOTE = (
    "Beside our scores stand those of the paper, of **another data set and another measure**: {measure}. Only the "
    "order of the rows can be compared."
)
RULE = (
    "Compared are the pairs of rows on which all columns of the paper agree. A difference counts if it is larger than "
    "the standard deviation over the seeds of either row. Pairs are written as in the paper, better row first."
)


TOLD = ("dataroot", "direction", "load_size", "crop_size", "batch_size", "n_epochs", "n_epochs_decay", "ngf", "ndf")


class Column(NamedTuple):
    """One of our scores.

    Attributes:
        means: by the label of the row.
    """

    better: Better
    means: dict[str, Mean]


def columns(runs: Iterable[Entry]) -> dict[str, Column]:
    """Return our scores by name, over the seeds; runs that are not evaluated and what is no number are left out."""
    values: dict[str, dict[str, list[float]]] = {}
    better: dict[str, Better] = {}
    for run in runs:
        for name, score in run.get("scores", {}).items():
            if score["value"] is not None:
                values.setdefault(name, {}).setdefault(run["row"], []).append(score["value"])
                better[name] = "higher" if score["better"] == "higher" else "lower"
    return {
        name: Column(better[name], {row: mean(seeds) for row, seeds in rows.items()}) for name, rows in values.items()
    }


def orders(table: Table, ours: Mapping[str, Column]) -> list[tuple[Published, str, list[Pair]]]:
    """Return the verdicts for each of the published measures and each of our scores that goes with it."""
    known = [(one, published_order(one.rows, one.better)) for one in table.published]
    return [
        (one, name, compare(order, column.means, column.better))
        for one, order in known
        for name, column in ours.items()
        if one.concerns(name)
    ]


def summary(table: Table, runs: Sequence[Entry]) -> dict[str, Any]:  # Any: what JSON can hold
    """Return means and verdicts as plain values."""
    ours = columns(runs)
    order: dict[str, dict[str, list[dict[str, str]]]] = {}
    for one, name, pairs in orders(table, ours):
        order.setdefault(name, {})[one.measure] = [pair._asdict() for pair in pairs]
    means = {name: {row: m._asdict() for row, m in column.means.items()} for name, column in ours.items()}
    return {"means": means, "order": order}


def markdown(table: Table, runs: Sequence[Entry]) -> str:
    """Lay everything out for people."""
    ours = columns(runs)
    parts = [f"# {table.name}: {table.about}", f"{table.source}. The paper's protocol: {table.protocol}"]
    parts += _ours(table, runs)
    for one in table.published:
        mine = {name: column for name, column in ours.items() if one.concerns(name)}
        parts += [NOTE.format(measure=one.measure), _scores(table, one, mine, runs)]
    parts += ["## Is the paper's order there?", RULE, _order(table, ours)]
    if any(m.seeds == 1 for column in ours.values() for m in column.means.values()):
        parts.append("Rows with a single seed have no spread, so that every difference counts.")
    return "\n\n".join(parts) + "\n"


def _ours(table: Table, runs: Sequence[Entry]) -> list[str]:
    """Say what our scores are of."""
    started = [run for run in runs if run.get("started")]
    if not started:
        return []
    settings = started[0]["settings"]
    trained = " ".join(f"--{name} {settings[name]}" for name in TOLD if name not in table.varied and name in settings)
    evaluated = sorted({" ".join(run["evaluated"][1:-2]) for run in started if "evaluated" in run})
    return [f"Ours: `{trained}`" + (f", evaluated with `{'`, `'.join(evaluated)}`" if evaluated else "") + "."]


def _scores(table: Table, one: Published, ours: Mapping[str, Column], runs: Sequence[Entry]) -> str:
    arrows = {"higher": "higher is better", "lower": "lower is better"}
    head = ["row", *(f"{name} ({arrows[column.better]})" for name, column in ours.items()), "seeds", "training"]
    head += [f"paper: {name}" for name in one.columns]
    lines = []
    for row in table.rows:
        mine = [run for run in runs if run["row"] == row.label and run.get("scores")]
        seconds = [run["train_seconds"] for run in mine]
        cells = [row.label, *(_cell(column.means.get(row.label)) for column in ours.values()), str(len(mine))]
        cells += [_duration(sum(seconds) / len(seconds)) if seconds else "", *_given(one, one.rows.get(row.label))]
        lines.append(cells)
    blank = [""] * (len(ours) + 2)
    lines += [[label, *blank, *_given(one, values)] for label, values in one.beside.items()]
    return grid(head, lines)


def _given(one: Published, values: Sequence[float] | None) -> list[str]:
    return [f"{value:.2f}" for value in values] if values else [""] * len(one.columns)


def _order(table: Table, ours: Mapping[str, Column]) -> str:
    head = ["score", "the paper's measure", "as published", "the other way round", "within the spread"]
    lines = []
    for one, name, pairs in orders(table, ours):
        found = {verdict: [p for p in pairs if p.verdict == verdict] for verdict in head[2:]}
        told = [", ".join(f"{p.first} > {p.second}" for p in found[verdict]) for verdict in head[3:]]
        lines.append([name, one.measure, f"{len(found[head[2]])} of {len(pairs)}", *told])
    return grid(head, lines)


def _cell(m: Mean | None) -> str:
    if m is None:
        return ""
    return f"{m.value:.4g} ± {m.spread:.2g}" if m.seeds > 1 else f"{m.value:.4g}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
