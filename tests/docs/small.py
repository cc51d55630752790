"""Flags that make a documented command small, and leave what it is about."""

from collections.abc import Sequence
from pathlib import Path

from ablation.tables import read_table
from tests.docs.stand_ins import HERE, TINY

GOES_ON = ("--continue_train", "--resume")
NEW = ("-o", "--output", "--out", "--json", "--fold_AB", "--output_dir", "--sheet", "--to")  # before what is made


def made_small(program: str, words: Sequence[str], *, as_typed: bool, weights: Path | None) -> list[str]:
    """Append flags to the words after an entry point's name.

    Args:
        as_typed: the command is small already.
        weights: folder of the networks of metrics, where it measures.
    """
    measuring = ["--metric_weights", str(weights), "--statistics_cache", "off"] if weights else []
    if program == "ablate.py":
        return _ablation(words, measuring)
    added = [*words, *measuring]
    if program == "train.py":
        added += HERE.split() + ([] if as_typed else _training(words))
    elif program == "test.py":
        added += HERE.split()[:4]
    return added


def measures(program: str, words: Sequence[str]) -> bool:
    """Tell whether a command may need the weights of Inception or AlexNet."""
    return program in ("evaluate.py", "ablate.py") or bool({"--metrics", "--val_metrics"} & set(words))


def inputs(program: str, words: Sequence[str]) -> list[str]:
    """Return the words that may name what has to be there."""
    if program.startswith("datasets.download"):
        return []
    if program == "app.py":
        return ["horse2zebra", "facades", *words]
    made = NEW if goes_on(words) or program != "train.py" else (*NEW, "--name")
    given = [word for before, word in zip(["", *words], words, strict=False) if before not in made]
    return [part for word in given for part in word.split(",")]


def goes_on(words: Sequence[str]) -> bool:
    return bool(set(GOES_ON) & set(words))


def _training(words: Sequence[str]) -> list[str]:
    if goes_on(words):
        return ["--n_epochs", "2"]
    text = " ".join(words)
    contrastive = "--netF_nc 8 --num_patches 16" if "--model cut" in text or "_cut" in text else ""
    return f"{TINY} {contrastive}".split()


def _ablation(words: Sequence[str], measuring: Sequence[str]) -> list[str]:
    """Keep the first row of a table, trained once."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word == "--" and len(parts) < 3:
            parts.append([])
        else:
            parts[-1].append(word)
    own, train, evaluate = [*parts, [], []][:3]
    if "--list" in own:
        return list(words)
    row = read_table(own[0]).rows[0].label
    return [*own, "--seeds", "1", "--only", row, "--", *train, *f"{TINY} {HERE}".split(), "--", *evaluate, *measuring]
