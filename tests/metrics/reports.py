"""What an evaluation says of a few images."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from metrics.evaluation import Evaluation
from metrics.report import Report
from options.evaluation import EvaluationSettings

CPU, PLAIN = torch.device("cpu"), EvaluationSettings()


def of_sets(
    names: Sequence[str], fake: Iterable[Tensor], real: Iterable[Tensor], settings: EvaluationSettings = PLAIN
) -> Report:
    """Compare two sets, given in batches."""
    evaluation = Evaluation(names, settings, CPU)
    for number, images in enumerate(fake):
        evaluation.add_fake(images, [f"{number}/{n}" for n in range(len(images))])
    for images in real:
        evaluation.add_real(images)
    return evaluation.report()


def of_pairs(
    names: Sequence[str], fake: Tensor, real: Tensor, settings: EvaluationSettings = PLAIN, *, batch: int = 100
) -> Report:
    """Compare images one by one, named ``0.png``, ``1.png`` ..."""
    evaluation = Evaluation(names, settings, CPU)
    for start in range(0, len(fake), batch):
        part = slice(start, start + batch)
        evaluation.add_pairs(fake[part], real[part], [f"{n}.png" for n in range(len(fake))[part]])
    return evaluation.report()
