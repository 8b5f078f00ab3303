"""The report's sections on the protocol's endpoint, the further endpoints, and the model's fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from analysis.report.blocks import Block, Bullets, Heading, Pictures, Section, Table, Text
from analysis.report.design import endpoint_label, events_blocks
from analysis.report.participants import Images
from analysis.report.rows import estimate_text, rows_table
from analysis.report.sentences import (
    both_axes_sentence,
    difference_sentences,
    equivalence_sentence,
)
from analysis.results import Results
from analysis.wording import NONE
from analysis.words import Words


def outcome_section(results: Results, words: Words, images: Images) -> Section:
    """The protocol's endpoint: sentences, means, differences, and what its design adds."""
    label = endpoint_label(results.study["endpoint"], words)
    said = (" ".join(difference_sentences(results, row, words)) for row in results.primary["contrasts"])
    blocks: list[Block] = [Text(text) for text in dict.fromkeys(said)]
    blocks += events_blocks(results, words)
    blocks.append(arms_table(results.primary, words))
    if results.primary["contrasts"]:
        blocks.append(
            contrasts_table(results.primary, words.text("outcome.differences", endpoint=label), words)
        )
    else:
        blocks.append(Text(words.text("outcome.no_contrast")))
    blocks += _pictures(images, ("raincloud", "slopegraph"))
    blocks += _pictures(images, ("forest",), wide=True)
    blocks += _by_session(results.primary, words)
    blocks += _pictures(images, ("sessions",), wide=True)
    blocks += _equivalence(results, words)
    blocks += _rows_part("crossover", results.crossover, words)
    if results.notes:
        blocks += [Heading(words.text("outcome.notes")), Bullets(tuple(map(words.marked, results.notes)))]
    return Section("outcome", words.text("outcome.heading", endpoint=label), tuple(blocks))


def secondary_section(results: Results, words: Words) -> Section:
    """Every other endpoint, labelled as secondary, and both axes at once."""
    blocks: list[Block] = [Text(words.text("secondary.said"))]
    for effects in results.secondary:
        label = endpoint_label(effects["endpoint"], words)
        spread = f" {words.text('secondary.spread')}" if effects["endpoint"] == "distance" else ""
        if effects["contrasts"]:
            caption = words.text("secondary.caption", endpoint=label, spread=spread)
            blocks.append(contrasts_table(effects, caption, words))
        blocks += _by_session(effects, words)
    if results.both_axes:
        blocks += [
            Heading(words.text("both_axes.heading")),
            Bullets(tuple(both_axes_sentence(row, words) for row in results.both_axes)),
        ]
    return Section("secondary", words.text("secondary.heading"), tuple(blocks))


def diagnostics_section(results: Results, words: Words, images: Images) -> Section:
    """Whether the model fits: residuals, covariance, numbers."""
    found = results.primary["diagnostics"]
    blocks: list[Block] = [Text(words.text("diagnostics.said" if found else "diagnostics.none"))]
    numbers = tuple(
        (words.name("diagnostic", name), words.number(float(value), 3))
        for name, value in found.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    )
    if numbers:
        blocks.append(
            Table(
                words.text("diagnostics.caption"),
                (words.text("diagnostics.what"), words.text("table.value")),
                numbers,
            )
        )
    if found.get("covariance"):
        blocks.append(_covariance_table(found, words))
    blocks += _pictures(images, ("diagnostics",), wide=True)
    return Section("diagnostics", words.text("diagnostics.heading"), tuple(blocks))


def arms_table(effects: Mapping[str, Any], words: Words) -> Table:
    """Means by arm, raw and adjusted."""
    rows = [
        (
            arm["label"],
            str(arm["n"]),
            NONE
            if arm["raw_mean"] is None
            else f"{words.number(arm['raw_mean'])} ({words.number(arm['raw_sd'])})",
            words.number(arm["estimate"])
            if arm["reason"] is None or arm["estimate"] is not None
            else words.not_estimable(arm["reason"]),
            words.limits(arm["ci_low"], arm["ci_high"]),
        )
        for arm in effects["arms"]
    ]
    return Table(
        words.text("outcome.by_arm", endpoint=endpoint_label(effects["endpoint"], words)),
        (
            words.text("listening.arm"),
            "n",
            words.text("outcome.raw_mean"),
            words.text("outcome.adjusted_mean"),
            words.level(),
        ),
        tuple(rows),
    )


def contrasts_table(effects: Mapping[str, Any], caption: str, words: Words) -> Table:
    """Differences between arms: estimate and interval first."""
    rows = tuple(
        (
            row["label"],
            estimate_text(row, words),
            words.limits(row["ci_low"], row["ci_high"]),
            words.p_text(row["p_value"]),
            _g_text(row, words),
            " + ".join(str(n) for n in row["n_by_arm"]),
        )
        for row in effects["contrasts"]
    )
    methods = words.sentences(row["method"] for row in effects["contrasts"])
    note = words.text("outcome.note", reasons=words.reasons_text(effects["missing"]))
    return Table(
        caption,
        (
            words.text("outcome.contrast"),
            words.text("outcome.difference"),
            words.level(),
            "p",
            words.text("outcome.hedges_g", level=words.level()),
            "n",
        ),
        rows,
        f"{note} {methods}",
    )


def _g_text(row: Mapping[str, Any], words: Words) -> str:
    if row["hedges_g"] is None:
        return NONE
    ends = words.limits(row["hedges_g_ci_low"], row["hedges_g_ci_high"])
    return f"{words.number(row['hedges_g'])} {words.bracketed(ends)}"


def _by_session(effects: Mapping[str, Any], words: Words) -> list[Block]:
    found: list[Block] = []
    for kind in ("arm", "contrast"):
        rows = [row for row in effects["by_session"] if row["kind"] == kind]
        if rows:
            caption = words.text(f"by_session.{kind}", endpoint=endpoint_label(effects["endpoint"], words))
            # The session has a column of its own.
            told = [{**row, "label": row["label"].removesuffix(f", session {row['period']}")} for row in rows]
            table = rows_table(caption, told, words)
            found.append(
                replace(
                    table,
                    columns=(words.text("by_session.session"), *table.columns),
                    rows=tuple(
                        (str(row["period"]), *cells) for row, cells in zip(rows, table.rows, strict=True)
                    ),
                )
            )
    return found


def _equivalence(results: Results, words: Words) -> list[Block]:
    rows = results.equivalence
    if not rows:
        return []
    table = Table(
        words.text("equivalence.caption"),
        (
            words.text("outcome.contrast"),
            words.text("equivalence.aim"),
            words.text("equivalence.margin"),
            words.text("outcome.difference"),
            words.text("equivalence.interval"),
            "p",
            "n",
        ),
        tuple(
            (
                words.marked(row["label"]),
                words.name("aim", row["aim"]),
                words.number(row["margin"]),
                estimate_text(row, words),
                words.ci(row["ci_low"], row["ci_high"], percent=_percent(row["ci_level"]))
                if row["ci_low"] is not None
                else NONE,
                words.p_text(row["p_value"]),
                str(row["n"]),
            )
            for row in rows
        ),
        words.sentences(row["method"] for row in rows),
    )
    sentences = tuple(equivalence_sentence(results, row, words) for row in rows)
    return [Heading(words.text("equivalence.heading")), Bullets(sentences), table]


def _rows_part(part: str, rows: Sequence[Mapping[str, Any]], words: Words) -> list[Block]:
    if not rows:
        return []
    return [Heading(words.text(f"{part}.heading")), rows_table(words.text(f"{part}.caption"), rows, words)]


def _covariance_table(found: Mapping[str, Any], words: Words) -> Table:
    sessions = [str(one) for one in found.get("covariance_sessions", range(1, len(found["covariance"]) + 1))]
    return Table(
        words.text("diagnostics.covariance"),
        (words.text("by_session.session"), *sessions),
        tuple(
            (name, *(words.number(value, 3) for value in row))
            for name, row in zip(sessions, found["covariance"], strict=True)
        ),
    )


def _pictures(images: Images, names: tuple[str, ...], wide: bool = False) -> list[Block]:
    found = tuple(images[name] for name in names if name in images)
    return [Pictures(found, wide)] if found else []


def _percent(level: float) -> float:
    return round(100 * level if level <= 1 else level, 1)
