"""Take a participant of the example study to any step, through the use cases."""

from __future__ import annotations

from pathlib import Path

from study.conduct import assess_eligibility, complete_induction, enrol, give_consent, read_debrief
from study.delivery import plan_session, record_playback, record_render
from study.events import PlaybackEnded, PlaybackStarted
from study.founding import Study
from study.manifest import RenderManifest
from study.protocol import Phase
from study.questionnaire import ItemKind, Questionnaire
from study.self_reports import submit_questionnaire, submit_report
from study.session import SessionPlan
from study.sound_check import record_sound_check, trial_answers
from study.step import (
    CheckSound,
    Finished,
    GiveReport,
    GoThroughInduction,
    Listen,
    ReadDebrief,
    RenderSession,
    Step,
)
from study.steps import next_step, step_key

STRATUM = {"site": "north", "baseline_arousal": "high"}
ANXIETY = {"calm": 2.0, "tense": 3.0, "upset": 2.0, "relaxed": 2.0, "content": 2.0, "worried": 3.0}
FEELING = {"valence": 0.2, "arousal": 0.75}
ACTOR = "test"
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where a test of very many appends keeps its record: how durable they are is tested elsewhere."""


def due(study: Study, participant_id: str) -> Step:
    return next_step(study.protocol, study.record.participant(participant_id))


def enrolled(study: Study) -> str:
    return enrol(study, ACTOR, STRATUM)


def consented(study: Study) -> str:
    participant_id = enrolled(study)
    give_consent(study, ACTOR, participant_id, "en")
    return participant_id


def eligible(study: Study) -> str:
    """Eligible, and through the sound check where the protocol has one."""
    participant_id = consented(study)
    answers = {question.question_id: question.eligible_if for question in study.protocol.eligibility}
    assess_eligibility(study, ACTOR, participant_id, answers)
    while isinstance(due(study, participant_id), CheckSound):
        go_on(study, participant_id)
    return participant_id


def right_answers(study: Study, participant_id: str) -> list[int]:
    """What a person who hears well answers in the sound check that is due."""
    history = study.record.participant(participant_id)
    key = step_key(due(study, participant_id), history)
    return list(trial_answers(study.protocol, participant_id, key))


def answers_to(questionnaire: Questionnaire) -> dict[str, str | float]:
    """What a willing person answers: 3 on every scale, the first option, a remark."""
    usual: dict[ItemKind, str | float] = {ItemKind.SCALE: 3.0, ItemKind.TEXT: "It was quiet."}
    return {
        item.item_id: item.options[0][0] if item.kind is ItemKind.CHOICE else usual[item.kind]
        for item in questionnaire.items
    }


def go_on(study: Study, participant_id: str) -> Step:
    """Take the due step, if it is one of those between enrolment and the sound, or after it."""
    step = due(study, participant_id)
    match step:
        case CheckSound(session_id=session_id):
            right = right_answers(study, participant_id)
            record_sound_check(study, ACTOR, participant_id, session_id, 0.5, right)
        case GoThroughInduction(session_id=session_id):
            complete_induction(study, ACTOR, participant_id, session_id)
        case GiveReport():
            answer(study, participant_id)
        case ReadDebrief():
            read_debrief(study, ACTOR, participant_id, "en")
        case _:
            raise AssertionError(f"{step} is not such a step")
    return step


def answer(study: Study, participant_id: str) -> GiveReport:
    """Answer the report that is due."""
    report = due(study, participant_id)
    assert isinstance(report, GiveReport)
    questionnaire = study.protocol.questionnaire(report.instrument_id)
    if questionnaire is not None:
        submit_questionnaire(study, ACTOR, participant_id, report, answers_to(questionnaire))
    else:
        responses = ANXIETY if report.instrument_id == "anxiety" else FEELING
        submit_report(study, ACTOR, participant_id, report, responses)
    return report


def allocated(study: Study) -> str:
    participant_id = eligible(study)
    while not isinstance(due(study, participant_id), RenderSession):
        go_on(study, participant_id)
    return participant_id


def manifest_of(plan: SessionPlan) -> RenderManifest:
    """What a render of the plan would hand back, for tests about the record alone."""
    return RenderManifest(
        participant_id=plan.participant_id,
        session_id=plan.session_id,
        plan_sha256=plan.sha256,
        engine={"name": "none"},
        models={},
        licences={},
        seed=plan.seed,
        stim_file="session.flac",
        audio_sha256="0" * 64,
        sample_rate_hz=32_000,
        channels=2,
        duration_s=plan.duration_s,
        loudness_lufs=plan.loudness_lufs,
        true_peak_dbtp=-3.0,
        gain_db=0.0,
        clips=(),
    )


def rendered(study: Study) -> str:
    participant_id = allocated(study)
    plan = plan_session(study, participant_id)
    record_render(study, ACTOR, plan, manifest_of(plan))
    return participant_id


def listened(study: Study) -> str:
    participant_id = rendered(study)
    record_playback(study, ACTOR, participant_id, "ses-01", PlaybackStarted(0.0))
    step = due(study, participant_id)
    assert isinstance(step, Listen)
    record_playback(study, ACTOR, participant_id, "ses-01", PlaybackEnded(study.protocol.duration_s))
    assert isinstance(due(study, participant_id), GiveReport)
    return participant_id


def completed(study: Study) -> str:
    participant_id = listened(study)
    while not isinstance(due(study, participant_id), Finished):
        go_on(study, participant_id)
    return participant_id


def pre_report(instrument_id: str = "feeling") -> GiveReport:
    return GiveReport(Phase.PRE, instrument_id, "ses-01")
