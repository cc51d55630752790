"""Flags that make a documented command small and let it work here; what it is about stays."""

import shlex
from collections.abc import Sequence

from ablation.tables import read_table

SIZE = "--load_size 36 --crop_size 32"
TINY = f"--ngf 4 --ndf 4 {SIZE} --n_epochs 1 --n_epochs_decay 0 --print_freq 2 --display_freq 2"
HERE = "--gpu_ids -1 --num_threads 0"  # no worker processes
SWEEP = "--rounds 1 --steps 1 --ngf 4 --ndf 4 --gpu_ids -1"
ADDED = {
    "train.py": f"{HERE} --display_id 0",
    "test.py": HERE,
    "evaluate.py": HERE,
    "translate.py": "--gpu_ids -1",
    "benchmarks.step": SWEEP,
    "benchmarks.inference": SWEEP,
    "datasets.make_demo_dataset": "--size 40",
}
MOST = 10  # images of a set that is drawn
NEW = ("-o", "--output", "--out", "--json", "--fold_AB", "--output_dir", "--sheet")  # before a name of what is made
GOES_ON = {"--continue_train", "--resume"}


def inputs(program: str, words: Sequence[str]) -> list[str]:
    """Return the words that may name what has to be there."""
    if program.startswith("datasets.download"):
        return []
    new = (*NEW, "--name") if program == "train.py" and not GOES_ON & set(words) else NEW
    given = [word for before, word in zip(["", *words], words, strict=False) if before not in new]
    return [part for word in given for part in word.split(",")]


def made_small(program: str, words: Sequence[str]) -> list[str]:
    """Append flags to the words after a program's name."""
    added = [*words, *ADDED.get(program, "").split()]
    if program == "ablate.py":
        return _first_row(words)
    if program == "datasets.make_demo_dataset":
        return [*added, *_few(words)]
    if program != "train.py":
        return added
    if GOES_ON & set(words):
        return [*added, "--n_epochs", "2"]
    contrastive = "--netF_nc 8 --num_patches 16" if any("cut" in word for word in words) else ""
    return [*added, *f"{TINY} {contrastive}".split()]


def _few(words: Sequence[str]) -> list[str]:
    """Let a set have few images, but none where the command says so."""
    typed = dict(zip(words, words[1:], strict=False))
    return [word for flag in ("--train", "--test") for word in (flag, str(min(int(typed.get(flag, MOST)), MOST)))]


def _first_row(words: Sequence[str]) -> list[str]:
    """Keep the first row of a table, trained once."""
    if "--list" in words:
        return list(words)
    own, _, rest = shlex.join(words).partition(" -- ")
    train, _, evaluate = rest.partition(" -- ")
    row = shlex.quote(read_table(words[0]).rows[0].label)
    return shlex.split(f"{own} --seeds 1 --only {row} -- {train} {ADDED['train.py']} {TINY} -- {evaluate} {HERE}")
