"""The results as data: whole at every moment of a study, the same for the same record."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from analysis.description.flow import check_flow, flow_of
from analysis.effects.endpoint import outcomes_of
from analysis.effects.estimate import estimate_effects
from analysis.report.build import build_report
from analysis.report.html_file import render_html
from analysis.results import RESULTS_VERSION, Results, analyse, results_from_json, results_to_json
from analysis.tables.build import build_tables
from study.affect import Affect
from study.errors import RecordError, RecordMismatch
from study.events import (
    AdverseEventReported,
    ConsentDeclined,
    EndReason,
    ParticipantDiscontinued,
    ParticipantEnrolled,
    PlaybackPaused,
    PlaybackStarted,
    PlaybackStopped,
    SelfReportMissed,
    StopReason,
)
from study.manifest import Take
from study.path import PathKind
from study.protocol import Assessment, Design, Phase
from tests.analysis.made_study import CARD, MadeStudy, make_protocol, simulate


def results_of(study: MadeStudy, head: str | None = "f" * 64) -> Results:
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    return analyse(study.protocol, tables, study.manifests, study.predictions, head)


def eventful() -> MadeStudy:
    """Eight who did everything, and one for each thing that can go otherwise."""
    study = simulate(make_protocol(), 8, rehearsal=False)
    study.add(ParticipantEnrolled({"site": "home"}, False), "sub-declined")
    study.add(ConsentDeclined("1"), "sub-declined")
    study.enrol("sub-early", simulated=False)
    study.add(ParticipantDiscontinued(EndReason.WITHDREW, ""), "sub-early")
    for who, arm in (("sub-silent", "iso"), ("sub-distress", "iso"), ("sub-waiting", "target_only")):
        study.enrol(who, simulated=False)
        study.report(who, "ses-01", Phase.PRE, Affect(-0.7, 0.6))
        study.allocate(who, arm)
    study.add(ParticipantDiscontinued(EndReason.LOST_TO_FOLLOW_UP, ""), "sub-silent")
    study.render("sub-distress", 1, Affect(-0.7, 0.6))
    for event in (
        PlaybackStarted(0.0),
        PlaybackPaused(70.0),
        AdverseEventReported("emotional", "mild", "related", "cried"),
    ):
        study.add(event, "sub-distress", "ses-01")
    study.report("sub-distress", "ses-01", Phase.PROBE, Affect(-0.8, 0.6), 60.0)
    study.add(PlaybackStopped(70.0, StopReason.DISTRESS), "sub-distress", "ses-01")
    study.add(SelfReportMissed(Phase.POST, "slider", "too upset"), "sub-distress", "ses-01")
    return study


def test_the_flow_adds_up_and_names_every_reason() -> None:
    flow = results_of(eventful()).flow
    iso, target_only = flow["groups"]

    assert (flow["enrolled"], flow["allocated"]) == (13, 11)
    assert flow["not_allocated"] == {"declined to take part": 1, "withdrew before allocation": 1}
    assert (iso["allocated"], iso["started"], iso["completed"], iso["analysed"]) == (6, 5, 4, 4)
    assert iso["not_started"] == {"lost to follow up": 1}
    assert iso["stopped"] == {"distress": 1}
    assert iso["not_analysed"] == {"lost to follow up": 1, "post report missed: too upset": 1}
    assert target_only["not_started"] == {"not yet": 1}
    assert target_only["not_analysed"] == {"not yet given": 1}


def test_a_flow_that_does_not_add_up_is_refused() -> None:
    flow = json.loads(json.dumps(results_of(eventful()).flow))
    flow["groups"][0]["analysed"] += 1

    with pytest.raises(RecordError, match=r"flow \(iso, analysed\): 6 people, but the parts sum to 7"):
        check_flow(flow)


def test_table_1_counts_everyone_allocated_and_tests_nothing() -> None:
    baseline = results_of(eventful()).baseline

    assert baseline["n"] == [6, 5, 11]
    assert [row["characteristic"] for row in baseline["rows"]] == [
        "site",
        "site",
        "Valence felt, pre (slider)",
        "Arousal felt, pre (slider)",
    ]
    assert sum(row["cells"][-1]["n"] for row in baseline["rows"][:2]) == 11
    assert all(set(cell) <= {"n", "of", "mean", "sd"} for row in baseline["rows"] for cell in row["cells"])


def test_adherence_safety_and_missingness_count_what_happened_in_each_arm() -> None:
    results = results_of(eventful())
    iso = results.adherence[0]
    safety = results.safety["arms"][0]
    missing = {(row["arm"], row["phase"]): row for row in results.missingness}

    assert iso["started"] == {"n": 5, "of": 6}
    assert (iso["pauses"], iso["stopped"], iso["heard_s"]["min"]) == (1, {"distress": 1}, 70.0)
    assert safety["distress"] == {
        "pre": {"n": 2, "of": 6},
        "probe": {"n": 1, "of": 6},
        "post": {"n": 0, "of": 6},
    }
    assert (safety["stopped_for_distress"]["n"], safety["with_adverse_event"]["n"]) == (1, 1)
    assert missing["iso", "post"]["given"] == {"n": 4, "of": 6}
    assert missing["iso", "post"]["missing"] == {"lost to follow up": 1, "too upset": 1}
    assert missing["iso", "probe"]["missing"] == {
        "lost to follow up": 3,
        "not reached: session stopped early": 2,
    }


def test_the_figures_paths_are_the_means_over_the_arms_people() -> None:
    study = simulate(make_protocol(), 6)
    results = results_of(study)
    iso = results.paths[0]
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    post = tables.self_reports[
        (tables.self_reports["phase"] == "post") & (tables.self_reports["arm"] == "iso")
    ]

    assert [point["time_s"] for point in iso["planned"]] == [15.0 + 30 * i for i in range(8)]
    assert [point["phase"] for point in iso["felt"]] == ["pre", "probe", "probe", "probe", "post"]
    assert iso["felt"][-1]["valence"] == pytest.approx(post["valence"].mean())
    assert iso["felt"][-1]["n"] == len(iso["people"]["post"]) == 3
    assert iso["planned"][-1]["valence"] == pytest.approx(0.6)


def test_the_same_record_gives_the_same_bytes() -> None:
    first, second = (results_to_json(results_of(eventful())) for _ in range(2))

    assert first == second


def test_results_survive_the_round_trip_through_json() -> None:
    text = results_to_json(results_of(eventful()))

    assert results_to_json(results_from_json(text)) == text


@pytest.mark.parametrize(
    "study",
    [
        MadeStudy(make_protocol()),
        MadeStudy(make_protocol((PathKind.ISO,))),
        MadeStudy(make_protocol(design=Design.CROSSOVER)),
        simulate(make_protocol(), 1),
        simulate(make_protocol((PathKind.ISO,)), 3),
        simulate(make_protocol(multiplicity="gatekeeping", endpoint="distance"), 3),
    ],
    ids=["empty", "empty one arm", "empty crossover", "one person", "one arm", "three people"],
)
def test_at_every_moment_of_a_study_there_are_results_without_nan(study: MadeStudy) -> None:
    text = results_to_json(results_of(study, head=None))

    assert "NaN" not in text
    assert "Infinity" not in text


@pytest.mark.parametrize("kept", range(0, 100, 7))
def test_after_any_number_of_events_the_flow_adds_up(kept: int) -> None:
    study = eventful()
    study.events = study.events[:kept]
    rendered = {(r.participant_id, r.session_id) for r in study.events if r.kind == "SessionRendered"}
    manifests = {key: manifest for key, manifest in study.manifests.items() if key in rendered}
    tables = build_tables(study.protocol, study.events, manifests, study.predictions)

    outcomes = outcomes_of(study.protocol, tables)
    analysed = estimate_effects(study.protocol, outcomes, "projected_progress").analysed
    flow = flow_of(study.protocol, tables, outcomes, analysed)

    assert flow["enrolled"] == sum(r.kind == "ParticipantEnrolled" for r in study.events)
    assert flow["allocated"] == sum(r.kind == "ParticipantAllocated" for r in study.events)


def test_an_erased_participant_is_counted_in_the_flow_and_nowhere_else() -> None:
    study = eventful()
    study.events = [replace(r, event=None) if r.participant_id == "sub-001" else r for r in study.events]
    study.manifests = {key: m for key, m in study.manifests.items() if key[0] != "sub-001"}
    results = results_of(study)

    assert results.flow["not_allocated"]["data erased at the person's request"] == 1
    assert results.primary["row"]["n"] == 7
    assert "sub-001" not in results_to_json(results)


def test_one_simulated_participant_marks_the_whole() -> None:
    study = simulate(make_protocol(), 2, rehearsal=False)
    assert not results_of(study).simulated

    study.enrol("sub-bot", simulated=True)

    assert results_of(study).simulated


def test_a_rehearsal_is_simulated_before_anybody_is_enrolled() -> None:
    study = simulate(make_protocol(), 0)

    assert results_of(study).simulated


def test_provenance_names_protocol_record_predictor_engine_and_licences() -> None:
    made = results_of(simulate(make_protocol(), 2)).provenance

    assert made["protocol_sha256"] == make_protocol().sha256
    assert made["record_head_sha256"] == "f" * 64
    assert made["engines"] == {"composer 1": 2}
    assert made["licences"] == {"bank": "CC0-1.0"}
    assert made["predictors"][0]["limits"] == list(CARD.limits)
    assert {"python", "numpy", "statsmodels", "isopath"} <= set(made["software"])


def test_provenance_counts_the_clips_that_were_generated_and_says_where() -> None:
    study = simulate(make_protocol(), 2)
    aim = Affect(0.1, 0.2)
    takes = (
        Take(0.0, 30.0, aim, "calm piano", 1, 0, False, "a" * 64, 2, 0.9, 0.9),
        Take(0.0, 30.0, aim, "calm piano", 2, 1, True, "b" * 64, 1, 0.1, 0.1),
    )
    rendering = {"device": "cuda", "device_name": "NVIDIA H100", "dtype": "bfloat16"}
    key, manifest = next(iter(study.manifests.items()))
    study.manifests[key] = replace(manifest, takes=takes, rendering=rendering)

    results = results_of(study)

    assert results.provenance["takes"] == {"generated": 2, "heard": 1, "near_ties": 3}
    assert results.provenance["devices"] == {"NVIDIA H100, cuda, bfloat16": 1}
    page = render_html(build_report(results))
    assert "2, of which 1 are heard; draws near a tie: 3" in page
    assert "Rendered on NVIDIA H100, cuda, bfloat16" in page


def test_a_follow_up_is_counted_by_group() -> None:
    protocol = make_protocol()
    protocol = replace(
        protocol,
        assessments=(*protocol.assessments, Assessment(Phase.FOLLOW_UP, ("slider",), after_days=7.0)),
    )
    study = simulate(protocol, 4)
    study.report("sub-001", None, Phase.FOLLOW_UP, Affect(0.2, 0.1))
    study.add(SelfReportMissed(Phase.FOLLOW_UP, "slider", "moved away"), "sub-003")
    rows = [row for row in results_of(study).missingness if row["phase"] == "follow_up"]

    assert [row["given"] for row in rows] == [{"n": 1, "of": 2}, {"n": 0, "of": 2}]
    assert [row["missing"] for row in rows] == [{"moved away": 1}, {"not yet given": 2}]


def test_a_stratum_that_is_not_adjusted_for_is_noted() -> None:
    assert any(
        "stratified by site" in note for note in results_of(simulate(make_protocol(covariates=()), 4)).notes
    )


def test_another_predictor_than_the_protocols_is_noted() -> None:
    study = simulate(make_protocol(), 2)
    study.predictions = {
        key: {"cues": replace(heard["musicnn"], card=replace(CARD, name="cues"))}
        for key, heard in study.predictions.items()
    }

    assert (
        "The protocol names the predictor musicnn; predictions here are by cues." in results_of(study).notes
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"results_version": 1}', '{"results_version": 99}'])
def test_what_is_not_results_of_this_version_is_refused(text: str) -> None:
    with pytest.raises(RecordMismatch, match="run `isopath analyse` again"):
        results_from_json(text)


def test_results_carry_their_version() -> None:
    assert (
        json.loads(results_to_json(results_of(MadeStudy(make_protocol()))))["results_version"]
        == RESULTS_VERSION
    )
