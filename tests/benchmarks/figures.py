"""Figures, and the bars they are held to."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

Row = dict[str, float | str]


@dataclass(frozen=True)
class Bar:
    """A figure that was asked for.

    Args:
        at_least: whether more is better.
    """

    name: str
    figure: float
    asked: float
    at_least: bool = True

    @property
    def is_met(self) -> bool:
        """Whether the figure is as good as was asked, or better."""
        return self.figure >= self.asked if self.at_least else self.figure <= self.asked

    def sentence(self) -> str:
        """One line for a person."""
        bound = "at least" if self.at_least else "at most"
        verdict = "met" if self.is_met else "missed"
        return f"{self.name}: {self.figure:.2f}, {bound} {self.asked:g} asked: {verdict}"


@dataclass(frozen=True)
class Report:
    """A run's outcome.

    Args:
        conditions: what it ran on.
        rows: one a measurement, all with the same columns.
        bars: figures of `rows` that were asked for.
    """

    conditions: Mapping[str, float | str]
    rows: list[Row] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """Everything, the verdicts included."""
        bars = [{"sentence": bar.sentence(), "met": bar.is_met} for bar in self.bars]
        return {"conditions": dict(self.conditions), "rows": self.rows, "bars": bars}

    def as_text(self) -> str:
        """A table and a line for each bar."""
        lines = [f"{name}: {_written(value)}" for name, value in self.conditions.items()]
        if self.rows:
            table = [list(self.rows[0])] + [[_written(value) for value in row.values()] for row in self.rows]
            widths = [max(map(len, column)) for column in zip(*table, strict=True)]
            lines += [
                "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
                for cells in table
            ]
        return "\n".join([*lines, *(bar.sentence() for bar in self.bars)])


def tell(what: str) -> None:
    """Progress, kept apart from the figures."""
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()


def _written(value: float | str) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
