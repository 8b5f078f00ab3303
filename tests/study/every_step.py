"""A protocol with every step there is, and one way to take each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from study.cohort import SimulatedClock
from study.conduct import assess_eligibility, complete_induction, decline_consent, give_consent, read_debrief
from study.delivery import plan_session, record_playback, record_render
from study.events import (
    History,
    PlaybackEnded,
    PlaybackEvent,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    PlaybackStopped,
    StopReason,
)
from study.founding import Study, initialise_study
from study.listening import listening_of
from study.protocol import Assessment, Debrief, Phase, SoundCheck, StudyProtocol
from study.questionnaire import Item, ItemKind, Questionnaire
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
)
from study.support import answer_support
from tests.study.conftest import EXAMPLES
from tests.study.walking import ACTOR, ANXIETY, FEELING, answers_to, due, manifest_of, right_answers

LOW, HIGH = {"en": "not at all"}, {"en": "very much"}

EXPECTATIONS = Questionnaire(
    "expectations",
    (
        Item("expectancy", ItemKind.SCALE, {"en": "Will it help?"}, 7, LOW, HIGH, measures="expectancy"),
        Item("remarks", ItemKind.TEXT, {"en": "Anything else?"}),
    ),
)
AFTERWARDS = Questionnaire(
    "afterwards",
    (
        Item("preference", ItemKind.SCALE, {"en": "Did you like it?"}, 7, LOW, HIGH, measures="preference"),
        Item(
            "guess",
            ItemKind.CHOICE,
            {"en": "Which did you hear?"},
            options=(("iso", {"en": "one"}), ("random_order", {"en": "two"}), ("do_not_know", {"en": "?"})),
            measures="arm_guess",
        ),
        Item("told", ItemKind.TEXT, {"en": "How was it?"}),
    ),
)
CHECK = SoundCheck("huggins", trials=6, pass_at=5, attempts=2, ends_on_failure=False)
CROSSOVER = EXAMPLES / "crossover_2x2.json"
DISTRESS = {"valence": 0.0, "arousal": 1.0}


def with_every_step(protocol: StudyProtocol, check: SoundCheck = CHECK) -> StudyProtocol:
    """The protocol with sound check, induction, questionnaires (last at `pre`), follow-ups and debriefing."""
    extra = {Phase.PRE: ("expectations",), Phase.POST: ("afterwards",)}
    own = {questionnaire.questionnaire_id for questionnaire in protocol.questionnaires}
    kept = [
        replace(given, instrument_ids=tuple(name for name in given.instrument_ids if name not in own))
        for given in protocol.assessments
        if given.phase is not Phase.FOLLOW_UP
    ]
    feeling = protocol.analysis.instrument_id
    return replace(
        protocol,
        sound_check=check,
        questionnaires=(EXPECTATIONS, AFTERWARDS),
        induction_text={"en": "Think of the last week."},
        debrief=Debrief({"en": "Thank you."}, after_follow_up=False, tells_arm=False),
        assessments=(
            *(replace(a, instrument_ids=(*a.instrument_ids, *extra.get(a.phase, ()))) for a in kept),
            Assessment(Phase.FOLLOW_UP, (feeling,), after_days=7.0),
            Assessment(Phase.FOLLOW_UP, (feeling, "afterwards"), after_days=30.0),
        ),
    )


@contextmanager
def study_with_every_step(
    root: Path, clock: SimulatedClock, protocol: Path = CROSSOVER, check: SoundCheck = CHECK
) -> Iterator[Study]:
    """What is added to the protocol is added in memory: the file on disk does not say it."""
    study = initialise_study(root, protocol, ACTOR, "isopath test", clock)
    yield replace(study, protocol=with_every_step(study.protocol, check))
    study.record.close()


def history_of(study: Study, participant_id: str) -> History:
    return study.record.participant(participant_id)


def take(study: Study, participant_id: str, choice: int = 0) -> Step:
    """Take the due step; `choice` (0 to 9) picks among the ways a person may take it."""
    step = due(study, participant_id)
    match step:
        case GiveConsent() if choice == 9:
            decline_consent(study, ACTOR, participant_id)
        case GiveConsent():
            give_consent(study, ACTOR, participant_id, "en")
        case AnswerEligibility():
            answers = {q.question_id: q.eligible_if for q in study.protocol.eligibility}
            first = study.protocol.eligibility[0].question_id
            asked = {**answers, first: answers[first] is (choice != 9)}
            assess_eligibility(study, ACTOR, participant_id, asked)
        case CheckSound(session_id=session_id):
            right = right_answers(study, participant_id)
            heard = right if choice < 7 else [answer % 3 + 1 for answer in right]
            record_sound_check(study, ACTOR, participant_id, session_id, 0.5, heard)
        case GoThroughInduction(session_id=session_id):
            complete_induction(study, ACTOR, participant_id, session_id)
        case GiveReport():
            report(study, participant_id, step, choice)
        case RenderSession():
            plan = plan_session(study, participant_id)
            record_render(study, ACTOR, plan, manifest_of(plan))
        case Listen(session_id=session_id):
            event = playback(study, participant_id, step, choice)
            record_playback(study, ACTOR, participant_id, session_id, event)
        case AnswerSupport(session_id=session_id):
            answer_support(study, ACTOR, participant_id, session_id, "same", choice > 4, choice != 8)
        case ReadDebrief():
            read_debrief(study, ACTOR, participant_id, "en")
        case Finished():
            raise AssertionError("nothing is due")
    return step


def report(study: Study, participant_id: str, step: GiveReport, choice: int = 0) -> None:
    """Answer a report: 8 leaves it out, 7 tells of distress, anything else is an ordinary answer."""
    if choice == 8 and step.phase is not Phase.PRE:
        miss_report(study, ACTOR, participant_id, step, "left blank")
    elif (questionnaire := study.protocol.questionnaire(step.instrument_id)) is not None:
        submit_questionnaire(study, ACTOR, participant_id, step, answers_to(questionnaire))
    elif study.protocol.instrument(step.instrument_id).kind == "stai6":
        submit_report(study, ACTOR, participant_id, step, ANXIETY)
    else:
        submit_report(study, ACTOR, participant_id, step, DISTRESS if choice == 7 else FEELING)


def playback(study: Study, participant_id: str, step: Listen, choice: int = 0) -> PlaybackEvent:
    """What the player does next: 7 stops, 6 pauses, anything else plays on to the next probe or the end."""
    listening = listening_of(history_of(study, participant_id), step.session_id)
    if not listening.playing:
        begun = listening.intervals_s or listening.pauses
        return PlaybackResumed(step.position_s) if begun else PlaybackStarted(step.position_s)
    halfway_s = (step.position_s + step.until_s) / 2
    if choice == 7:
        return PlaybackStopped(halfway_s, StopReason.CHOSE_TO_STOP)
    if choice == 6:
        return PlaybackPaused(halfway_s)
    at_end = step.until_s >= study.protocol.duration_s
    return PlaybackEnded(step.until_s) if at_end else PlaybackPaused(step.until_s)


def walk_to(study: Study, participant_id: str, kind: type[Step], session_id: str | None = None) -> Step:
    """Take ordinary steps until one of a kind is due (of one session, if named)."""
    for _ in range(100):
        step = due(study, participant_id)
        if isinstance(step, kind) and session_id in (None, getattr(step, "session_id", None)):
            return step
        take(study, participant_id)
    raise AssertionError(f"no {kind} came up")


def walk_to_report(study: Study, participant_id: str, phase: Phase) -> GiveReport:
    """Take ordinary steps until a report of a phase is due."""
    for _ in range(100):
        step = due(study, participant_id)
        if isinstance(step, GiveReport) and step.phase is phase:
            return step
        take(study, participant_id)
    raise AssertionError(f"no {phase} report came up")
