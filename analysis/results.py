"""The analysis results as data: what every table, figure and sentence is made from.

`analyse` computes them once; `results.json` holds them; the report, the
dashboard and the exports only read them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from analysis.agreement.results import agreement_of
from analysis.blinding.guesses import blinding_of
from analysis.chosen_model import estimate_endpoint
from analysis.description.baseline import baseline_of
from analysis.description.conduct import conduct_of
from analysis.description.descriptives import adherence_of, deviations_of, missingness_of, safety_of
from analysis.description.dose import dose_of
from analysis.description.flow import flow_of
from analysis.description.imported_notes import imported_notes
from analysis.description.paths import changes_of, paths_of
from analysis.description.privacy_notes import privacy_notes
from analysis.description.provenance import provenance_of
from analysis.description.reported_plan import notes_of, study_of
from analysis.effects.bivariate import estimate_both_axes
from analysis.effects.crossover import crossover_rows
from analysis.effects.endpoint import ENDPOINTS, outcomes_of, visits_of
from analysis.effects.equivalence import equivalence_rows
from analysis.effects.estimate import Effects
from analysis.effects.intercurrent import Applied, apply_strategies
from analysis.effects.looks.interim import interim_of, without_statistics
from analysis.effects.looks.sequential_test import sequential_test_of
from analysis.effects.multiplicity import make_ledger
from analysis.effects.trajectories import trajectory_rows
from analysis.mer.hearing import Predictions, SessionKey
from analysis.missing.sensitivity import missing_data_of
from analysis.numbers import numbers_of
from analysis.result_row import PRIMARY_ESTIMAND, json_ready
from analysis.tables.build import StudyTables
from study.canonical import plain
from study.errors import RecordMismatch
from study.events import DataImported, InterimLookTaken, RecordedEvent, RehearsalStarted
from study.manifest import RenderManifest
from study.protocol import StudyProtocol

RESULTS_VERSION = 5


@dataclass(frozen=True)
class Results:
    """Everything a report needs, as JSON values.

    Args:
        results_version: of this form.
        simulated: at least one participant is not a person.
        shuffled: why arms were dealt anew before this analysis, so that its comparisons mean nothing;
            None where arms are as allocated.
        rehearsal: the settings of `RehearsalStarted`, or None.
        study: title, id, hash, design, arms, contrasts and the rest of the plan as reported.
        flow: see `flow_of`; baseline: see `baseline_of`.
        estimand: what the primary rows estimate, with its intercurrent events, how many met each and
            what was done about it.
        primary: the endpoint's effects, with `row`: the primary contrast's.
        secondary: the other endpoints' effects; both_axes: Hotelling's rows.
        equivalence: rows of contrasts that aim at equivalence or non-inferiority.
        crossover: treatment, period and sequence, in a crossover.
        trajectories: how reports move during a session.
        missing_data: see `missing_data_of`; interim: see `interim_of`; either may be None.
        ledger: every confirmatory test with its decision.
        agreement: rows, points of difference plots, predictors beside each other, whether sounds follow
            their plans (`path_following`), and what was not paired.
        dose: see `dose_of`.
        paths, changes: the figures' data, see `paths_of` and `changes_of`.
        blinding: guesses of the arm and their indices, see `blinding_of`.
        conduct: amendments, pauses, stop rules reached and arms told early, see `conduct_of`.
        adherence, missingness, safety, deviations: see `analysis.description.descriptives`.
        provenance: see `provenance_of`.
        notes: sentences a reader must know.
        numbers: every number above as one flat list, see `numbers_of`.
    """

    results_version: int
    simulated: bool
    shuffled: str | None
    rehearsal: Mapping[str, Any] | None
    study: Mapping[str, Any]
    flow: Mapping[str, Any]
    baseline: Mapping[str, Any]
    estimand: Mapping[str, Any]
    primary: Mapping[str, Any]
    secondary: list[dict[str, Any]]
    both_axes: list[dict[str, Any]]
    equivalence: list[dict[str, Any]]
    crossover: list[dict[str, Any]]
    trajectories: list[dict[str, Any]]
    missing_data: Mapping[str, Any] | None
    interim: Mapping[str, Any] | None
    ledger: list[dict[str, Any]]
    agreement: Mapping[str, Any]
    dose: Mapping[str, Any]
    blinding: Mapping[str, Any]
    conduct: Mapping[str, Any]
    paths: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    adherence: list[dict[str, Any]]
    missingness: list[dict[str, Any]]
    safety: Mapping[str, Any]
    deviations: list[dict[str, Any]]
    provenance: Mapping[str, Any]
    notes: list[str]
    numbers: list[dict[str, Any]]


def analyse(
    protocol: StudyProtocol,
    tables: StudyTables,
    manifests: Mapping[SessionKey, RenderManifest],
    predictions: Predictions,
    record_head_sha256: str | None = None,
    rehearsal: RehearsalStarted | None = None,
    looks: Sequence[InterimLookTaken] = (),
    shuffled: str | None = None,
    imported: Sequence[DataImported] = (),
    events: Sequence[RecordedEvent] = (),
) -> Results:
    """The pre-specified analysis of a study, at any moment of it.

    The same arguments give the same results: every draw is seeded from the
    protocol's hash.

    Args:
        tables: as `build_tables` made them from the same manifests and predictions.
        record_head_sha256: hash of the record's last row.
        rehearsal: what a rehearsal planted, or None.
        looks: interim looks on record.
        shuffled: why `tables` come from `shuffle_arms`; None where arms are as allocated.
        imported: files of a study that ran elsewhere, which the record was made from.
        events: the whole record, in order: what happened to the study itself is told from it.

    Raises:
        UnknownName: a covariate of the protocol that there is no column for.
        RecordError: the flow does not add up.
    """
    applied = apply_strategies(protocol, tables, outcomes_of(protocol, tables))
    outcomes = applied.outcomes
    visits = apply_strategies(protocol, tables, visits_of(protocol, tables)).outcomes
    effects = {
        endpoint: estimate_endpoint(protocol, outcomes, visits, endpoint, applied.not_estimable)
        for endpoint in ENDPOINTS
    }
    endpoint = protocol.analysis.endpoint
    primary = effects.pop(endpoint)
    gated = (
        [row for row in effects["distance"].contrasts if row.extra["is_primary"]]
        if "distance" in effects
        else []
    )
    shown_looks = looks if shuffled is None else without_statistics(looks)
    sequential = sequential_test_of(protocol, primary, shown_looks)
    equivalence = equivalence_rows(
        protocol, primary, None if sequential is None else sequential.final_boundary.nominal_p
    )
    ledger = make_ledger(
        protocol.analysis.multiplicity,
        protocol.analysis.alpha,
        primary.contrasts,
        gated,
        equivalence,
        sequential,
    )
    provenance = provenance_of(protocol, tables, manifests, predictions, record_head_sha256)
    results = Results(
        results_version=RESULTS_VERSION,
        simulated=is_simulated(tables),
        shuffled=shuffled,
        rehearsal=plain(rehearsal),
        study=study_of(protocol),
        flow=flow_of(protocol, tables, outcomes, primary.analysed),
        baseline=baseline_of(protocol, tables),
        estimand=_estimand(protocol, applied),
        primary={
            **_effects(primary),
            "row": next((row.to_plain() for row in primary.contrasts if row.extra["is_primary"]), None),
        },
        secondary=[_effects(found) for found in effects.values()],
        both_axes=[row.to_plain() for row in estimate_both_axes(protocol, outcomes)],
        equivalence=[row.to_plain() for row in equivalence],
        crossover=[row.to_plain() for row in crossover_rows(protocol, outcomes)],
        trajectories=[row.to_plain() for row in trajectory_rows(protocol, tables)],
        missing_data=missing_data_of(protocol, outcomes),
        interim=interim_of(protocol, primary, shown_looks, is_blinded=shuffled is not None),
        ledger=[entry.to_plain() for entry in ledger],
        agreement=agreement_of(protocol, tables, manifests),
        dose=dose_of(protocol, tables, outcomes),
        blinding=blinding_of(protocol, tables),
        conduct=conduct_of(protocol, events, is_blinded=shuffled is not None),
        paths=paths_of(protocol, tables),
        changes=changes_of(protocol, outcomes),
        adherence=adherence_of(protocol, tables),
        missingness=missingness_of(protocol, tables),
        safety=safety_of(protocol, tables),
        deviations=deviations_of(tables),
        provenance=provenance,
        notes=[
            *imported_notes(imported),
            *privacy_notes(protocol, events),
            *notes_of(protocol, primary, provenance),
        ],
        numbers=[],
    )
    return replace(results, numbers=numbers_of(json_ready(_content(results))))


def is_simulated(tables: StudyTables) -> bool:
    """Whether anybody in the tables is simulated; one is enough."""
    return bool(
        (tables.events["kind"] == RehearsalStarted.__name__).any()
        or tables.participants["simulated"].fillna(False).astype(bool).any()
    )


def results_to_json(results: Results) -> str:
    """Indented JSON; a number that is not finite is null."""
    return json.dumps(json_ready(_content(results)), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def results_from_json(text: str) -> Results:
    """Read what `results_to_json` wrote.

    Raises:
        RecordMismatch: not results, or of another version.
    """
    remedy = "run `isopath analyse` again with this isopath"
    try:
        content = json.loads(text)
        version = content["results_version"]
    except (ValueError, TypeError, KeyError) as problem:
        raise RecordMismatch("results.json", "does not hold analysis results", remedy) from problem
    if version != RESULTS_VERSION or set(content) != {field.name for field in fields(Results)}:
        raise RecordMismatch("results.json", f"is of version {version}, not {RESULTS_VERSION}", remedy)
    return Results(**content)


def _content(results: Results) -> dict[str, Any]:
    return {field.name: getattr(results, field.name) for field in fields(results)}


def _effects(found: Effects) -> dict[str, Any]:
    return {
        "endpoint": found.endpoint,
        "endpoint_label": ENDPOINTS[found.endpoint],
        "contrasts": [row.to_plain() for row in found.contrasts],
        "arms": [row.to_plain() for row in found.arms],
        "missing": dict(found.missing),
        "left_out": list(found.left_out),
        "by_session": [row.to_plain() for row in found.by_session],
        "diagnostics": json_ready(found.diagnostics),
    }


def _estimand(protocol: StudyProtocol, applied: Applied) -> dict[str, Any]:
    estimand = protocol.analysis.estimand
    return {
        "estimand_id": PRIMARY_ESTIMAND,
        "population": estimand.population,
        "variable": estimand.variable,
        "summary": estimand.summary,
        "composite_value": estimand.composite_value,
        "events": json_ready(list(applied.events)),
        "not_estimable": applied.not_estimable,
    }
