"""The report's section on what is missing, and how far the result rests on what is assumed of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.report.blocks import Block, Heading, Pictures, Section, Table, Text
from analysis.report.participants import Images
from analysis.report.rows import rows_table
from analysis.report.sentences import tipping_sentence
from analysis.results import Results
from analysis.words import Words


def missing_section(results: Results, words: Words, images: Images) -> Section:
    """Reports due and missing, by arm and reason; imputed, reference-based and tipping."""
    blocks: list[Block] = [missing_table(results, words)]
    if "missingness" in images:
        blocks.append(Pictures((images["missingness"],), wide=True))
    blocks += _sensitivity(results.missing_data, words)
    if "tipping" in images:
        blocks.append(Pictures((images["tipping"],)))
    return Section("missing", words.text("missing.heading"), tuple(blocks))


def missing_table(results: Results, words: Words) -> Table:
    """Reports due and missing."""
    rows = tuple(
        (
            row["label"],
            f"{words.name('phase', row['phase'])} ({row['instrument_id']})",
            words.share_text(row["given"]),
            words.reasons_text(row["missing"]),
        )
        for row in results.missingness
    )
    names = ("listening.arm", "missing.when", "missing.given", "missing.missing")
    return Table(words.text("missing.caption"), tuple(words.text(name) for name in names), rows)


def _sensitivity(found: Mapping[str, Any] | None, words: Words) -> list[Block]:
    blocks: list[Block] = [Heading(words.text("missing.sensitivity"))]
    if found is None:
        return [*blocks, Text(words.text("missing.none"))]
    blocks.append(
        Text(
            words.text(
                "missing.outcomes",
                outcomes=words.counted(found["n_missing"], "outcome"),
                reasons=words.reasons_text(found["reasons"]),
                imputations=found["imputations"],
            )
        )
    )
    if found["reason"]:
        blocks.append(Text(words.not_estimable(found["reason"])))
    blocks += [
        rows_table(words.text(f"missing.{part}"), found[part], words, "outcome.contrast")
        for part in ("imputed", "reference")
        if found[part]
    ]
    tipping = found["tipping"]
    if tipping is not None:
        blocks.append(Text(tipping_sentence(tipping, words)))
        if tipping["points"]:
            blocks.append(_tipping_table(tipping, words))
    return blocks


def _tipping_table(tipping: Mapping[str, Any], words: Words) -> Table:
    return Table(
        words.text("tipping.caption", label=tipping["label"]),
        ("δ", words.text("outcome.difference"), words.level(), "p"),
        tuple(
            (
                words.number(point["delta"]),
                words.number(point["estimate"]),
                words.limits(point["ci_low"], point["ci_high"]),
                words.p_text(point["p_value"]),
            )
            for point in tipping["points"]
        ),
        f"{words.marked(tipping['method'])}." if tipping["method"] else "",
    )
