"""``ablate.py`` with an evaluator that needs no weights: started by tests as a program of its own."""

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from ablation import child, runner
from ablation.runner import Run
from ablation.tables import read_table
from options.ablate import parse_ablate
from util.run import entry_point


def evaluate(words: Sequence[str], weights: float) -> None:
    """Write scores as ``evaluate.py`` does: one that the weights decide, one that they do not."""
    output = Path(words[words.index("--output") + 1])
    names = words[words.index("--metrics") + 1].split(",")
    scores = {name: {"value": weights, "spread": None, "better": "lower"} for name in names}
    output.write_text(json.dumps({"scores": scores, "evaluator": {"phase": words[words.index("--phase") + 1]}}))


def run(program: str, words: Sequence[str], log: Path, train: Run = child.run) -> None:
    """Train in earnest; evaluate with a number that follows from the generator's weights."""
    if program != "evaluate.py":
        return train(program, words, log)
    weights = torch.load(Path(words[0], "latest_net_G.pth"), weights_only=True)
    digest = hashlib.sha256(b"".join(w.numpy().tobytes() for w in weights.values())).hexdigest()
    return evaluate(words, int(digest[:8], 16) / 2**32)


if __name__ == "__main__":
    with entry_point("ablate.py"):
        opt = parse_ablate(sys.argv[1:])
        sys.exit(bool(runner.run_table(read_table(opt.table), opt, run)))
