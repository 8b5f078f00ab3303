"""CONSORT 2025, items 22 to 30: what the record and the results say of what came out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from analysis.guidelines.checklist import Answer
from analysis.guidelines.delivery import delivery_sentences, stop_sentences
from analysis.guidelines.participant_flow import Box, Branch
from analysis.guidelines.trial import HIDDEN, Trial, counted, day
from analysis.words import ENGLISH


def results_answers(trial: Trial) -> dict[str, Answer]:
    """Items 22a to 30, by number."""
    facts, results = trial.facts, trial.results
    hidden = "" if trial.may_tell_arms else HIDDEN
    reached = [str(row["rule_id"]).replace("_", " ") for row in results.conduct.get("stop_rules", ())]
    return {
        "22a": Answer(tuple(_numbers(trial)), ("participants",), hidden),
        "22b": Answer(tuple(_losses(trial)), ("participants",), hidden),
        "23a": Answer(
            (
                f"Enrolment from {day(facts.first_enrolled_at)} to {day(facts.last_enrolled_at)}; last entry "
                f"about a participant {day(facts.last_data_at)}.",
            )
        ),
        "23b": Answer(
            (
                f"The record was frozen on {day(facts.frozen_at)}: {facts.freeze_reason}"
                if facts.frozen_at
                else "The record is not frozen: the trial goes on.",
                f"Stop rules reached: {', '.join(reached)}." if reached else "No stop rule was reached.",
            ),
            ("conduct",),
            "" if facts.frozen_at else "the end, once the record is frozen",
        ),
        "24a": Answer(
            (*delivery_sentences(trial), *stop_sentences(trial)), ("participants", "provenance"), hidden
        ),
        "24b": Answer(()),
        "25": Answer(
            (f"Table of {counted(results.flow['allocated'], 'person', 'people')} allocated.",),
            ("participants",),
            hidden,
        ),
        "26": Answer(tuple(_effects(trial)), ("outcome", "secondary"), hidden),
        "27": Answer(tuple(_harms(trial)), ("safety",), hidden),
        "28": Answer(
            (
                f"{counted(len(results.secondary), 'secondary endpoint')}, sensitivity analyses and "
                "agreement with the predicted mood of the music, all from the protocol.",
            ),
            ("secondary", "missing", "paths", "agreement"),
            "analyses done outside isopath",
        ),
        "29": Answer(()),
        "30": Answer(
            (*results.notes, f"Deviations on record: {facts.deviations}."),
            ("limits", "deviations"),
            "sources of bias, generalisability",
        ),
    }


def _numbers(trial: Trial) -> Iterator[str]:
    flow = trial.flow
    yield f"{flow.box('assessed').n} assessed, {flow.box('randomised').n} randomised."
    for box in flow.boxes:
        if box.stage == "allocation":
            arm = box.box_id.removesuffix("/allocation")
            analysed = flow.box(f"{arm}/analysis").branches[0].n
            yield f"{box.said}: {box.n}; began to listen {box.branches[0].n}; analysed {analysed}."


def _losses(trial: Trial) -> Iterator[str]:
    for box in trial.flow.boxes:
        for branch in box.branches:
            if branch.reasons and box.stage != "enrolment":
                yield _loss(box, branch)
    if not any(branch.reasons for box in trial.flow.boxes[2:] for branch in box.branches):
        yield "Nobody was lost or excluded after randomisation."


def _loss(box: Box, branch: Branch) -> str:
    reasons = ", ".join(f"{reason.replace('_', ' ')} {n}" for reason, n in branch.reasons)
    return f"{box.said}: {branch.said.lower()} {branch.n} ({reasons})."


def _effects(trial: Trial) -> Iterator[str]:
    if not trial.may_tell_arms:
        yield f"Primary outcome: {trial.results.study['endpoint_label']}."
        return
    primary = trial.results.primary
    for row in (*primary["arms"], *primary["contrasts"]):
        yield f"{primary['endpoint_label']}, {_estimate(row)}"
    for effects in trial.results.secondary:
        for row in effects["contrasts"]:
            yield f"{effects['endpoint_label']}, {_estimate(row)}"


def _estimate(row: dict[str, Any]) -> str:
    return f"{row['label']}: {ENGLISH.interval(row)} (n = {row['n']})."


def _harms(trial: Trial) -> Iterator[str]:
    if not trial.may_tell_arms:
        yield f"Adverse events on record, over all arms: {trial.facts.adverse_events}."
        return
    for arm in trial.results.safety["arms"]:
        ended, people = arm["ended_for_safety"], arm["with_adverse_event"]
        yield (
            f"{arm['label']}: {counted(arm['adverse_events'], 'adverse event')} in "
            f"{people['n']} of {people['of']} people; stopped for distress "
            f"{arm['stopped_for_distress']['n']}; ended for safety {ended['n']}."
        )
