"""The report's section on agreement, with the predictor's limits beside every prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.report.blocks import Block, Bullets, Heading, Pictures, Section, Table, Text
from analysis.report.participants import Images
from analysis.report.path_following import path_blocks, predictor_blocks
from analysis.report.sentences import agreement_sentence
from analysis.results import Results
from analysis.wording import NONE
from analysis.words import Words

AXES = ("valence", "arousal")
_BOUNDED = frozenset(
    {
        "ccc",
        "ccc_repeated",
        "icc_a1",
        "icc_ak",
        "r_repeated",
        "within_r",
        "within_r_detrended",
        "clip_permutation_r",
        "within",
        "ceiling",
        "r",
        "r_disattenuated",
    }
)
"""Statistics that cannot exceed 1."""


def agreement_section(results: Results, words: Words, images: Images) -> Section:
    """Felt and perceived, generated and planned beside each other, each pair of them apart."""
    agreement = results.agreement
    spec = results.study["agreement"]
    blocks: list[Block] = [
        Text(
            words.text(
                "agreement.said", probe=f"{spec['probe_window_s']:g}", post=f"{spec['post_window_s']:g}"
            )
        ),
        Heading(words.text("agreement.limits")),
        Bullets(predictor_limits(results, words)),
    ]
    if agreement["arms_without_music"]:
        labels = {arm["arm"]: arm["name"] for arm in results.study["arms"]}
        names = ", ".join(labels[arm] for arm in agreement["arms_without_music"])
        blocks.append(Text(words.text("agreement.silent", arms=names)))
    if agreement["unpaired"]:
        reasons = words.reasons_text(agreement["unpaired"])
        blocks.append(Text(words.text("agreement.unpaired", reasons=reasons)))
    blocks += predictor_blocks(results, words)
    blocks += _engine(agreement["engine"], words, images)
    blocks += path_blocks(results, words, images)
    blocks += _sets(agreement["sets"], words)
    images_of = tuple(image for name, image in images.items() if name.startswith("difference-"))
    if images_of:
        blocks.append(Pictures(images_of))
    blocks += _attenuation(results, words)
    return Section("agreement", words.text("agreement.heading"), tuple(blocks))


def predictor_limits(results: Results, words: Words) -> tuple[str, ...]:
    """What must stand beside every prediction."""
    predictors = results.provenance["predictors"]
    if not predictors:
        return (words.text("agreement.no_prediction"),)
    return tuple(
        f"{predictor['name']} {predictor['version']}: "
        + (words.marked(limit) if limit else words.text("agreement.no_limits"))
        for predictor in predictors
        for limit in predictor["limits"] or (None,)
    )


def agreement_table(one: Mapping[str, Any], words: Words) -> Table:
    """One comparison: every statistic, each axis apart."""
    by_axis = {axis: {r["statistic"]: r for r in one["rows"] if r["axis"] == axis} for axis in AXES}
    statistics = dict.fromkeys(row["statistic"] for row in one["rows"])
    rows = tuple(
        (
            words.name("statistic", statistic),
            *(_cell(by_axis[axis].get(statistic), words) for axis in AXES),
        )
        for statistic in statistics
    )
    first = one["rows"][0]
    methods = dict.fromkeys(row["method"] for row in one["rows"])
    note = words.text(
        "agreement.note",
        unit=words.marked(one["unit"]),
        methods="; ".join(words.marked(method) for method in methods),
        first=words.name("figure.side", one["first"]),
        second=words.name("figure.side", one["second"]),
    )
    caption = words.text(
        "agreement.caption",
        set=set_name(one, words),
        pairs=words.counted(one["n_pairs"], "pair"),
        people=words.counted(first["n_participants"], "participant"),
    )
    return Table(
        caption,
        (words.text("agreement.statistic"), *(_headed(axis, words) for axis in AXES)),
        rows,
        note,
    )


def set_name(one: Mapping[str, Any], words: Words) -> str:
    """What is compared, and when."""
    first, second = words.name("figure.side", one["first"]), words.name("figure.side", one["second"])
    named = words.text("agreement.set", first=first, second=second)
    if one["phase"] is None:
        return f"{named}, {words.text('agreement.clips')}"
    instrument = next((row["instrument_id"] for row in one["rows"] if row.get("instrument_id")), None)
    when = words.name("phase", one["phase"])
    return f"{named}, {when} ({instrument})" if instrument else f"{named}, {when}"


def _sets(sets: Sequence[Mapping[str, Any]], words: Words) -> list[Block]:
    found = [one for one in sets if one["n_pairs"] >= 3 and one["rows"]]
    if not found:
        return [Text(words.text("agreement.too_few"))]
    blocks: list[Block] = []
    for perspective in ("felt", "perceived", None):
        mine = [
            one
            for one in found
            if one["first"] == perspective
            or (perspective is None and one["first"] not in ("felt", "perceived"))
        ]
        if not mine:
            continue
        blocks.append(Heading(words.text(f"agreement.part.{perspective or 'engine'}")))
        for one in mine:
            sentences = _sentences(one, words)
            if sentences:
                blocks.append(Bullets(sentences))
            blocks.append(agreement_table(one, words))
    return blocks


def _sentences(one: Mapping[str, Any], words: Words) -> tuple[str, ...]:
    said = []
    for axis in AXES:
        rows = {row["statistic"]: row for row in one["rows"] if row["axis"] == axis}
        sentence = agreement_sentence(one["first"], one["second"], axis, rows, words)
        if sentence is not None:
            said.append(sentence)
    return tuple(said)


def _engine(rows: Sequence[Mapping[str, Any]], words: Words, images: Images) -> list[Block]:
    """Whether the engine hits its target, by arm."""
    pictures = tuple(image for name, image in images.items() if name == "mer" or name.startswith("mer-"))
    blocks: list[Block] = []
    if rows or pictures:
        blocks += [Heading(words.text("engine.heading")), Text(words.text("engine.said"))]
    if rows:
        found = {(row["arm"], row["statistic"], row["axis"]): row for row in rows}
        keys = {(row["arm"], row["statistic"]): row["label"] for row in rows}
        table = Table(
            words.text("engine.caption"),
            (
                words.text("listening.arm"),
                words.text("agreement.statistic"),
                *(_headed(axis, words) for axis in AXES),
            ),
            tuple(
                (
                    label.split(": ", 1)[0],
                    words.marked(label.split(": ", 1)[-1]),
                    *(_cell(found.get((arm, statistic, axis)), words) for axis in AXES),
                )
                for (arm, statistic), label in keys.items()
            ),
            words.sentences(row["method"] for row in rows),
        )
        blocks.append(table)
    return [*blocks, *([Pictures(pictures)] if pictures else [])]


def _attenuation(results: Results, words: Words) -> list[Block]:
    """What was observed beside the ceiling that people's agreement with themselves sets."""
    rows = results.agreement["attenuation"]
    if not rows:
        return []
    reliability = results.study["agreement"]["reliability"]
    said = words.text(
        "attenuation.said",
        valence=words.number(reliability["valence"], 3, True),
        arousal=words.number(reliability["arousal"], 3, True),
        source=words.marked(reliability["source"]),
    )
    found = {(row["set_id"], row["axis"], row["statistic"]): row for row in rows}
    names = {one["set_id"]: set_name(one, words) for one in results.agreement["sets"]}
    keys = dict.fromkeys((row["set_id"], row["axis"]) for row in rows)
    statistics = ("ceiling", "r", "r_disattenuated")
    table = Table(
        words.text("attenuation.caption"),
        (words.text("dose.what"), *(words.text(f"attenuation.{name}") for name in statistics), "n"),
        tuple(
            (
                f"{names.get(set_id, set_id)}, {words.text(f'figure.axis.{axis}')}",
                *(_cell(found.get((set_id, axis, name)), words) for name in statistics),
                str(max(found[key]["n"] for key in found if key[:2] == (set_id, axis))),
            )
            for set_id, axis in keys
        ),
        words.sentences(row["method"] for row in rows),
    )
    return [Heading(words.text("attenuation.heading")), Text(said), table]


def _cell(row: Mapping[str, Any] | None, words: Words) -> str:
    if row is None:
        return NONE
    bounded = row["statistic"] in _BOUNDED
    if row["estimate"] is None or (row["ci_low"] is None and row["reason"]):
        return words.interval(row, 2, bounded)
    estimate = words.number(row["estimate"], 2, bounded)
    if row["ci_low"] is None:
        return estimate
    ends = words.limits(row["ci_low"], row["ci_high"], 2, bounded)
    return f"{estimate} {words.bracketed(ends)}"


def _headed(axis: str, words: Words) -> str:
    return f"{words.text(f'figure.axis.{axis}')} ({words.level()})"
