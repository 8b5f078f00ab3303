"""One simulated participant: takes whatever step is due, by the same use cases as a person."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from study.affect import Affect
from study.conduct import (
    assess_eligibility,
    complete_induction,
    decline_consent,
    discontinue,
    give_consent,
    move_participation,
    read_debrief,
)
from study.delivery import plan_of, pre_affect
from study.events import (
    EndReason,
    History,
    PlaybackLogged,
    RecordedEvent,
    RehearsalStarted,
    StopReason,
    SupportAnswered,
    SupportCause,
)
from study.founding import Study
from study.instruments import Perspective, instrument_kind
from study.listening import listening_of
from study.player_log import PlaybackBatch, log_playback
from study.protocol import Phase
from study.self_reports import miss_report, submit_questionnaire, submit_report
from study.simulated_answers import asked_of, questionnaire_answers, sound_check_responses, support_answer
from study.simulated_player import Manner, stretch_log
from study.simulation import (
    Course,
    HeardMoments,
    Tendencies,
    benefit_of,
    distress_affect,
    draw_affect,
    heard_at,
    post_affect,
    probe_affect,
    responses_of,
)
from study.sound_check import record_sound_check, trial_answers
from study.step import (
    AnswerEligibility,
    AnswerSupport,
    CheckSound,
    GiveConsent,
    GiveReport,
    GoThroughInduction,
    Listen,
    ReadDebrief,
    Step,
)
from study.steps import step_key
from study.support import answer_support, has_sound_to_end, pending_cause

ACTOR = "rehearsal"


@dataclass(frozen=True)
class SimulatedPerson:
    """A simulated participant of a rehearsed study.

    Args:
        advance: lets so many seconds of the record's clock pass.
        moments: of the music heard at the probes of a session, by its number.
    """

    study: Study
    advance: Callable[[float], None]
    spec: RehearsalStarted
    tendencies: Tendencies
    participant_id: str
    course: Course
    moments: Callable[[int], HeardMoments]
    _known: list[RecordedEvent] = field(default_factory=list)

    def _rng(self, *key: object) -> random.Random:
        return random.Random("/".join(str(part) for part in (self.spec.seed, self.participant_id, *key)))

    def history(self) -> History:
        """What happened to them so far; only what is new is read."""
        after = self._known[-1].sequence if self._known else 0
        self._known.extend(self.study.record.events(self.participant_id, after=after))
        return tuple(self._known)

    def take(self, step: Step, history: History) -> None:
        """Take the due step; renders are made by whoever makes the sound.

        Args:
            history: their own, from which the step follows.
        """
        study, pid = self.study, self.participant_id
        match step:
            case GiveConsent() if self.course.declines:
                decline_consent(study, ACTOR, pid)
            case GiveConsent():
                give_consent(study, ACTOR, pid, self._language)
            case AnswerEligibility():
                self._answer_eligibility()
            case CheckSound():
                self._check_sound(step, history)
            case GoThroughInduction(session_id=session_id):
                complete_induction(study, ACTOR, pid, session_id)
            case GiveReport():
                self._report(step, history)
            case Listen():
                self._listen(step, history)
            case AnswerSupport():
                self._answer_support(step, history)
            case ReadDebrief():
                read_debrief(study, ACTOR, pid, self._language)

    @property
    def _language(self) -> str:
        return self.study.protocol.languages[0]

    def _answer_eligibility(self) -> None:
        questions = self.study.protocol.eligibility
        answers = {q.question_id: q.eligible_if for q in questions}
        if not self.course.is_eligible:
            failed = self._rng("eligibility").choice(questions)
            answers[failed.question_id] = not failed.eligible_if
        assess_eligibility(self.study, ACTOR, self.participant_id, answers)

    def _check_sound(self, step: CheckSound, history: History) -> None:
        key = step_key(step, history)
        rng = self._rng(key)
        right = trial_answers(self.study.protocol, self.participant_id, key)
        hears = rng.random() >= self.tendencies.fails_sound_check
        responses = sound_check_responses(rng, right, hears)
        volume = round(rng.uniform(0.3, 0.8), 2)
        record_sound_check(self.study, ACTOR, self.participant_id, step.session_id, volume, responses)

    def _report(self, report: GiveReport, history: History) -> None:
        study, pid = self.study, self.participant_id
        if self.course.drops_out_before == report.phase:
            discontinue(study, ACTOR, pid, EndReason.DROPPED_OUT, "simulated")
            return
        rng = self._rng(report.phase, report.session_id, report.probe_at_s, report.instrument_id)
        starts_path = report.phase is Phase.PRE
        misses_item = 0.0 if starts_path else self.tendencies.misses_item
        if not starts_path and rng.random() < self.tendencies.misses_report:
            miss_report(study, ACTOR, pid, report, "simulated: not answered")
            return
        questionnaire = study.protocol.questionnaire(report.instrument_id)
        if questionnaire is not None:
            answers = questionnaire_answers(rng, questionnaire, misses_item)
            shown = asked_of(rng, [item.item_id for item in questionnaire.items], self._language)
            submit_questionnaire(study, ACTOR, pid, report, answers, shown)
            return
        # One felt state per occasion: two instruments at one moment ask about the same feeling.
        instrument = study.protocol.instrument(report.instrument_id)
        felt = self._felt(report, history, instrument.perspective)
        responses = responses_of(rng, instrument, felt, misses_item)
        shown = asked_of(rng, list(instrument_kind(instrument.kind).items), self._language)
        submit_report(study, ACTOR, pid, report, responses, shown)

    def _felt(self, report: GiveReport, history: History, perspective: Perspective) -> Affect:
        protocol = self.study.protocol
        rng = self._rng("felt", report.phase, report.session_id, report.probe_at_s)
        if report.session_id is None or report.phase is Phase.PRE:
            return draw_affect(rng, self.course.arriving, 0.05)
        number = int(report.session_id.removeprefix("ses-"))
        plan = plan_of(protocol, history, number)
        if report.probe_at_s is not None:
            if (
                perspective is Perspective.FELT
                and self._distress_at_s(report.session_id, history) == report.probe_at_s
            ):
                return distress_affect(rng, protocol.safety)
            heard = heard_at(plan.path, report.probe_at_s)
            return probe_affect(rng, heard, self.moments(number), self.spec.agreement)
        dose = listening_of(history, report.session_id).heard_s / plan.duration_s
        benefit = benefit_of(protocol, plan.arm_id, self.spec.effect)
        pre = pre_affect(protocol, history, report.session_id) or plan.start
        return post_affect(rng, pre, protocol.target, benefit, dose)

    def _stops_at_s(self, session_id: str, history: History) -> float | None:
        """Where they stop; None once they met the support page of this session."""
        if self.course.stop_share is None:
            return None
        if any(r.session_id == session_id and r.kind == SupportAnswered.__name__ for r in history):
            return None
        return self.study.protocol.duration_s * self.course.stop_share

    def _distress_at_s(self, session_id: str, history: History) -> float | None:
        """The probe at which they tell of distress: the first after they would stop for it."""
        stops_at_s = self._stops_at_s(session_id, history)
        if stops_at_s is None or self.course.stop_reason is not StopReason.DISTRESS:
            return None
        return next((at_s for at_s in self.study.protocol.probes_at_s if at_s >= stops_at_s), None)

    def _listen(self, due: Listen, history: History) -> None:
        course, duration_s, session_id = self.course, self.study.protocol.duration_s, due.session_id
        stops_at_s = self._stops_at_s(session_id, history)
        # Whoever is asked at a later probe tells it there; nobody is asked after the last one.
        if self._distress_at_s(session_id, history) is not None:
            stops_at_s = None
        rng = self._rng("page", session_id, due.position_s)
        manner = Manner(
            pause_at_s=None if course.pause_share is None else duration_s * course.pause_share,
            stop_at_s=stops_at_s,
            stop_reason=course.stop_reason,
            muted_s=_span(course.muted_share, duration_s),
            hidden_s=_span(course.hidden_share, duration_s),
        )
        entries = stretch_log(due.position_s, due.until_s, due.until_s >= duration_s, manner)
        if rng.random() < self.tendencies.opens_second_tab:
            move_participation(self.study, ACTOR, self.participant_id, f"sim-{due.position_s:g}")
        players = {
            r.event.player_id
            for r in history
            if r.session_id == session_id and isinstance(r.event, PlaybackLogged)
        }
        self.advance(entries[-1].at_ms / 1000)
        batch = PlaybackBatch(self.participant_id, session_id, f"sim-{len(players) + 1}", entries)
        for outcome in log_playback(self.study, ACTOR, [batch]):
            if outcome.refusal is not None:
                raise outcome.refusal

    def _answer_support(self, step: AnswerSupport, history: History) -> None:
        rng = self._rng(step_key(step, history))
        tendencies = self.tendencies
        likely = tendencies.goes_on_after_stop
        if pending_cause(history, step.session_id) is SupportCause.DISTRESS:
            is_heard = has_sound_to_end(history, step.session_id)
            likely = tendencies.goes_on_after_distress if is_heard else 1 - tendencies.ends_after_distress
        goes_on = rng.random() < likely and self.course.stop_reason is not StopReason.DISTRESS
        feeling, wants_staff = support_answer(rng, goes_on)
        answer_support(self.study, ACTOR, self.participant_id, step.session_id, feeling, wants_staff, goes_on)


def _span(shares: tuple[float, float] | None, duration_s: float) -> tuple[float, float] | None:
    return None if shares is None else (shares[0] * duration_s, shares[1] * duration_s)
