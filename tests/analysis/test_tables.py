"""The tidy tables: what the record says, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from analysis.tables.build import StudyTables, build_tables
from study.affect import Affect
from study.errors import RecordError, RecordMismatch, UnknownName
from study.events import (
    AdverseEventReported,
    ConsentDeclined,
    DeviationRecorded,
    EndReason,
    ParticipantAllocated,
    ParticipantDiscontinued,
    ParticipantEnrolled,
    PlaybackEnded,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    PlaybackStopped,
    SelfReportMissed,
    StopReason,
)
from study.path import PathKind
from study.protocol import Design, Phase
from tests.analysis.made_study import MadeStudy, make_protocol, other_sha, simulate

PRE = Affect(-0.5, 0.5)


def allocated(who: str = "sub-1") -> MadeStudy:
    study = MadeStudy(make_protocol())
    study.enrol(who)
    study.report(who, "ses-01", Phase.PRE, PRE)
    study.allocate(who, "iso")
    study.render(who, 1, PRE)
    return study


def tables_of(study: MadeStudy) -> StudyTables:
    return build_tables(study.protocol, study.events, study.manifests, study.predictions)


def test_a_study_without_participants_gives_empty_typed_tables() -> None:
    tables = tables_of(MadeStudy(make_protocol()))

    for table in vars(tables).values():
        assert len(table) == 0
    assert "stratum_site" in tables.participants.columns


def test_a_whole_study_has_a_row_for_each_person_session_clip_and_report() -> None:
    study = simulate(make_protocol(), 4)
    tables = tables_of(study)

    assert len(tables.participants) == len(tables.sessions) == 4
    assert len(tables.clips) == 4 * 8
    assert len(tables.self_reports) == 4 * (1 + 3 + 1)
    assert len(tables.pairs) == 4 * (3 + 1)
    assert len(tables.events) == len(study.events)
    assert tables.participants["status"].tolist() == ["completed"] * 4


def test_how_likely_a_group_was_stands_beside_it() -> None:
    study = MadeStudy(make_protocol())
    study.add(ParticipantEnrolled({"site": "clinic"}, False), "sub-1")
    drawn = ParticipantAllocated("iso", ("iso",), {"site": "clinic"}, 0, 0, "minimisation", 0.8)
    study.add(drawn, "sub-1")
    earlier = ParticipantAllocated("iso", ("iso",), {"site": "clinic"}, 0, 1)
    study.add(ParticipantEnrolled({"site": "clinic"}, False), "sub-2")
    study.add(earlier, "sub-2")

    people = tables_of(study).participants

    assert people["allocation_probability"].tolist()[0] == 0.8
    assert people["allocation_probability"].isna().tolist() == [False, True]


def test_the_session_row_holds_what_was_heard() -> None:
    study = allocated()
    for event in (
        PlaybackStarted(0.0),
        PlaybackPaused(60.0),
        PlaybackResumed(30.0),
        PlaybackStopped(120.0, StopReason.CHOSE_TO_STOP),
    ):
        study.add(event, "sub-1", "ses-01")
    session = tables_of(study).sessions.iloc[0]

    assert (session["arm"], session["period"], session["pauses"]) == ("iso", 1, 1)
    assert (session["heard_s"], session["heard_share"]) == (120.0, 0.5)
    assert (session["stop_reason"], bool(session["completed"])) == ("chose_to_stop", False)
    assert (session["start_valence"], session["target_arousal"]) == (-0.5, -0.4)


def test_a_clip_row_holds_planned_generated_and_heard() -> None:
    study = allocated()
    study.add(PlaybackStarted(0.0), "sub-1", "ses-01")
    study.add(PlaybackStopped(45.0, StopReason.DISTRESS), "sub-1", "ses-01")
    clips = tables_of(study).clips
    series = study.predictions["sub-1", "ses-01"]["musicnn"]

    assert clips["heard_s"].tolist() == [30.0, 15.0] + [0.0] * 6
    assert (clips["valence_target"].iloc[0], clips["arousal_target"].iloc[-1]) == (-0.5, -0.4)
    assert (clips["valence_pred"].iloc[2], clips["arousal_pred"].iloc[2]) == series.mean_over(60.0, 90.0)


def test_raw_responses_are_kept_beside_the_affect_they_map_to() -> None:
    report = tables_of(allocated()).self_reports.iloc[0]

    assert report["responses"] == '{"arousal": 0.75, "valence": 0.25}'
    assert (report["valence"], report["arousal"], report["perspective"]) == (-0.5, 0.5, "felt")


def test_a_missed_report_is_a_row_with_its_reason() -> None:
    study = allocated()
    study.add(SelfReportMissed(Phase.POST, "slider", "left the room"), "sub-1", "ses-01")
    report = tables_of(study).self_reports.iloc[-1]

    assert bool(report["missed"])
    assert report["missed_reason"] == "left the room"
    assert pd.isna(report["valence"])


def test_status_follows_from_the_events() -> None:
    study = allocated("sub-progress")
    study.add(ParticipantEnrolled({"site": "home"}, False), "sub-consent")
    study.add(ParticipantEnrolled({"site": "home"}, False), "sub-declined")
    study.add(ConsentDeclined("1"), "sub-declined")
    study.enrol("sub-screening")
    study.enrol("sub-gone")
    study.add(ParticipantDiscontinued(EndReason.LOST_TO_FOLLOW_UP, "no answer"), "sub-gone")
    people = tables_of(study).participants.set_index("participant_id")

    assert people["status"].to_dict() == {
        "sub-progress": "in_progress",
        "sub-consent": "awaiting_consent",
        "sub-declined": "declined",
        "sub-screening": "screening",
        "sub-gone": "lost_to_follow_up",
    }
    assert people.loc["sub-gone", "status_note"] == "no answer"


def test_an_erased_participant_is_there_as_erased_and_without_data() -> None:
    study = allocated()
    study.events = [
        replace(recorded, event=None) if recorded.participant_id == "sub-1" else recorded
        for recorded in study.events
    ]
    study.manifests.clear()
    study.predictions.clear()
    tables = tables_of(study)
    person = tables.participants.iloc[0]

    assert (person["status"], bool(person["erased"])) == ("erased", True)
    assert pd.isna(person["group"])
    assert pd.isna(person["stratum_site"])
    assert len(tables.self_reports) == len(tables.sessions) == 0
    assert tables.events["erased"].sum() == len(study.events)


def test_a_crossover_person_has_one_session_row_per_period_in_the_order_allocated() -> None:
    study = simulate(make_protocol(design=Design.CROSSOVER), 2)
    sessions = tables_of(study).sessions

    assert sessions["arm"].tolist() == ["iso", "target_only", "target_only", "iso"]
    assert sessions["period"].tolist() == [1, 2, 1, 2]


def test_adverse_events_and_deviations_carry_the_arm() -> None:
    study = allocated()
    study.add(AdverseEventReported("emotional", "mild", "possible", "cried"), "sub-1", "ses-01")
    study.add(DeviationRecorded("room changed", "flood"))
    tables = tables_of(study)

    assert tables.adverse_events[["arm", "category", "description"]].iloc[0].tolist() == [
        "iso",
        "emotional",
        "cried",
    ]
    assert tables.deviations["deviation_reason"].tolist() == ["flood"]
    assert pd.isna(tables.deviations["arm"].iloc[0])


def test_an_event_of_another_protocol_is_refused() -> None:
    study = allocated()

    with pytest.raises(RecordMismatch, match="analyse the record with its own protocol"):
        build_tables(other_sha(study.protocol), study.events, {}, {})


def test_a_manifest_of_other_sound_is_refused() -> None:
    study = allocated()
    key = ("sub-1", "ses-01")
    study.manifests[key] = replace(study.manifests[key], audio_sha256="f" * 64)

    with pytest.raises(RecordMismatch, match="other sound than the record names"):
        tables_of(study)


def test_rows_out_of_order_are_refused() -> None:
    study = allocated()
    study.events[0], study.events[1] = study.events[1], study.events[0]

    with pytest.raises(RecordError, match="follows row"):
        tables_of(study)


def test_a_participant_who_was_never_enrolled_is_refused() -> None:
    study = MadeStudy(make_protocol())
    study.report("sub-1", "ses-01", Phase.PRE, PRE)

    with pytest.raises(RecordError, match="not with enrolment"):
        tables_of(study)


def test_two_allocations_are_refused() -> None:
    study = allocated()
    study.allocate("sub-1", "target_only")

    with pytest.raises(RecordError, match="allocated twice"):
        tables_of(study)


def test_a_second_post_report_is_refused() -> None:
    study = allocated()
    for _ in range(2):
        study.report("sub-1", "ses-01", Phase.POST, PRE)

    with pytest.raises(RecordError, match="a second post report"):
        tables_of(study)


def test_an_allocation_to_a_group_the_protocol_does_not_have_is_refused() -> None:
    study = MadeStudy(make_protocol((PathKind.ISO, PathKind.SILENCE)))
    study.enrol("sub-1")
    study.allocate("sub-1", "silence")

    with pytest.raises(UnknownName, match="'silence' is not a group"):
        build_tables(make_protocol(), study.events, {}, {})


def test_a_session_that_is_not_planned_is_refused() -> None:
    study = allocated()
    study.add(PlaybackEnded(240.0), "sub-1", "ses-09")

    with pytest.raises(RecordError, match="ses-09, which is not planned"):
        tables_of(study)
