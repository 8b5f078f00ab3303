"""Whatever befalls a study, its report is written: what cannot be estimated says why, and the rest stands."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.report.build import build_report
from analysis.report.html_file import render_html
from analysis.results import Results, analyse, results_from_json, results_to_json
from analysis.tables.build import build_tables
from study.affect import Affect
from study.analysis_plan import Aim, InterimSpec, MissingSpec, Model
from study.events import RecordedEvent, SelfReportMissed, SelfReportSubmitted
from study.path import PathKind
from study.protocol import Design, Phase, StudyProtocol
from tests.analysis.made_study import MadeStudy, make_protocol, simulate

Change = Callable[[RecordedEvent], RecordedEvent | None]


def results_of(study: MadeStudy) -> Results:
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    found = analyse(study.protocol, tables, study.manifests, study.predictions, "f" * 64)
    return results_from_json(results_to_json(found))


def changed(study: MadeStudy, change: Change) -> MadeStudy:
    """The same record with each event changed, or left out."""
    events = [event for recorded in study.events if (event := change(recorded)) is not None]
    return replace(study, events=events)


def is_post(recorded: RecordedEvent) -> bool:
    return isinstance(recorded.event, SelfReportSubmitted) and recorded.event.phase is Phase.POST


def without_posts_of(study: MadeStudy, arm: str) -> MadeStudy:
    """Nobody of one arm gives a report after listening."""
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    groups = dict(zip(tables.participants["participant_id"], tables.participants["group"], strict=True))

    def change(recorded: RecordedEvent) -> RecordedEvent | None:
        if is_post(recorded) and groups[recorded.participant_id] == arm:
            missed = SelfReportMissed(Phase.POST, "slider", "left")
            return replace(recorded, kind="SelfReportMissed", event=missed)
        return recorded

    return changed(study, change)


def all_alike(study: MadeStudy) -> MadeStudy:
    def change(recorded: RecordedEvent) -> RecordedEvent:
        if not isinstance(recorded.event, SelfReportSubmitted):
            return recorded
        same = Affect(0.2, 0.1) if recorded.event.phase is not Phase.PRE else Affect(-0.4, 0.4)
        return replace(recorded, event=replace(recorded.event, affect=same))

    return changed(study, change)


def with_nan_from_mer(study: MadeStudy) -> MadeStudy:
    nothing = {
        key: {
            name: replace(
                series,
                valence_pred=np.full_like(series.valence_pred, np.nan),
                arousal_pred=np.full_like(series.arousal_pred, np.nan),
            )
            for name, series in heard.items()
        }
        for key, heard in study.predictions.items()
    }
    return replace(study, predictions=nothing)


def one_site_in_each_arm(study: MadeStudy) -> MadeStudy:
    """The stratum repeats the arm: no model can tell them apart."""
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    groups = dict(zip(tables.participants["participant_id"], tables.participants["group"], strict=True))

    def change(recorded: RecordedEvent) -> RecordedEvent:
        if recorded.kind not in ("ParticipantEnrolled", "ParticipantAllocated"):
            return recorded
        site = "clinic" if groups[recorded.participant_id] == "iso" else "home"
        event: Any = recorded.event
        return replace(recorded, event=replace(event, stratum={"site": site}))

    return changed(study, change)


def everything(protocol: StudyProtocol) -> StudyProtocol:
    """A plan that asks for all there is."""
    contrasts = tuple(
        replace(c, aim=Aim.EQUIVALENCE, margin=0.2) if c.is_primary else c
        for c in protocol.analysis.contrasts
    )
    spec = replace(
        protocol.analysis,
        contrasts=contrasts,
        interim=InterimSpec((0.5, 1.0), "lan_demets_obrien_fleming"),
        missing=MissingSpec("multiple_imputation", 20),
        multiplicity="gatekeeping",
    )
    return replace(protocol, analysis=spec)


def repeated(protocol: StudyProtocol, model: Model) -> StudyProtocol:
    return replace(
        protocol,
        session_count=3,
        allocation=replace(
            protocol.allocation,
            groups=tuple(replace(g, arm_ids=g.arm_ids * 3) for g in protocol.allocation.groups),
        ),
        analysis=replace(protocol.analysis, model=model),
    )


PLANS: dict[str, Callable[[], StudyProtocol]] = {
    "ancova": make_protocol,
    "everything": lambda: everything(make_protocol()),
    "three arms": lambda: make_protocol((PathKind.ISO, PathKind.SILENCE, PathKind.TARGET_ONLY)),
    "crossover": lambda: replace(
        make_protocol(design=Design.CROSSOVER),
        analysis=replace(make_protocol(design=Design.CROSSOVER).analysis, model=Model.WITHIN_PERSON),
    ),
    "mmrm": lambda: repeated(make_protocol(), Model.MMRM),
    "random effects": lambda: repeated(make_protocol(), Model.RANDOM_EFFECTS),
}

MISFORTUNES: dict[str, Callable[[StudyProtocol], MadeStudy]] = {
    "nobody": lambda protocol: simulate(protocol, 0),
    "one person": lambda protocol: simulate(protocol, 1),
    "two people": lambda protocol: simulate(protocol, 2),
    "three people": lambda protocol: simulate(protocol, 3),
    "an arm without outcomes": lambda protocol: without_posts_of(
        simulate(protocol, 12), protocol.allocation.groups[-1].group_id
    ),
    "nobody gives an outcome": lambda protocol: changed(
        simulate(protocol, 8), lambda r: None if is_post(r) else r
    ),
    "all answers alike": lambda protocol: all_alike(simulate(protocol, 12)),
    "nothing from MER": lambda protocol: with_nan_from_mer(simulate(protocol, 12)),
    "a singular design": lambda protocol: one_site_in_each_arm(simulate(protocol, 12)),
}


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """How narrow an interval is, is tested elsewhere."""
    monkeypatch.setattr("analysis.agreement.resampling.REPLICATES", 50)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys())
@pytest.mark.parametrize("misfortune", MISFORTUNES.values(), ids=MISFORTUNES.keys())
def test_every_missing_number_has_its_reason(
    plan: Callable[[], StudyProtocol], misfortune: Callable[[StudyProtocol], MadeStudy]
) -> None:
    results = results_of(misfortune(plan()))

    for row in rows_in(json.loads(results_to_json(results))):
        if row["estimate"] is None and row["p_value"] is None:
            assert row["reason"], row["row_id"]


@pytest.mark.parametrize(("plan", "misfortune"), list(zip(itertools.cycle(PLANS), MISFORTUNES, strict=False)))
def test_the_report_is_written(plan: str, misfortune: str) -> None:
    results = results_of(MISFORTUNES[misfortune](PLANS[plan]()))

    page = render_html(build_report(results))

    assert "</html>" in page


def rows_in(value: Any) -> list[dict[str, Any]]:
    """Every result row at or below a value."""
    if isinstance(value, list):
        return [row for item in value for row in rows_in(item)]
    if not isinstance(value, dict):
        return []
    own = [value] if {"row_id", "estimate", "reason"} <= set(value) else []
    return own + [row for item in value.values() for row in rows_in(item)]


def test_an_arm_without_outcomes_leaves_the_comparison_of_the_others() -> None:
    study = without_posts_of(simulate(PLANS["three arms"](), 24), "silence")

    results = results_of(study)

    by_contrast = {row["contrast_id"]: row for row in results.primary["contrasts"]}
    assert by_contrast["iso_vs_silence"]["estimate"] is None
    assert by_contrast["iso_vs_silence"]["reason"] == "nobody in arm silence has the outcome"
    assert by_contrast["iso_vs_target_only"]["estimate"] is not None
    assert "not estimable: nobody in arm silence has the outcome" in render_html(build_report(results))


def test_nothing_from_mer_leaves_the_effects_and_says_why_there_are_no_pairs() -> None:
    whole, without = simulate(make_protocol(), 12), with_nan_from_mer(simulate(make_protocol(), 12))

    before, after = results_of(whole), results_of(without)

    assert after.primary["row"]["estimate"] == before.primary["row"]["estimate"]
    assert after.agreement["unpaired"]
    felt = [one for one in after.agreement["sets"] if one["second"] == "generated" and one["phase"]]
    assert all(one["n_pairs"] == 0 for one in felt)


def test_a_singular_design_is_not_replaced_by_another_model() -> None:
    results = results_of(one_site_in_each_arm(simulate(make_protocol(), 24)))

    assert results.primary["row"]["estimate"] is None
    assert "singular design" in results.primary["row"]["reason"]
    assert all(entry["decision"] == "not estimable" for entry in results.ledger)
