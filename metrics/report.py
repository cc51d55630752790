"""What an evaluation came to: figures, what they depend on, and what to beware of."""

import math
from dataclasses import dataclass, field
from typing import Any

from metrics.base import Figure


@dataclass(frozen=True)
class Report:
    """The result of an evaluation.

    Attributes:
        figures: by name.
        per_image: figure, then image, then value; for the best and the worst.
        evaluator: what the figures depend on: versions, weights, rules, counts of images.
        warnings: sentences.
    """

    figures: dict[str, Figure]
    per_image: dict[str, dict[str, float]] = field(default_factory=dict)
    evaluator: dict[str, Any] = field(default_factory=dict)  # Any: what JSON can hold
    warnings: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return plain values for a JSON file; what is no number there becomes null, beside a text."""
        return {
            "figures": {name: _figure(figure) for name, figure in self.figures.items()},
            "evaluator": self.evaluator,
            "warnings": self.warnings,
            "per_image": {
                name: {image: _finite(value) for image, value in values.items()}
                for name, values in self.per_image.items()
            },
        }

    def table(self) -> str:
        """Return the figures as lines of text, the spread and the better way beside each."""
        rows = [("metric", "value", "spread", "better")]
        for name, figure in self.figures.items():
            spread = "" if figure.spread is None else f"{figure.spread:.5g}"
            rows.append((name, f"{figure.value:.5g}", spread, figure.better))
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        return "\n".join(
            f"{name:<{widths[0]}}  {value:>{widths[1]}}  {spread:>{widths[2]}}  {better}"
            for name, value, spread, better in rows
        )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _figure(figure: Figure) -> dict[str, Any]:
    plain = {"value": _finite(figure.value), "spread": _finite(figure.spread), "better": figure.better}
    return plain if math.isfinite(figure.value) else {**plain, "text": str(figure.value)}
