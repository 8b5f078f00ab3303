"""An evaluation as Markdown, for docs and model cards."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.generator.evaluation import INTERVAL, Evaluation
from analysis.generator.sentences import (
    asked_words,
    ceiling_words,
    claim_sentences,
    counted_words,
    mark_words,
)
from analysis.generator.tabulated import (
    Table,
    ceiling_table,
    difference_table,
    fault_table,
    quality_table,
    score_tables,
)


def render_markdown(evaluation: Evaluation, heading: int = 2) -> str:
    """Everything but the pictures: what was asked, ceilings, claims, tables, marks.

    Args:
        heading: level of its headings.
    """
    sign = "#" * heading
    tables = score_tables(evaluation)
    marks = mark_words(evaluation)
    parts = [
        f"{sign} What was asked",
        asked_words(evaluation),
        f"{sign} What can be heard at all",
        *_ceilings(evaluation),
        f"{sign} What may be claimed",
        _bullets([f"**{said.head}: {said.summary}.** {said.text}" for said in claim_sentences(evaluation)])
        or "Nothing was compared: the grid has no base, or no system beside it.",
        counted_words(evaluation),
        f"{sign} Scores",
        *(render_table(one, hidden=marks) for one in tables),
        _bullets(marks),
        render_table(difference_table(evaluation)),
        render_table(quality_table(evaluation)),
        render_table(fault_table(evaluation)),
        f"Intervals: {INTERVAL}; {evaluation.n_bootstrap} draws, seed {evaluation.seed}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def render_table(table: Table | None, hidden: Sequence[str] = ()) -> str:
    """A table with its caption and notes; empty for None.

    Args:
        hidden: notes that are left out, because they stand elsewhere.
    """
    if table is None:
        return ""
    lines = [_line(table.columns), _line(["---"] * len(table.columns)), *(_line(row) for row in table.rows)]
    notes = [note for note in table.notes if note not in hidden]
    # One blank line between caption, table and notes: without it, Markdown joins them.
    return "\n\n".join([f"**{table.caption}**", "\n".join(lines), *notes])


def _ceilings(evaluation: Evaluation) -> list[str]:
    if not evaluation.ceilings:
        return ["No music with known places was heard: whether an axis is measurable is not known."]
    return [
        render_table(ceiling_table(evaluation)),
        _bullets([ceiling_words(evaluation, one) for one in evaluation.ceilings]),
    ]


def _bullets(items: Sequence[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
