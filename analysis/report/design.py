"""The report's section on what was planned: design, arms, estimand, model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.report.blocks import Block, Facts, Heading, Section, Table, Text
from analysis.results import Results
from analysis.words import Words


def design_section(results: Results, words: Words) -> Section:
    """What the protocol says, before any number."""
    study = results.study
    return Section(
        "design",
        words.text("design.heading"),
        (
            Facts(tuple(_design_facts(study, words))),
            Heading(words.text("design.estimand")),
            Facts(tuple(_estimand_facts(results.estimand, words))),
            Heading(words.text("design.methods")),
            Facts(tuple(_method_facts(results, words))),
        ),
    )


def events_blocks(results: Results, words: Words) -> tuple[Block, ...]:
    """The intercurrent events: how many met each, by arm, and what was done."""
    estimand = results.estimand
    blocks: list[Block] = []
    if estimand["not_estimable"]:
        blocks.append(Text(words.not_estimable(estimand["not_estimable"])))
    if not estimand["events"]:
        return (*blocks, Text(words.text("events.none")))
    arms = results.study["arms"]
    rows = tuple(
        (
            words.name("event", event["event"]),
            words.name("strategy", event["strategy"]),
            *(str(event["n_by_arm"].get(arm["arm"], 0)) for arm in arms),
            str(event["n"]),
            str(event["changed"]),
            words.marked(event["done"]),
        )
        for event in estimand["events"]
    )
    table = Table(
        words.text("events.caption"),
        (
            words.text("events.event"),
            words.text("events.strategy"),
            *(arm["name"] for arm in arms),
            words.text("events.all"),
            words.text("events.changed"),
            words.text("events.done"),
        ),
        rows,
        words.text("events.note"),
    )
    return (*blocks, table)


def contrast_text(contrast: Mapping[str, Any], study: Mapping[str, Any], words: Words) -> str:
    """A contrast with its aim and margin."""
    names = {arm["arm"]: arm["name"] for arm in study["arms"]}
    first, second = (names.get(arm, arm) for arm in contrast["arm_ids"])
    aim = words.name("aim", contrast["aim"])
    if contrast["margin"] is not None:
        aim = words.text("design.margin", aim=aim, margin=words.number(contrast["margin"]))
    if contrast["is_primary"]:
        aim = words.text("design.primary", aim=aim)
    return f"{first} − {second} ({aim})"


def _design_facts(study: Mapping[str, Any], words: Words) -> list[tuple[str, str]]:
    sessions = words.text(
        "design.sessions_of",
        sessions=words.counted(study["session_count"], "session"),
        minutes=_minutes(study["duration_s"], words),
    )
    return [
        (words.text("design.design"), words.name("design_name", study["design"])),
        (words.text("design.planned"), words.counted(study["sample_size"], "participant")),
        (words.text("design.sessions"), sessions),
        *(
            (
                words.text("design.arm", name=arm["name"]),
                f"{arm['label']} ({words.name('path_kind', arm['kind'])})",
            )
            for arm in study["arms"]
        ),
        (words.text("design.start"), _point(study["start"], words) or words.text("design.own_start")),
        (words.text("design.target"), _point(study["target"], words) or ""),
        (words.text("design.loudness"), f"{words.number(study['loudness_lufs'], 1)} LUFS"),
        (
            words.text("design.contrasts"),
            "; ".join(contrast_text(one, study, words) for one in study["contrasts"])
            or words.text("outcome.no_contrast"),
        ),
    ]


def _estimand_facts(estimand: Mapping[str, Any], words: Words) -> list[tuple[str, str]]:
    facts = [
        (words.text("design.population"), estimand["population"]),
        (words.text("design.variable"), estimand["variable"]),
        (words.text("design.summary"), estimand["summary"]),
    ]
    if estimand["composite_value"] is not None:
        facts.append((words.text("design.composite"), words.number(estimand["composite_value"])))
    return facts


def _method_facts(results: Results, words: Words) -> list[tuple[str, str]]:
    study = results.study
    agreement = study["agreement"]
    facts = [
        (
            words.text("design.endpoint"),
            f"{endpoint_label(study['endpoint'], words)}: {words.marked(study['endpoint_method'])}",
        ),
        (
            words.text("design.instrument"),
            words.text(
                "design.instrument_is",
                instrument=study["instrument_id"],
                perspective=words.name("perspective", study["perspective"]),
            ),
        ),
        (words.text("design.model"), words.marked(study["method"])),
        (
            words.text("design.multiplicity"),
            words.text(
                "design.multiplicity_is",
                rule=words.name("multiplicity", study["multiplicity"]),
                alpha=words.number(study["alpha"], 2, True),
            ),
        ),
        (
            words.text("design.agreement"),
            words.text(
                "design.agreement_is",
                predictor=agreement["predictor"],
                probe=f"{agreement['probe_window_s']:g}",
                post=f"{agreement['post_window_s']:g}",
            ),
        ),
    ]
    if results.interim is not None:
        facts.append(
            (
                words.text("design.interim"),
                words.text(
                    "design.interim_is",
                    looks=len(results.interim["looks"]),
                    spending=words.name("spending", results.interim["spending"]),
                ),
            )
        )
    return facts


def endpoint_label(endpoint: str, words: Words) -> str:
    """An endpoint's name."""
    return words.name("figure.endpoint", endpoint)


def _point(affect: Mapping[str, float] | None, words: Words) -> str | None:
    if affect is None:
        return None
    return words.text(
        "design.point",
        valence=words.number(affect["valence"]),
        arousal=words.number(affect["arousal"]),
    )


def _minutes(seconds: float, words: Words) -> str:
    return words.number(seconds / 60, 0 if seconds % 60 == 0 else 1)
