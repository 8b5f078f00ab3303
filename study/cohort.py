"""Simulated participants, walked step by step along `next_step` by the same use cases as people."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from study.affect import Affect
from study.conduct import (
    assess_eligibility,
    complete_induction,
    decline_consent,
    discontinue,
    enrol_as,
    give_consent,
)
from study.delivery import plan_of, plan_session, pre_affect, record_playback, record_render
from study.events import (
    EndReason,
    History,
    ParticipantEnrolled,
    PlaybackEnded,
    PlaybackEvent,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    PlaybackStopped,
    RehearsalStarted,
)
from study.founding import Study
from study.listening import listening_of
from study.manifest import RenderManifest
from study.protocol import Phase
from study.self_reports import miss_report, submit_report
from study.session import SessionPlan, session_id_of
from study.simulation import (
    Course,
    HeardMoments,
    Tendencies,
    benefit_of,
    draw_affect,
    draw_course,
    draw_stratum,
    heard_at,
    post_affect,
    probe_affect,
    responses_of,
)
from study.step import (
    AnswerEligibility,
    Finished,
    GiveConsent,
    GiveReport,
    GoThroughInduction,
    Listen,
    RenderSession,
)
from study.steps import next_step

ACTOR = "rehearsal"

Render = Callable[[Sequence[SessionPlan]], Mapping[tuple[str, str], RenderManifest]]
"""Makes the sound of some plans; (participant_id, session_id) to manifest."""

Told = Callable[[str, int, int], None]
"""Progress: what is being done, how many are done, of how many."""


class SimulatedClock:
    """A clock that moves when told to, so that a visit a week later takes no week."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def __call__(self) -> datetime:
        """The next moment; no two events share one."""
        self._now += timedelta(milliseconds=1)
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on."""
        self._now += timedelta(seconds=seconds)

    def advance_to(self, moment: datetime) -> None:
        """Move on to a moment, unless it is past."""
        self._now = max(self._now, moment)


@dataclass(frozen=True)
class _Person:
    participant_id: str
    course: Course


class Cohort:
    """The simulated participants, walked step by step along `next_step`."""

    def __init__(self, study: Study, spec: RehearsalStarted, tendencies: Tendencies) -> None:
        started = study.record.events(kinds=[RehearsalStarted])[0].at
        self._clock = SimulatedClock(max([started, *(r.at for r in study.record.events())]))
        self._started = started
        self._study = replace(study, record=study.record.with_clock(self._clock))
        self._spec = spec
        self._tendencies = tendencies
        width = max(3, len(str(spec.participants)))
        self._people = [
            _Person(f"sub-sim{i:0{width}d}", draw_course(self._rng(i, "course"), tendencies))
            for i in range(1, spec.participants + 1)
        ]
        self._moments: dict[int, HeardMoments] = {}

    def _rng(self, *key: object) -> random.Random:
        return random.Random("/".join(str(part) for part in (self._spec.seed, *key)))

    def _history(self, person: _Person) -> History:
        return self._study.record.events(person.participant_id)

    def enrol(self, told: Told) -> None:
        """Enrol whoever is not enrolled yet."""
        enrolled = {r.participant_id for r in self._study.record.events(kinds=[ParticipantEnrolled])}
        for i, person in enumerate(self._people, start=1):
            if person.participant_id not in enrolled:
                stratum = draw_stratum(self._rng(i, "stratum"), self._study.protocol.allocation)
                enrol_as(self._study, ACTOR, person.participant_id, stratum, simulated=True)
            told("enrolling", i, len(self._people))

    def arrive(self, number: int, told: Told) -> None:
        """Take everyone up to the sound of session `number`."""
        if number > 1:
            window = next((w for w in self._study.protocol.visit_windows if w.session_number == number), None)
            day = (window.from_day + window.to_day) / 2 if window else 7.0 * (number - 1)
            self._clock.advance_to(self._started + timedelta(days=day))
        for done, person in enumerate(self._people, start=1):
            self._walk(person, number, until_sound=True)
            told(f"session {number}: arriving", done, len(self._people))

    def render(self, render: Render) -> None:
        """Have the sound made for everyone it is due for."""
        waiting = [p for p in self._people if isinstance(self._due(p), RenderSession)]
        plans = [plan_session(self._study, person.participant_id) for person in waiting]
        manifests = render(plans)
        for plan in plans:
            record_render(self._study, ACTOR, plan, manifests[plan.participant_id, plan.session_id])

    def listen(self, number: int, told: Told) -> None:
        """Take everyone through listening and what follows."""
        for done, person in enumerate(self._people, start=1):
            self._walk(person, number, until_sound=False)
            told(f"session {number}: listening", done, len(self._people))

    def _due(self, person: _Person) -> object:
        return next_step(self._study.protocol, self._history(person))

    def _walk(self, person: _Person, number: int, until_sound: bool) -> None:
        pid, study = person.participant_id, self._study
        while True:
            self._clock.advance(20)
            match self._due(person):
                case Finished() | RenderSession():
                    return
                case Listen() if until_sound:
                    return
                case GiveConsent() if person.course.declines:
                    decline_consent(study, ACTOR, pid)
                case GiveConsent():
                    give_consent(study, ACTOR, pid, study.protocol.languages[0])
                case AnswerEligibility():
                    self._answer_eligibility(person)
                case GoThroughInduction(session_id=session_id):
                    complete_induction(study, ACTOR, pid, session_id)
                case GiveReport(session_id=session_id) if _later(session_id, number):
                    return
                case GiveReport() as report:
                    self._report(person, report)
                case Listen() as listen:
                    self._listen(person, listen)

    def _answer_eligibility(self, person: _Person) -> None:
        questions = self._study.protocol.eligibility
        answers = {q.question_id: q.eligible_if for q in questions}
        if not person.course.is_eligible:
            failed = self._rng(person.participant_id, "eligibility").choice(questions)
            answers[failed.question_id] = not failed.eligible_if
        assess_eligibility(self._study, ACTOR, person.participant_id, answers)

    def _report(self, person: _Person, report: GiveReport) -> None:
        study, pid = self._study, person.participant_id
        if person.course.drops_out_before == report.phase:
            discontinue(study, ACTOR, pid, EndReason.DROPPED_OUT, "simulated")
            return
        rng = self._rng(pid, report.phase, report.session_id, report.probe_at_s, report.instrument_id)
        starts_path = report.phase is Phase.PRE
        if not starts_path and rng.random() < self._tendencies.misses_report:
            miss_report(study, ACTOR, pid, report, "simulated: not answered")
            return
        # One felt state per occasion: two instruments at one moment ask about the same feeling.
        felt = self._felt(person, report)
        misses = 0.0 if starts_path else self._tendencies.misses_item
        instrument = study.protocol.instrument(report.instrument_id)
        responses = responses_of(rng, instrument, felt, misses)
        submit_report(study, ACTOR, pid, report, responses)

    def _felt(self, person: _Person, report: GiveReport) -> Affect:
        pid, protocol = person.participant_id, self._study.protocol
        rng = self._rng(pid, "felt", report.phase, report.session_id, report.probe_at_s)
        arriving = person.course.arriving
        if report.session_id is None or report.phase is Phase.PRE:
            return draw_affect(rng, arriving, 0.05)
        history = self._history(person)
        number = int(report.session_id.removeprefix("ses-"))
        plan = plan_of(protocol, history, number)
        if report.probe_at_s is not None:
            heard = heard_at(plan.path, report.probe_at_s)
            return probe_affect(rng, heard, self._heard_moments(number), self._spec.agreement)
        dose = listening_of(history, report.session_id).heard_s / plan.duration_s
        benefit = benefit_of(protocol, plan.arm_id, self._spec.effect)
        pre = pre_affect(protocol, history, report.session_id) or plan.start
        return post_affect(rng, pre, protocol.target, benefit, dose)

    def _heard_moments(self, number: int) -> HeardMoments:
        if number not in self._moments:
            protocol = self._study.protocol
            heard = []
            for person in self._people:
                history = self._history(person)
                if any(r.session_id == session_id_of(number) for r in history if r.kind == "SessionRendered"):
                    path = plan_of(protocol, history, number).path
                    heard += [point for at in protocol.probes_at_s if (point := heard_at(path, at))]
            self._moments[number] = HeardMoments.of(heard)
        return self._moments[number]

    def _listen(self, person: _Person, due: Listen) -> None:
        pid, course = person.participant_id, person.course
        listening = listening_of(self._history(person), due.session_id)
        duration_s = self._study.protocol.duration_s
        pause_s = duration_s * course.pause_share if course.pause_share is not None else None
        stop_s = duration_s * course.stop_share if course.stop_share is not None else None
        event: PlaybackEvent
        if not listening.playing:
            event = (
                PlaybackResumed(due.position_s) if listening.intervals_s else PlaybackStarted(due.position_s)
            )
        elif stop_s is not None and stop_s <= due.until_s:
            event = PlaybackStopped(max(stop_s, due.position_s), course.stop_reason)
        elif pause_s is not None and not listening.pauses and due.position_s < pause_s < due.until_s:
            event = PlaybackPaused(pause_s)
        elif due.until_s < duration_s:
            event = PlaybackPaused(due.until_s)
        else:
            event = PlaybackEnded(due.until_s)
        self._clock.advance(event.position_s - due.position_s)
        record_playback(self._study, ACTOR, pid, due.session_id, event)


def _later(session_id: str | None, number: int) -> bool:
    return session_id is not None and session_id > session_id_of(number)
