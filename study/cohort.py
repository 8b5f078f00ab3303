"""Simulated participants of one rehearsal: who they are, and when they come."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from study.conduct import enrol_as
from study.delivery import plan_of, plan_session, record_render
from study.events import History, ParticipantEnrolled, RehearsalStarted, SessionRendered
from study.founding import Study
from study.manifest import RenderManifest
from study.protocol import Phase
from study.session import SessionPlan, session_id_of
from study.simulated_person import ACTOR, SimulatedPerson
from study.simulation import HeardMoments, Tendencies, draw_course, draw_stratum, heard_at
from study.step import (
    CheckSound,
    Finished,
    GiveReport,
    GoThroughInduction,
    Listen,
    RenderSession,
    Step,
)
from study.steps import next_step
from study.visits import began_at, opening_of

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


class Cohort:
    """The simulated participants, walked step by step along `next_step`."""

    def __init__(self, study: Study, spec: RehearsalStarted, tendencies: Tendencies) -> None:
        started = study.record.events(kinds=[RehearsalStarted])[0].at
        self._clock = SimulatedClock(max([started, *(r.at for r in study.record.events())]))
        self._study = replace(study, record=study.record.with_clock(self._clock))
        self._spec = spec
        width = max(3, len(str(spec.participants)))
        self._people = [
            SimulatedPerson(
                self._study,
                self._clock.advance,
                spec,
                tendencies,
                f"sub-sim{i:0{width}d}",
                draw_course(self._rng(i, "course"), tendencies),
                self._heard_moments,
            )
            for i in range(1, spec.participants + 1)
        ]
        self._moments: dict[int, HeardMoments] = {}

    def _rng(self, *key: object) -> random.Random:
        return random.Random("/".join(str(part) for part in (self._spec.seed, *key)))

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
        window = next((w for w in self._study.protocol.visit_windows if w.session_number == number), None)
        day = (window.from_day + window.to_day) / 2 if window else 7.0 * (number - 1)
        for done, person in enumerate(self._people, start=1):
            history = person.history()
            first = began_at(history, session_id_of(1))
            is_under_way = began_at(history, session_id_of(number)) is not None
            if number > 1 and first is not None and not is_under_way:
                self._clock.advance_to(first + timedelta(days=day))
            self._walk(person, number, until_sound=True)
            told(f"session {number}: arriving", done, len(self._people))

    def render(self, render: Render) -> None:
        """Have the sound made for everyone it is due for."""
        waiting = [
            person for person in self._people if isinstance(self._due(person.history()), RenderSession)
        ]
        plans = [plan_session(self._study, person.participant_id) for person in waiting]
        manifests = render(plans)
        for plan in plans:
            record_render(self._study, ACTOR, plan, manifests[plan.participant_id, plan.session_id])

    def listen(self, number: int, told: Told) -> None:
        """Take everyone through listening and what follows at the same visit."""
        for done, person in enumerate(self._people, start=1):
            self._walk(person, number, until_sound=False)
            told(f"session {number}: listening", done, len(self._people))

    def follow_up(self, told: Told) -> None:
        """Take everyone through what comes later, each when it opens: all the first, then all the next."""
        protocol = self._study.protocol
        for number in range(1, len(protocol.assessments_at(Phase.FOLLOW_UP)) + 1):
            for done, person in enumerate(self._people, start=1):
                opens_at = self._opening(person.history())
                if opens_at is not None:
                    self._clock.advance_to(opens_at)
                self._walk(person, protocol.session_count, until_sound=False)
                told(f"follow-up {number}", done, len(self._people))

    def _due(self, history: History) -> Step:
        return next_step(self._study.protocol, history)

    def _opening(self, history: History) -> datetime | None:
        return opening_of(self._study.protocol, history, self._due(history), self._clock())

    def _walk(self, person: SimulatedPerson, number: int, until_sound: bool) -> None:
        while True:
            self._clock.advance(20)
            history = person.history()
            match self._due(history):
                case Finished() | RenderSession():
                    return
                case Listen() if until_sound:
                    return
                case step if _is_later(getattr(step, "session_id", None), number):
                    return
                case GiveReport() | CheckSound() | GoThroughInduction() if self._opening(history) is not None:
                    return
                case step:
                    person.take(step, history)

    def _heard_moments(self, number: int) -> HeardMoments:
        if number not in self._moments:
            protocol, session_id = self._study.protocol, session_id_of(number)
            heard = []
            for person in self._people:
                history = person.history()
                if any(r.session_id == session_id and r.kind == SessionRendered.__name__ for r in history):
                    path = plan_of(protocol, history, number).path
                    heard += [point for at in protocol.probes_at_s if (point := heard_at(path, at))]
            self._moments[number] = HeardMoments.of(heard)
        return self._moments[number]


def _is_later(session_id: str | None, number: int) -> bool:
    return session_id is not None and session_id > session_id_of(number)
