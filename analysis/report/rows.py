"""Rows of results as a table: what, estimate, interval, p, n."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.effects.endpoint_rows import DISTANCE_NOTE
from analysis.report.blocks import Table
from analysis.report.sentences import f_text
from analysis.words import Words


def rows_table(
    caption: str, rows: Sequence[Mapping[str, Any]], words: Words, first: str = "dose.what"
) -> Table:
    """Any rows of results: what, estimate, interval, p, n."""
    has_p = any(row["p_value"] is not None for row in rows)
    has_ci = any(row["ci_low"] is not None for row in rows)
    return Table(
        caption,
        (
            words.text(first),
            words.text("table.estimate"),
            *((words.level(),) if has_ci else ()),
            *(("p",) if has_p else ()),
            "n",
        ),
        tuple(
            (
                words.marked(row["label"]),
                estimate_text(row, words),
                *((words.limits(row["ci_low"], row["ci_high"]),) if has_ci else ()),
                *((words.p_text(row["p_value"]),) if has_p else ()),
                str(row["n"]),
            )
            for row in rows
        ),
        words.sentences([*(row["method"] for row in rows), *(_note_of(row) for row in rows)]),
    )


def _note_of(row: Mapping[str, Any]) -> str | None:
    """What a row must be read with; of spread, the heading of a distance already speaks."""
    note = row.get("note")
    return None if note == DISTANCE_NOTE else note


def estimate_text(row: Mapping[str, Any], words: Words) -> str:
    """The estimate; an F statistic where several numbers are tested at once; else why there is none."""
    if row["estimate"] is not None:
        return words.number(row["estimate"])
    if row["reason"] is None and row.get("f_value") is not None:
        return f_text(row, words)
    return words.not_estimable(row["reason"])
