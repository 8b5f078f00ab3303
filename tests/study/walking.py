"""Take a participant of the example study to any step, through the use cases."""

from __future__ import annotations

from study.conduct import assess_eligibility, enrol, give_consent
from study.delivery import plan_session, record_playback, record_render
from study.events import PlaybackEnded, PlaybackStarted
from study.founding import Study
from study.manifest import RenderManifest
from study.protocol import Phase
from study.self_reports import submit_report
from study.session import SessionPlan
from study.step import GiveReport, Listen, RenderSession, Step
from study.steps import next_step

STRATUM = {"site": "north", "baseline_arousal": "high"}
ANXIETY = {"calm": 2.0, "tense": 3.0, "upset": 2.0, "relaxed": 2.0, "content": 2.0, "worried": 3.0}
FEELING = {"valence": 0.2, "arousal": 0.75}
ACTOR = "test"


def due(study: Study, participant_id: str) -> Step:
    return next_step(study.protocol, study.record.participant(participant_id))


def enrolled(study: Study) -> str:
    return enrol(study, ACTOR, STRATUM)


def consented(study: Study) -> str:
    participant_id = enrolled(study)
    give_consent(study, ACTOR, participant_id, "en")
    return participant_id


def eligible(study: Study) -> str:
    participant_id = consented(study)
    answers = {question.question_id: question.eligible_if for question in study.protocol.eligibility}
    assess_eligibility(study, ACTOR, participant_id, answers)
    return participant_id


def answer(study: Study, participant_id: str) -> GiveReport:
    """Answer the report that is due."""
    report = due(study, participant_id)
    assert isinstance(report, GiveReport)
    responses = ANXIETY if report.instrument_id == "anxiety" else FEELING
    submit_report(study, ACTOR, participant_id, report, responses)
    return report


def allocated(study: Study) -> str:
    participant_id = eligible(study)
    while isinstance(due(study, participant_id), GiveReport):
        answer(study, participant_id)
    assert isinstance(due(study, participant_id), RenderSession)
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
    while isinstance(due(study, participant_id), GiveReport):
        answer(study, participant_id)
    return participant_id


def pre_report(instrument_id: str = "feeling") -> GiveReport:
    return GiveReport(Phase.PRE, instrument_id, "ses-01")
