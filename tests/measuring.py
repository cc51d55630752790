"""What tests of ``evaluate.py`` share: to run it, to read what it writes, and folders as ``test.py`` leaves them."""

import json
from pathlib import Path
from typing import Any

from tests.conftest import Finished, RunCli
from tests.images import an_image, write

CYCLE = "--netG resnet_1blocks --load_size 32 --crop_size 32"
PAIRS = f"{CYCLE} --norm instance"
SIZE = "--preprocess resize_and_crop --load_size 32 --crop_size 32"


def evaluate(run_cli: RunCli, *words: object) -> Finished:
    """Run ``evaluate.py``; texts are split into words."""
    return run_cli("evaluate", [part for word in words for part in (word.split() if isinstance(word, str) else [word])])


def measured(run_cli: RunCli, *words: object) -> Any:
    """Return what ``evaluate.py`` writes."""
    done = evaluate(run_cli, *words, "--output out.json --statistics_cache off")
    assert done.code == 0, done.stderr
    return json.loads(Path("out.json").read_text())


def value(found: Any, score: str = "l1") -> float:
    return float(found["scores"][score]["value"])


def images(found: Any) -> tuple[int, int]:
    counts = found["evaluator"]["images"]
    return counts["fake"], counts["real"]


def labelled_folder(folder: Path, labels: str, names: str = "a0 a1", seed: int = 0) -> Path:
    for number, name in enumerate(names.split()):
        for label in labels.split():
            write(an_image(seed + number, (24, 20)), folder / f"{name}_{label}.png")
    return folder
