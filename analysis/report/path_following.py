"""The report on predictors side by side, and on whether the sound follows its plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from analysis.figures.following import PART_MARKS, predictor_name
from analysis.report.blocks import Block, Bullets, Heading, Pictures, Table, Text
from analysis.report.participants import Images
from analysis.results import Results
from analysis.wording import NONE
from analysis.words import Words

AXES = ("valence", "arousal")
_BOUNDED = frozenset({"path_r", "path_r_detrended", "path_cosine", "r"})
_NO_AXIS = "path_cosine"

Row = Mapping[str, Any]


def predictor_blocks(results: Results, words: Words) -> list[Block]:
    """Which predictor has which part, and how far they are apart; nothing without predictions."""
    parts = results.agreement["path_following"]["parts"]
    if not parts:
        return []
    names = {arm["arm"]: arm["name"] for arm in results.study["arms"]}
    blocks: list[Block] = [
        Heading(words.text("predictors.heading")),
        Text(words.text("predictors.said")),
        Bullets(tuple(_part_sentences(parts, names, words))),
    ]
    rows = results.agreement["predictors"]
    for first, second in dict.fromkeys((row["first"], row["second"]) for row in rows):
        mine = [row for row in rows if (row["first"], row["second"]) == (first, second)]
        blocks.append(_pair_table(results, mine, words))
    return blocks


def path_blocks(results: Results, words: Words, images: Images) -> list[Block]:
    """Figures, nulls and pictures of each arm with music; nothing without predictions."""
    following = results.agreement["path_following"]
    if not following["rows"]:
        return []
    nulls = dict.fromkeys(row["null"] for row in following["nulls"])
    blocks: list[Block] = [
        Heading(words.text("path.heading")),
        Text(words.text("path.said")),
        Bullets(tuple(words.text(f"path.null.{null}") for null in nulls)),
    ]
    for arm in results.study["arms"]:
        rows = [row for row in following["rows"] if row["arm"] == arm["arm"]]
        if not rows:
            continue
        blocks.append(_figures_table(results, arm, rows, words))
        tests = [row for row in following["nulls"] if row["arm"] == arm["arm"]]
        if any(row["estimate"] is not None for row in tests):
            blocks.append(_nulls_table(results, arm, tests, words))
    pictures = tuple(image for name, image in images.items() if name.startswith(("following-", "nulls-")))
    return [*blocks, *([Pictures(pictures)] if pictures else [])]


def _part_sentences(parts: Sequence[Row], names: Mapping[str, str], words: Words) -> Iterator[str]:
    for part in parts:
        kind = "reporter" if part["is_reporter"] else "beside"
        said = [words.text(f"predictors.part.{kind}", predictor=part["predictor"])]
        for mark in PART_MARKS:
            if part.get(mark):
                arms = ", ".join(names.get(arm, arm) for arm in part[mark])
                said.append(words.text(f"predictors.part.{mark}", predictor=part["predictor"], arms=arms))
        if part["foreign_share"] is not None:
            share = words.number(part["foreign_share"], 2, True)
            said.append(words.text("predictors.part.foreign", share=share))
        yield " ".join(said)


def _pair_table(results: Results, rows: Sequence[Row], words: Words) -> Table:
    names = {arm["arm"]: arm["name"] for arm in results.study["arms"]}
    found = {(row["arm"], row["axis"], row["statistic"]): row for row in rows}
    statistics = list(dict.fromkeys(row["statistic"] for row in rows))
    second = rows[0]["second"]
    marks = dict.fromkeys(predictor_name(results, row["arm"], second, words) for row in rows)
    return Table(
        words.text("predictors.caption", first=rows[0]["first"], second=", ".join(marks)),
        (
            words.text("dose.what"),
            *(f"{words.text(f'predictors.{name}')} ({words.level()})" for name in statistics),
        ),
        tuple(
            (
                f"{names.get(arm, arm)}, {words.text(f'figure.axis.{axis}')}",
                *(_cell(found.get((arm, axis, name)), words) for name in statistics),
            )
            for arm, axis in dict.fromkeys((row["arm"], row["axis"]) for row in rows)
        ),
        words.sentences(row["method"] for row in rows),
    )


def _figures_table(results: Results, arm: Row, rows: Sequence[Row], words: Words) -> Table:
    caption = words.text("path.caption", arm=arm["label"])
    return _by_predictor(
        results, arm, rows, caption, lambda row: _cell(row, words), _methods(rows, words), words
    )


def _nulls_table(results: Results, arm: Row, rows: Sequence[Row], words: Words) -> Table:
    caption = words.text("path.nulls_caption", arm=arm["label"])
    seen = [row for row in rows if row["estimate"] is not None]
    reasons = dict.fromkeys(words.marked(row["reason"]) for row in seen if row["p_value"] is None)
    note = _methods(seen, words)
    if reasons:
        note = f"{note} {words.text('path.no_p_because', reasons='; '.join(reasons))}"
    return _by_predictor(results, arm, rows, caption, lambda row: _null_cell(row, words), note, words)


def _by_predictor(
    results: Results,
    arm: Row,
    rows: Sequence[Row],
    caption: str,
    cell: Callable[[Row], str],
    note: str,
    words: Words,
) -> Table:
    """One line for each statistic (and null), a column for each predictor and axis.

    What no predictor gives a number for is told below the table.
    """
    predictors = list(dict.fromkeys(row["predictor"] for row in rows))
    found = {(_key(row), row["predictor"], row["axis"]): row for row in rows}
    columns = [(predictor, axis) for predictor in predictors for axis in AXES]
    lines = []
    without: dict[str, list[str]] = {}
    for key in dict.fromkeys(_key(row) for row in rows):
        name, mine = words.text(f"path.{key}"), [row for row in rows if _key(row) == key]
        if all(row["estimate"] is None for row in mine):
            without.setdefault(mine[0]["reason"], []).append(name)
            continue
        if key.startswith(_NO_AXIS):
            # What has no axis stands once, under the first.
            cells = [found.get((key, one, None)) if axis == AXES[0] else None for one, axis in columns]
            name = f"{name} {words.text('path.both')}"
        else:
            cells = [found.get((key, one, axis)) for one, axis in columns]
        lines.append((name, *(NONE if row is None else cell(row) for row in cells)))
    headings = tuple(
        f"{predictor_name(results, arm['arm'], one, words)}: {words.text(f'figure.axis.{axis}')}"
        for one, axis in columns
    )
    notes = [
        words.text("path.left_out", names=", ".join(names), reason=words.not_estimable(reason))
        for reason, names in without.items()
    ]
    return Table(
        caption,
        (words.text("agreement.statistic"), *headings),
        tuple(lines),
        " ".join((*notes, note)).strip(),
    )


def _key(row: Row) -> str:
    return ".".join(part for part in (row["statistic"], row.get("null")) if part)


def _cell(row: Row | None, words: Words) -> str:
    if row is None:
        return NONE
    bounded = row["statistic"] in _BOUNDED
    if row["estimate"] is None:
        return words.not_estimable(row["reason"])
    estimate = words.number(row["estimate"], 2, bounded)
    if row["ci_low"] is None:
        return estimate
    return f"{estimate} {words.bracketed(words.limits(row['ci_low'], row['ci_high'], 2, bounded))}"


def _null_cell(row: Row, words: Words) -> str:
    if row["estimate"] is None:
        return words.not_estimable(row["reason"])
    bounded, digits = row["statistic"] in _BOUNDED, 3 if row["statistic"] == "own_plan" else 2
    return words.text(
        "path.cell",
        estimate=words.number(row["estimate"], digits, bounded),
        limits=words.limits(row["null_low"], row["null_high"], digits, bounded),
        p=(words.text("path.no_p") if row["p_value"] is None else words.p_clause(row["p_value"])).replace(
            " ", "\u00a0"
        ),
    )


def _methods(rows: Sequence[Row], words: Words) -> str:
    """How the rows were estimated, and why intervals are missing."""
    reasons = [row["reason"] for row in rows if row["estimate"] is not None and "null" not in row]
    return words.sentences([*(row["method"] for row in rows if row["estimate"] is not None), *reasons])
