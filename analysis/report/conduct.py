"""The report's section on the study itself: what was amended, paused, reached, told early or corrected."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.report.blocks import Block, Section, Table, Text
from analysis.results import Results
from analysis.wording import NONE
from analysis.words import Words


def conduct_section(results: Results, words: Words) -> Section:
    """Each finding in a table of its own; a sentence where there is none."""
    tables = tuple(_tables(results, words))
    blocks: tuple[Block, ...] = tables or (Text(words.text("conduct.none")),)
    return Section("conduct", words.text("conduct.heading"), blocks)


def _tables(results: Results, words: Words) -> Iterator[Table]:
    conduct = results.conduct
    yield from _table(
        "amendments",
        ("when", "version", "why", "changes"),
        [
            (_at(row), row["version"], row["reason"], "\n".join(row["changes"]))
            for row in conduct.get("amendments", ())
        ],
        words,
    )
    yield from _table(
        "revealed",
        ("when", "participant", "to", "how", "why"),
        [
            (
                _at(row),
                row["participant_id"] or NONE,
                row["actor"],
                words.text("conduct.emergency" if row["emergency"] else "conduct.approved"),
                row["reason"],
            )
            for row in conduct.get("revealed", ())
        ],
        words,
    )
    yield from _table(
        "stop_rules",
        ("when", "rule"),
        [(_at(row), row["rule_id"].replace("_", " ")) for row in conduct.get("stop_rules", ())],
        words,
    )
    yield from _table(
        "pauses",
        ("when", "what", "why"),
        [
            (_at(row), words.text("conduct.paused" if row["paused"] else "conduct.resumed"), row["reason"])
            for row in conduct.get("pauses", ())
        ],
        words,
    )
    yield from _table(
        "code_break_lists",
        ("when", "by", "people"),
        [(_at(row), row["actor"], str(row["participants"])) for row in conduct.get("code_break_lists", ())],
        words,
    )
    yield from _table(
        "corrections",
        ("when", "participant", "what", "by", "why"),
        [
            (
                _at(row),
                row["participant_id"] or NONE,
                f"{row['instrument_id']}, {row['item']}",
                row["actor"],
                row["reason"],
            )
            for row in conduct.get("corrections", ())
        ],
        words,
    )


def _table(name: str, columns: tuple[str, ...], rows: list[tuple[str, ...]], words: Words) -> Iterator[Table]:
    if rows:
        heads = tuple(words.text(f"conduct.column.{column}") for column in columns)
        yield Table(words.text(f"conduct.{name}"), heads, tuple(rows), numeric=False)


def _at(row: dict[str, str]) -> str:
    return row["at"][:16].replace("T", " ")
