"""What `isopath evaluate-generator` found, as tables for people and as JSON for scripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from analysis.generator.evaluation import Evaluation
from analysis.generator.sentences import claim_sentences, counted_words, mark_words
from analysis.generator.tabulated import Table, ceiling_table, difference_table, fault_table, score_tables
from generation.clip_grid import Role

_WIDTH = 130
_LEFT_OUT = ("points",)
_NOTHING_COMPARED = "Nothing was compared: there is no base, or no system beside it."


def print_evaluation(evaluation: Evaluation, files: Sequence[Path], missing: Sequence[str]) -> None:
    """What may not be claimed at all, the tables, what may be claimed, and where everything lies.

    Args:
        files: that were written, the page first.
        missing: predictors whose weights are not here.
    """
    console = Console(highlight=False)
    console = console if console.is_terminal else Console(highlight=False, width=_WIDTH)
    marks = mark_words(evaluation)
    for sentence in no_claim_sentences(evaluation):
        console.print(sentence, style="bold", markup=False, soft_wrap=True)
    for fault in evaluation.heard.grid.faults:
        console.print(f"Not made: {fault}", style="bold", markup=False, soft_wrap=True)
    for table in (
        ceiling_table(evaluation),
        *score_tables(evaluation),
        difference_table(evaluation),
        fault_table(evaluation),
    ):
        if table is not None:
            _print_table(console, table, marks)
    for said in claim_sentences(evaluation):
        console.print(f"{said.head}: {said.summary}. {said.text}", markup=False, soft_wrap=True)
    compared = counted_words(evaluation) if evaluation.claims else _NOTHING_COMPARED
    for sentence in (compared, *marks):
        console.print(sentence, style="dim", markup=False, soft_wrap=True)
    if missing:
        told = f"Not at hand, and not heard with: {', '.join(missing)}."
        console.print(told, style="dim", markup=False, soft_wrap=True)
    console.print(f"Written: {files[0]}", markup=False, soft_wrap=True)


def no_claim_sentences(evaluation: Evaluation) -> Iterator[str]:
    """Every system about which nobody who heard it may claim anything, said before any figure."""
    for system in evaluation.systems.values():
        if system.role is Role.CEILING:
            continue
        parts = {name: evaluation.of(system.name, name).parts for name in evaluation.predictors}
        if all(parts.values()):
            yield (
                f"No claim about {system.title}: every predictor that heard it took part in it"
                f" ({', '.join(parts)}). Add one that did not (--predictors)."
            )


def summary_json(evaluation: Evaluation, files: Sequence[Path]) -> dict[str, Any]:
    """The evaluation without its single points, and the files that hold all of it."""
    found = {name: value for name, value in evaluation.to_json().items() if name not in _LEFT_OUT}
    return {**found, "no_claim": list(no_claim_sentences(evaluation)), "files": [str(path) for path in files]}


def _print_table(console: Console, table: Table, said_below: Sequence[str]) -> None:
    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, title=escape(table.caption), title_justify="left")
    for number, column in enumerate(table.columns):
        shown.add_column(escape(column), overflow="fold", justify="left" if number < 2 else "right")
    for row in table.rows:
        shown.add_row(*map(escape, row))
    console.print(shown)
    for note in table.notes:
        if note not in said_below:
            console.print(note, style="dim", markup=False, soft_wrap=True)
