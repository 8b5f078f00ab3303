"""Help comes first: who stops, is in distress or calls meets the support page before anything else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from study.affect import Affect
from study.cohort import SimulatedClock
from study.conduct import discontinue, enrol
from study.delivery import record_playback
from study.errors import ConductError, UnknownName
from study.events import (
    EndReason,
    PlaybackStarted,
    PlaybackStopped,
    StopReason,
    SupportAnswered,
    SupportCause,
    SupportOffered,
)
from study.founding import Study
from study.instruments import Perspective
from study.listening import listening_of
from study.protocol import Phase
from study.self_reports import submit_report
from study.step import AnswerSupport, CheckSound, Finished, GiveReport, Listen, RenderSession
from study.support import answer_support, call_staff
from tests.study.every_step import (
    DISTRESS,
    history_of,
    study_with_every_step,
    take,
    walk_to,
    walk_to_report,
)
from tests.study.walking import ACTOR, FEELING, due

SUPPORT = AnswerSupport("ses-01")


@pytest.fixture
def study(tmp_path: Path, clock: SimulatedClock) -> Iterator[Study]:
    with study_with_every_step(tmp_path / "study", clock) as made:
        yield made


@pytest.fixture
def participant_id(study: Study) -> str:
    return enrol(study, ACTOR, {})


def kinds(study: Study, participant_id: str) -> list[str]:
    return [recorded.kind for recorded in history_of(study, participant_id)]


def in_distress(study: Study, participant_id: str, phase: Phase) -> GiveReport:
    report = walk_to_report(study, participant_id, phase)
    submit_report(study, ACTOR, participant_id, report, DISTRESS)
    return report


@pytest.mark.parametrize("phase", [Phase.PROBE, Phase.POST])
def test_distress_while_listening_or_after_offers_support_in_the_same_transaction(
    study: Study, participant_id: str, phase: Phase
) -> None:
    in_distress(study, participant_id, phase)

    report, offered = history_of(study, participant_id)[-2:]

    assert report.kind == "SelfReportSubmitted"
    assert offered.event == SupportOffered(SupportCause.DISTRESS, Affect(-1.0, 1.0))
    assert offered.session_id == "ses-01"
    assert offered.sequence == report.sequence + 1
    assert due(study, participant_id) == SUPPORT


def test_a_mood_the_session_starts_from_is_no_reason_for_the_support_page(
    study: Study, participant_id: str
) -> None:
    in_distress(study, participant_id, Phase.PRE)

    assert "SupportOffered" not in kinds(study, participant_id)


def test_what_the_music_is_heard_to_express_is_nobodys_distress(study: Study, participant_id: str) -> None:
    walk_to_report(study, participant_id, Phase.POST)
    take(study, participant_id)
    report = due(study, participant_id)
    assert isinstance(report, GiveReport)
    assert study.protocol.instrument(report.instrument_id).perspective is Perspective.PERCEIVED

    submit_report(study, ACTOR, participant_id, report, DISTRESS)

    assert "SupportOffered" not in kinds(study, participant_id)


def test_one_step_short_of_the_protocols_line_is_no_distress(study: Study, participant_id: str) -> None:
    # The line of the example: valence -0.9 or below, arousal 0.3 or above.
    report = walk_to_report(study, participant_id, Phase.PROBE)
    submit_report(study, ACTOR, participant_id, report, {"valence": 0.06, "arousal": 1.0})

    assert due(study, participant_id) != SUPPORT


def test_after_distress_a_person_who_goes_on_hears_on_from_the_same_place(
    study: Study, participant_id: str
) -> None:
    in_distress(study, participant_id, Phase.PROBE)
    answer_support(study, ACTOR, participant_id, "ses-01", "better", wants_staff=False, goes_on=True)

    assert history_of(study, participant_id)[-1].event == SupportAnswered("better", False, True)
    assert due(study, participant_id) == Listen("ses-01", 300.0, 600.0)


def test_after_distress_a_person_who_does_not_go_on_is_asked_the_post_report_and_no_more_probes(
    study: Study, participant_id: str
) -> None:
    in_distress(study, participant_id, Phase.PROBE)
    answer_support(study, ACTOR, participant_id, "ses-01", "worse", wants_staff=True, goes_on=False)

    step = due(study, participant_id)

    assert isinstance(step, GiveReport)
    assert step.phase is Phase.POST
    assert listening_of(history_of(study, participant_id), "ses-01").stop_reason == "distress"
    assert "ParticipantDiscontinued" not in kinds(study, participant_id)


@pytest.mark.parametrize("goes_on", [True, False])
def test_whoever_stops_at_a_probe_is_not_asked_the_rest_of_it(
    study: Study, participant_id: str, goes_on: bool
) -> None:
    probes = [
        replace(given, instrument_ids=("feeling", "expressed")) if given.phase is Phase.PROBE else given
        for given in study.protocol.assessments
    ]
    study = replace(study, protocol=replace(study.protocol, assessments=tuple(probes)))
    in_distress(study, participant_id, Phase.PROBE)
    answer_support(study, ACTOR, participant_id, "ses-01", "same", wants_staff=False, goes_on=goes_on)

    rest = GiveReport(Phase.PROBE, "expressed", "ses-01", 300.0)

    assert due(study, participant_id) == (rest if goes_on else GiveReport(Phase.POST, "feeling", "ses-01"))


def test_distress_after_the_end_and_not_going_on_ends_the_persons_part_for_safety(
    study: Study, participant_id: str
) -> None:
    in_distress(study, participant_id, Phase.POST)
    answer_support(study, ACTOR, participant_id, "ses-01", None, wants_staff=False, goes_on=False)

    assert due(study, participant_id) == Finished("stopped_for_safety")


def test_distress_after_the_end_and_going_on_leads_to_the_rest_of_the_post_reports(
    study: Study, participant_id: str
) -> None:
    in_distress(study, participant_id, Phase.POST)
    answer_support(study, ACTOR, participant_id, "ses-01", "same", wants_staff=False, goes_on=True)

    assert due(study, participant_id) == GiveReport(Phase.POST, "expressed", "ses-01")


def test_distress_told_after_a_stop_neither_starts_the_music_again_nor_ends_the_part(
    study: Study, participant_id: str
) -> None:
    for goes_on in (True, False):
        person = enrol(study, ACTOR, {})
        walk_to(study, person, Listen)
        for event in (PlaybackStarted(0.0), PlaybackStopped(120.0, StopReason.CHOSE_TO_STOP)):
            record_playback(study, ACTOR, person, "ses-01", event)
        in_distress(study, person, Phase.POST)
        answer_support(study, ACTOR, person, "ses-01", "same", wants_staff=False, goes_on=goes_on)

        assert due(study, person) == GiveReport(Phase.POST, "expressed", "ses-01")
        assert listening_of(history_of(study, person), "ses-01").stop_reason == "chose_to_stop"


@pytest.mark.parametrize("kind", [CheckSound, GiveReport, RenderSession, Listen])
def test_whoever_calls_meets_the_support_page_next_and_then_goes_on_where_they_were(
    study: Study, participant_id: str, kind: type[CheckSound | GiveReport | RenderSession | Listen]
) -> None:
    before = walk_to(study, participant_id, kind)

    call_staff(study, ACTOR, participant_id, "ses-01")
    assert due(study, participant_id) == SUPPORT
    answer_support(study, ACTOR, participant_id, "ses-01", "better", wants_staff=True, goes_on=True)

    assert due(study, participant_id) == before


def test_a_call_before_the_music_and_not_going_on_ends_the_persons_part_for_safety(
    study: Study, participant_id: str
) -> None:
    walk_to(study, participant_id, CheckSound)
    call_staff(study, ACTOR, participant_id, "ses-01")
    answer_support(study, ACTOR, participant_id, "ses-01", "worse", wants_staff=True, goes_on=False)

    assert due(study, participant_id) == Finished("stopped_for_safety")


def test_a_call_while_the_music_waits_and_not_going_on_ends_the_music_only(
    study: Study, participant_id: str
) -> None:
    walk_to(study, participant_id, Listen)
    call_staff(study, ACTOR, participant_id, "ses-01")
    answer_support(study, ACTOR, participant_id, "ses-01", None, wants_staff=True, goes_on=False)

    step = due(study, participant_id)

    assert isinstance(step, GiveReport)
    assert step.phase is Phase.POST


def test_calling_twice_is_recorded_once(study: Study, participant_id: str) -> None:
    walk_to(study, participant_id, Listen)
    call_staff(study, ACTOR, participant_id, "ses-01")
    call_staff(study, ACTOR, participant_id, "ses-01")

    assert kinds(study, participant_id).count("SupportOffered") == 1


def test_a_call_from_the_support_page_of_distress_is_recorded_beside_it(
    study: Study, participant_id: str
) -> None:
    in_distress(study, participant_id, Phase.PROBE)
    call_staff(study, ACTOR, participant_id, "ses-02")

    causes = [r.event.cause for r in history_of(study, participant_id) if isinstance(r.event, SupportOffered)]

    assert causes == [SupportCause.DISTRESS, SupportCause.CALLED]
    assert due(study, participant_id) == SUPPORT


def test_nothing_else_is_taken_while_the_support_page_is_due(study: Study, participant_id: str) -> None:
    report = walk_to_report(study, participant_id, Phase.PRE)
    call_staff(study, ACTOR, participant_id, "ses-01")

    with pytest.raises(ConductError, match="next is: the support page of ses-01"):
        submit_report(study, ACTOR, participant_id, report, FEELING)


def test_a_support_page_that_is_not_due_cannot_be_answered(study: Study, participant_id: str) -> None:
    walk_to(study, participant_id, Listen)

    with pytest.raises(ConductError, match="the support page is not the next step"):
        answer_support(study, ACTOR, participant_id, "ses-01", "same", wants_staff=False, goes_on=True)


def test_a_feeling_that_is_no_answer_is_refused(study: Study, participant_id: str) -> None:
    in_distress(study, participant_id, Phase.PROBE)

    with pytest.raises(UnknownName, match="'splendid' is not an answer; write one of better, same, worse"):
        answer_support(study, ACTOR, participant_id, "ses-01", "splendid", wants_staff=False, goes_on=True)


def test_a_call_in_a_session_that_is_not_planned_is_refused(study: Study, participant_id: str) -> None:
    walk_to(study, participant_id, Listen)

    with pytest.raises(UnknownName, match="'ses-03' is not a session of this protocol"):
        call_staff(study, ACTOR, participant_id, "ses-03")


def test_there_is_no_call_before_consent_nor_after_the_end(study: Study, participant_id: str) -> None:
    with pytest.raises(ConductError, match="next is: consent"):
        call_staff(study, ACTOR, participant_id, "ses-01")

    discontinue(study, ACTOR, participant_id, EndReason.WITHDREW)

    with pytest.raises(ConductError, match="part is over"):
        call_staff(study, ACTOR, participant_id, "ses-01")
