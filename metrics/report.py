"""What an evaluation came to: scores, what they depend on, and what to beware of."""

import math
from dataclasses import dataclass, field
from typing import Any

from metrics.base import Score


@dataclass(frozen=True)
class Report:
    """The result of an evaluation.

    Attributes:
        scores: by name.
        per_image: score, then image, then value; for the best and the worst.
        evaluator: what the scores depend on: versions, weights, rules, counts of images.
        warnings: sentences.
    """

    scores: dict[str, Score]
    per_image: dict[str, dict[str, float]] = field(default_factory=dict)
    evaluator: dict[str, Any] = field(default_factory=dict)  # Any: what JSON can hold
    warnings: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return plain values for a JSON file; what is no number there becomes null, beside a text."""
        return {
            "scores": {name: _score(score) for name, score in self.scores.items()},
            "evaluator": self.evaluator,
            "warnings": self.warnings,
            "per_image": {
                name: {image: _finite(value) for image, value in values.items()}
                for name, values in self.per_image.items()
            },
        }

    def table(self) -> str:
        """Return the scores as lines of text, the spread and the better way beside each."""
        rows = [("metric", "value", "spread", "better")]
        for name, score in self.scores.items():
            spread = "" if score.spread is None else f"{score.spread:.5g}"
            rows.append((name, f"{score.value:.5g}", spread, score.better))
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        return "\n".join(
            f"{name:<{widths[0]}}  {value:>{widths[1]}}  {spread:>{widths[2]}}  {better}"
            for name, value, spread, better in rows
        )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _score(score: Score) -> dict[str, Any]:
    plain = {"value": _finite(score.value), "spread": _finite(score.spread), "better": score.better}
    return plain if math.isfinite(score.value) else {**plain, "text": str(score.value)}
