"""Every reachable history has exactly one next step, and only that step is taken."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from study.cohort import SimulatedClock
from study.conduct import (
    assess_eligibility,
    complete_induction,
    decline_consent,
    discontinue,
    give_consent,
    read_debrief,
)
from study.delivery import plan_session, record_playback, record_render
from study.errors import ConductError
from study.events import (
    EndReason,
    PlaybackEnded,
    PlaybackEvent,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    PlaybackStopped,
    SelfReportMissed,
    StopReason,
)
from study.founding import Study, initialise_study
from study.protocol import Phase
from study.self_reports import miss_report, submit_questionnaire, submit_report
from study.sound_check import record_sound_check
from study.step import (
    AnswerEligibility,
    AnswerSupport,
    CheckSound,
    Finished,
    GiveConsent,
    GiveReport,
    GoThroughInduction,
    Listen,
    ReadDebrief,
    RenderSession,
    Step,
    describe,
)
from study.support import answer_support
from tests.study.conftest import EXAMPLES
from tests.study.walking import (
    ACTOR,
    ANXIETY,
    FEELING,
    MEMORY,
    allocated,
    answers_to,
    completed,
    consented,
    due,
    eligible,
    enrolled,
    listened,
    manifest_of,
    rendered,
    right_answers,
)


def test_the_way_of_a_participant_from_enrolment_to_the_end(study: Study) -> None:
    seen = []
    participant_id = enrolled(study)
    for _ in range(40):
        step = due(study, participant_id)
        seen.append(describe(step))
        if isinstance(step, Finished):
            break
        take(study, participant_id, step, choice=0)

    assert seen == [
        "consent",
        "the eligibility questions",
        "the baseline report with feeling",
        "the baseline report with anxiety",
        "the pre report with feeling (ses-01)",
        "rendering ses-01",
        "listening to ses-01 from 0 s to 300 s",
        "listening to ses-01 from 0 s to 300 s",
        "the probe report at 300 s with feeling (ses-01)",
        "listening to ses-01 from 300 s to 600 s",
        "listening to ses-01 from 300 s to 600 s",
        "the probe report at 600 s with feeling (ses-01)",
        "listening to ses-01 from 600 s to 900 s",
        "listening to ses-01 from 600 s to 900 s",
        "the post report with feeling (ses-01)",
        "the post report with expressed (ses-01)",
        "the post report with anxiety (ses-01)",
        "the follow_up report with feeling",
        "the follow_up report with anxiety",
        "nothing, this participant's part is over (completed)",
    ]


def take(study: Study, participant_id: str, step: Step, choice: int) -> None:
    """Take the due step; `choice` picks among the ways a person may take it."""
    match step:
        case GiveConsent() if choice == 9:
            decline_consent(study, ACTOR, participant_id)
        case GiveConsent():
            give_consent(study, ACTOR, participant_id, "en")
        case AnswerEligibility():
            answers = {q.question_id: q.eligible_if for q in study.protocol.eligibility}
            first = study.protocol.eligibility[0].question_id
            assess_eligibility(study, ACTOR, participant_id, {**answers, first: choice != 9})
        case GoThroughInduction(session_id=session_id):
            complete_induction(study, ACTOR, participant_id, session_id)
        case GiveReport(phase=phase) if choice == 8 and phase is not Phase.PRE:
            miss_report(study, ACTOR, participant_id, step, "left blank")
        case GiveReport() if (asked := study.protocol.questionnaire(step.instrument_id)) is not None:
            submit_questionnaire(study, ACTOR, participant_id, step, answers_to(asked))
        case GiveReport():
            kind = study.protocol.instrument(step.instrument_id).kind
            submit_report(study, ACTOR, participant_id, step, ANXIETY if kind == "stai6" else FEELING)
        case RenderSession():
            plan = plan_session(study, participant_id)
            record_render(study, ACTOR, plan, manifest_of(plan))
        case Listen():
            record_playback(study, ACTOR, participant_id, step.session_id, playback(study, step, choice))
        case CheckSound(session_id=session_id):
            right = right_answers(study, participant_id)
            heard = right if choice < 8 else [answer % 3 + 1 for answer in right]
            record_sound_check(study, ACTOR, participant_id, session_id, 0.5, heard)
        case AnswerSupport(session_id=session_id):
            answer_support(study, ACTOR, participant_id, session_id, "same", choice > 4, choice < 5)
        case ReadDebrief():
            read_debrief(study, ACTOR, participant_id, "en")
        case Finished():
            raise AssertionError("nothing is due")


def playback(study: Study, step: Listen, choice: int) -> PlaybackEvent:
    history = [r.event for r in study.record.events() if isinstance(r.event, PlaybackEvent)]
    last = history[-1] if history else None
    if last is None or last.position_s > step.position_s:
        return PlaybackStarted(0.0)
    if isinstance(last, PlaybackPaused):
        return PlaybackResumed(step.position_s)
    if isinstance(last, (PlaybackEnded, PlaybackStopped)):
        return PlaybackStarted(0.0)
    if choice == 7:
        return PlaybackStopped((step.position_s + step.until_s) / 2, StopReason.CHOSE_TO_STOP)
    if choice == 6:
        return PlaybackPaused((step.position_s + step.until_s) / 2)
    at_end = step.until_s >= study.protocol.duration_s
    return PlaybackEnded(step.until_s) if at_end else PlaybackPaused(step.until_s)


EVERY_STEP: list[Step] = [
    GiveConsent(),
    AnswerEligibility(),
    GoThroughInduction("ses-01"),
    GiveReport(Phase.BASELINE, "feeling", None),
    GiveReport(Phase.PRE, "feeling", "ses-01"),
    GiveReport(Phase.PROBE, "feeling", "ses-01", 300.0),
    GiveReport(Phase.POST, "feeling", "ses-01"),
    GiveReport(Phase.FOLLOW_UP, "feeling", None),
    RenderSession("ses-01", 1),
]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    example=st.sampled_from(sorted(EXAMPLES.glob("*.json"))),
    choices=st.lists(st.integers(0, 9), min_size=5, max_size=60),
)
@pytest.mark.requirement("21 CFR 11.10(f)")
def test_every_reachable_history_has_one_next_step_and_refuses_the_others(
    example: Path, choices: list[int]
) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        clock = SimulatedClock(datetime(2026, 3, 1, tzinfo=UTC))
        study = initialise_study(Path(folder) / "study", example, ACTOR, "test", clock)
        stratum = {s.factor: s.levels[0] for s in study.protocol.allocation.strata}
        from study.conduct import enrol

        participant_id = enrol(study, ACTOR, stratum)
        for choice in choices:
            step = due(study, participant_id)
            for other in EVERY_STEP:
                # Rendering takes no argument: whatever session is due is the one rendered.
                if other != step and not (
                    isinstance(other, RenderSession) and isinstance(step, RenderSession)
                ):
                    before = study.record.head()
                    with pytest.raises(ConductError):
                        take(study, participant_id, other, choice=0)
                    assert study.record.head() == before
            if isinstance(step, Finished):
                break
            clock.advance(60)
            take(study, participant_id, step, choice)
        study.record.verify()
        study.record.close()


@pytest.mark.requirement("ALCOA+ original")
def test_a_second_post_report_is_refused_and_the_first_stands(study: Study) -> None:
    participant_id = completed(study)
    before = study.record.head()

    with pytest.raises(ConductError, match="the post report is not the next step"):
        submit_report(study, ACTOR, participant_id, GiveReport(Phase.POST, "feeling", "ses-01"), FEELING)

    assert study.record.head() == before


def test_nobody_is_allocated_before_consent_and_the_pre_report(study: Study) -> None:
    for walk in (enrolled, consented, eligible):
        participant_id = walk(study)
        assert not any(r.kind == "ParticipantAllocated" for r in study.record.participant(participant_id))

    participant_id = allocated(study)

    kinds = [r.kind for r in study.record.participant(participant_id)]
    assert kinds[-2:] == ["SelfReportSubmitted", "ParticipantAllocated"]


def test_a_pre_report_without_arousal_is_refused_because_it_starts_the_path(study: Study) -> None:
    participant_id = eligible(study)
    for _ in range(2):
        take(study, participant_id, due(study, participant_id), choice=8)

    with pytest.raises(ConductError, match="arousal was missed, and it starts the path"):
        submit_report(
            study, ACTOR, participant_id, GiveReport(Phase.PRE, "feeling", "ses-01"), {"valence": 0.5}
        )


def test_probes_that_listening_passes_by_are_recorded_as_missed(study: Study) -> None:
    participant_id = listened(study)

    missed = [r.event for r in study.record.participant(participant_id) if r.kind == "SelfReportMissed"]

    assert missed == [
        SelfReportMissed(Phase.PROBE, "feeling", "listening went on", 300.0),
        SelfReportMissed(Phase.PROBE, "feeling", "listening went on", 600.0),
    ]


def test_after_an_early_stop_the_post_report_is_due_and_later_probes_are_not(study: Study) -> None:
    participant_id = rendered(study)
    for event in (PlaybackStarted(0.0), PlaybackStopped(120.0, StopReason.DISTRESS)):
        record_playback(study, ACTOR, participant_id, "ses-01", event)

    assert due(study, participant_id) == GiveReport(Phase.POST, "feeling", "ses-01")


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        ([PlaybackPaused(10.0)], "it is not playing"),
        ([PlaybackStarted(0.0), PlaybackStarted(1.0)], "it is playing"),
        ([PlaybackStarted(0.0), PlaybackEnded(400.0)], "does not follow"),
        ([PlaybackStarted(0.0), PlaybackPaused(20.0), PlaybackResumed(5.0)], "lies outside 20 to 900 s"),
        ([PlaybackStarted(0.0), PlaybackPaused(5000.0)], "lies outside 0 to 900 s"),
        ([PlaybackStarted(0.0), PlaybackEnded(900.0), PlaybackResumed(900.0)], "it is finished"),
    ],
)
def test_playback_that_cannot_have_happened_is_refused(
    study: Study, events: list[PlaybackEvent], problem: str
) -> None:
    participant_id = rendered(study)
    for event in events[:-1]:
        record_playback(study, ACTOR, participant_id, "ses-01", event)

    with pytest.raises(ConductError, match=problem):
        record_playback(study, ACTOR, participant_id, "ses-01", events[-1])


def test_a_person_may_leave_at_any_step_and_only_once(study: Study) -> None:
    for walk in (enrolled, consented, eligible, allocated, rendered, listened):
        participant_id = walk(study)
        discontinue(study, ACTOR, participant_id, EndReason.WITHDREW, "")
        assert due(study, participant_id) == Finished("withdrew")
        with pytest.raises(ConductError, match="part is over"):
            discontinue(study, ACTOR, participant_id, EndReason.WITHDREW, "")


@pytest.mark.requirement("ALCOA+ traceable")
def test_a_visit_outside_its_window_is_taken_and_recorded_as_a_deviation(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    study = initialise_study(tmp_path / "x", EXAMPLES / "crossover_2x2.json", ACTOR, "test", clock)
    from study.conduct import enrol

    stratum = {s.factor: s.levels[0] for s in study.protocol.allocation.strata}
    participant_id = enrol(study, ACTOR, stratum)
    while True:
        step = due(study, participant_id)
        if isinstance(step, GiveReport) and step.session_id == "ses-02":
            break
        take(study, participant_id, step, choice=0)
    clock.advance(60 * 86_400)
    take(study, participant_id, step, choice=0)

    deviations = [r for r in study.record.participant(participant_id) if r.kind == "DeviationRecorded"]

    assert len(deviations) == 1
    assert "session 2 on day 60" in str(deviations[0].event)
    study.record.close()


def test_an_erased_payload_does_not_send_a_person_back(study: Study) -> None:
    participant_id = allocated(study)
    before = due(study, participant_id)
    for recorded in study.record.participant(participant_id):
        if recorded.kind in ("ConsentGiven", "EligibilityAssessed"):
            study.record.erase_payload(ACTOR, recorded.sequence, "asked for it")

    assert due(study, participant_id) == before
    study.record.verify()


def test_an_erased_verdict_lets_nobody_on_who_had_not_gone_on(study: Study) -> None:
    participant_id = consented(study)
    answers = {question.question_id: not question.eligible_if for question in study.protocol.eligibility}
    assess_eligibility(study, ACTOR, participant_id, answers)
    study.record.erase_payload(ACTOR, study.record.head().sequence, "asked for it")

    assert due(study, participant_id) == Finished("not_eligible")


def test_a_person_who_left_has_left_even_when_the_reason_is_erased(study: Study) -> None:
    participant_id = consented(study)
    discontinue(study, ACTOR, participant_id, EndReason.WITHDREW, "a private reason")
    study.record.erase_payload(ACTOR, study.record.head().sequence, "asked for it")

    assert due(study, participant_id) == Finished("discontinued")
