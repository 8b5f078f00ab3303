"""Questionnaires, sound checks and how things were shown, as tables; and what the report makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from analysis.description.baseline import baseline_of
from analysis.description.descriptives import missingness_of
from analysis.description.flow import flow_of
from analysis.results import analyse
from analysis.tables.build import StudyTables, build_tables
from protocols import example_path
from study.affect import Affect
from study.cohort import SimulatedClock
from study.errors import RecordError, UnknownName
from study.events import (
    Asked,
    QuestionnaireSubmitted,
    RehearsalStarted,
    ReportCorrected,
    SelfReportMissed,
    SelfReportSubmitted,
    SoundChecked,
)
from study.founding import initialise_study
from study.instruments import Perspective
from study.manifest import RenderManifest
from study.protocol import Assessment, Phase, SoundCheck, StudyProtocol
from study.rehearsal import begin_rehearsal, rehearse
from study.session import SessionPlan
from tests.analysis.made_study import MadeStudy, make_protocol
from tests.study.every_step import AFTERWARDS, EXPECTATIONS, with_every_step
from tests.study.walking import manifest_of

PRE = Affect(-0.5, 0.5)
SHOWN = Asked("de", "", ("told", "preference", "guess"), (), 12.5)


def protocol_with_questionnaires() -> StudyProtocol:
    made = make_protocol()
    assessments = (
        Assessment(Phase.PRE, ("slider", "expectations")),
        Assessment(Phase.PROBE, ("slider",), (60.0,)),
        Assessment(Phase.POST, ("slider", "afterwards")),
    )
    check = SoundCheck("huggins", 6, 5, 2, ends_on_failure=True)
    return replace(
        made, questionnaires=(EXPECTATIONS, AFTERWARDS), assessments=assessments, sound_check=check
    )


def begun(who: str = "sub-1", group: str = "iso", expectancy: float = 5.0) -> MadeStudy:
    study = MadeStudy(protocol_with_questionnaires())
    enter(study, who, group, expectancy)
    return study


def enter(study: MadeStudy, who: str, group: str, expectancy: float) -> None:
    study.enrol(who)
    study.add(SoundChecked(0.4, "huggins", 3, 6, False, 1), who, "ses-01")
    study.add(SoundChecked(0.5, "huggins", 6, 6, True, 2), who, "ses-01")
    study.report(who, "ses-01", Phase.PRE, PRE)
    answered = QuestionnaireSubmitted(Phase.PRE, "expectations", {"expectancy": expectancy}, ("remarks",))
    study.add(answered, who, "ses-01")
    study.allocate(who, group)


def tables_of(study: MadeStudy) -> StudyTables:
    return build_tables(study.protocol, study.events, study.manifests, study.predictions)


def afterwards(answers: dict[str, str | float]) -> QuestionnaireSubmitted:
    missed = tuple(item.item_id for item in AFTERWARDS.items if item.item_id not in answers)
    return QuestionnaireSubmitted(Phase.POST, "afterwards", answers, missed, SHOWN)


def test_every_item_has_a_row_with_its_number_option_or_text() -> None:
    study = begun()
    study.add(afterwards({"preference": 6.0, "guess": "iso", "told": "nice, & <quiet>"}), "sub-1", "ses-01")
    rows = tables_of(study).questionnaire_answers
    mine = rows[rows["questionnaire_id"] == "afterwards"].set_index("item_id")

    assert mine["answer_number"].dropna().to_dict() == {"preference": 6.0}
    assert mine["answer_option"].dropna().to_dict() == {"guess": "iso"}
    assert mine["answer_text"].dropna().to_dict() == {"told": "nice, & <quiet>"}
    assert mine["measures"].dropna().to_dict() == {"preference": "preference", "guess": "arm_guess"}
    assert mine[
        ["participant_id", "session_id", "arm", "phase", "language"]
    ].drop_duplicates().to_numpy().tolist() == [["sub-1", "ses-01", "iso", "post", "de"]]
    assert set(mine["item_order"]) == {"told preference guess"}
    assert set(mine["response_time_s"]) == {12.5}
    assert not mine["missed"].any()


def test_a_blank_item_is_a_row_and_what_staff_typed_in_has_no_order() -> None:
    rows = tables_of(begun()).questionnaire_answers.set_index("item_id")

    assert rows["missed"].to_dict() == {"expectancy": False, "remarks": True}
    assert rows[["answer_text", "item_order", "language", "missed_reason"]].isna().all(axis=None)


def test_a_questionnaire_nobody_answered_has_a_row_for_each_item_with_the_reason() -> None:
    study = begun()
    study.add(SelfReportMissed(Phase.POST, "afterwards", "had to leave"), "sub-1", "ses-01")
    tables = tables_of(study)
    rows = tables.questionnaire_answers
    mine = rows[rows["questionnaire_id"] == "afterwards"]

    assert mine["item_id"].tolist() == ["preference", "guess", "told"]
    assert mine["missed"].all()
    assert set(mine["missed_reason"]) == {"had to leave"}
    assert set(tables.self_reports["instrument_id"]) == {"slider"}


def test_an_erased_questionnaire_and_an_erased_sound_check_leave_no_row() -> None:
    study = begun()
    study.events = [
        replace(r, event=None) if r.kind in ("QuestionnaireSubmitted", "SoundChecked") else r
        for r in study.events
    ]
    tables = tables_of(study)

    assert len(tables.questionnaire_answers) == len(tables.sound_checks) == 0
    assert tables.events["erased"].sum() == 3
    assert tables.participants["status"].tolist() == ["erased"]


def test_every_attempt_at_the_sound_check_is_a_row() -> None:
    checks = tables_of(begun()).sound_checks

    assert checks[["attempt", "volume", "correct", "trials", "passed"]].to_numpy().tolist() == [
        [1, 0.4, 3, 6, False],
        [2, 0.5, 6, 6, True],
    ]
    assert set(checks["headphone_test"]) == {"huggins"}


def test_a_self_report_keeps_the_order_of_its_items_and_which_were_left_untouched() -> None:
    study = begun()
    asked = Asked("en", "How do you feel?", ("arousal", "valence"), ("valence",), 3.5)
    raw, felt = {"valence": 0.5, "arousal": 0.75}, Affect(0.0, 0.5)
    study.add(
        SelfReportSubmitted(Phase.POST, "slider", Perspective.FELT, raw, felt, {}, (), asked=asked),
        "sub-1",
        "ses-01",
    )
    typed, shown = tables_of(study).self_reports.to_dict("records")

    assert (shown["item_order"], shown["untouched_items"]) == ("arousal valence", "valence")
    assert (shown["language"], shown["response_time_s"]) == ("en", 3.5)
    assert pd.isna(typed["item_order"])
    assert pd.isna(typed["untouched_items"])


@pytest.mark.parametrize("phase", [Phase.PRE, Phase.POST])
def test_a_questionnaire_answered_twice_in_a_session_cannot_have_happened(phase: Phase) -> None:
    study = begun()
    for _ in range(2):
        study.add(QuestionnaireSubmitted(phase, "expectations", {}, ()), "sub-1", "ses-01")

    with pytest.raises(RecordError, match=f"is a second {phase} report"):
        tables_of(study)


def test_a_questionnaire_of_another_protocol_is_refused() -> None:
    study = begun()
    study.add(QuestionnaireSubmitted(Phase.POST, "weather", {}, ()), "sub-1", "ses-01")

    with pytest.raises(UnknownName, match="'weather' is not one of this protocol"):
        tables_of(study)


def test_expectancy_stands_in_the_baseline_table_by_group() -> None:
    study = begun("sub-1", "iso", 6.0)
    enter(study, "sub-2", "target_only", 2.0)
    rows = baseline_of(study.protocol, tables_of(study))["rows"]
    (row,) = [r for r in rows if r["characteristic"] == "expectancy, 1 to 7, pre (expectations)"]

    assert [cell["mean"] for cell in row["cells"]] == [6.0, 2.0, 4.0]


def test_missing_questionnaires_are_counted_beside_missing_instruments() -> None:
    study = begun("sub-1")
    study.add(SelfReportMissed(Phase.POST, "afterwards", "had to leave"), "sub-1", "ses-01")
    enter(study, "sub-2", "iso", 4.0)
    study.add(afterwards({}), "sub-2", "ses-01")
    missing = {
        (row["phase"], row["instrument_id"]): (row["given"]["n"], row["missing"])
        for row in missingness_of(study.protocol, tables_of(study))
        if row["arm"] == "iso"
    }

    assert missing["pre", "expectations"] == (2, {})
    # Items left blank are ordinary: the questionnaire was given.
    assert missing["post", "afterwards"] == (1, {"had to leave": 1})


def test_whoever_fails_the_sound_check_is_counted_before_allocation() -> None:
    study = MadeStudy(protocol_with_questionnaires())
    study.enrol("sub-1")
    for attempt in (1, 2):
        study.add(SoundChecked(None, "huggins", 2, 6, False, attempt), "sub-1", "ses-01")
    tables = tables_of(study)

    assert tables.participants["status"].tolist() == ["sound_check_failed"]
    assert flow_of(study.protocol, tables, [], frozenset())["not_allocated"] == {"sound check not passed": 1}


def test_a_rehearsed_study_with_every_step_is_analysed_whole(tmp_path: Path) -> None:
    spec = RehearsalStarted(16, 0.5, 0.6, 4, 300.0)
    clock = SimulatedClock(datetime(2026, 3, 1, tzinfo=UTC))
    study = initialise_study(tmp_path / "study", example_path("iso_vs_target_only"), "test", "test", clock)
    study = begin_rehearsal(replace(study, protocol=with_every_step(study.protocol)), spec)
    manifests: dict[tuple[str, str], RenderManifest] = {}

    def render(plans: Sequence[SessionPlan]) -> dict[tuple[str, str], RenderManifest]:
        manifests.update({(plan.participant_id, plan.session_id): manifest_of(plan) for plan in plans})
        return manifests

    rehearse(study, spec, render, lambda *_: None)
    events = study.record.events()
    study.record.close()
    tables = build_tables(study.protocol, events, manifests, {})

    answers = tables.questionnaire_answers
    given = [r.event for r in events if isinstance(r.event, QuestionnaireSubmitted)]
    assert answers["answer_number"].notna().sum() + answers["answer_option"].notna().sum() + answers[
        "answer_text"
    ].notna().sum() == sum(len(event.answers) for event in given)
    assert len(tables.sound_checks) == sum(r.kind == "SoundChecked" for r in events)
    assert tables.sessions["started"].sum() > 8
    assert tables.sessions["completed"].sum() > 5
    flow = analyse(study.protocol, tables, manifests, {}).flow
    assert flow["enrolled"] == 16
    assert sum(group["completed"] for group in flow["groups"]) == tables.sessions["completed"].sum()


def test_the_tables_hold_corrected_answers_marked_and_the_path_starts_where_it_was_begun() -> None:
    study = begun()
    study.add(afterwards({"preference": 6.0, "guess": "iso"}), "sub-1", "ses-01")
    rows = {r.kind: r.sequence for r in study.events}
    pre, last = rows["SelfReportSubmitted"], rows["QuestionnaireSubmitted"]
    as_given = tables_of(study)
    for event in (
        ReportCorrected(pre, "slider", "valence", 0.25, 1.0, "misread"),
        ReportCorrected(last, "afterwards", "preference", 6.0, 2.0, "misread"),
        ReportCorrected(last, "afterwards", "guess", "iso", None, "left blank"),
    ):
        study.add(event, "sub-1", "ses-01")

    tables = tables_of(study)

    assert tables.self_reports[["valence", "arousal", "corrected"]].to_numpy().tolist() == [[1.0, 0.5, True]]
    mine = tables.questionnaire_answers.set_index("item_id").loc[
        ["expectancy", "preference", "guess", "told"]
    ]
    assert mine["corrected"].to_dict() == {
        "expectancy": False,
        "preference": True,
        "guess": True,
        "told": False,
    }
    assert mine["answer_number"].dropna().to_dict() == {"expectancy": 5.0, "preference": 2.0}
    assert mine["missed"].to_dict() == {"expectancy": False, "preference": False, "guess": True, "told": True}
    assert not as_given.self_reports["corrected"].any()
    pd.testing.assert_frame_equal(tables.sessions, as_given.sessions)
    assert tables.sessions["start_valence"].tolist() == [PRE.valence]
