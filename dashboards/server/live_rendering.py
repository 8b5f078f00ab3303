"""Sessions made while their people wait: a queue, and beside it one other process that works it off.

The queue is in memory: what is due follows from the record, so a server that
starts again finds everybody who waits. Nothing said about progress depends on
the arm.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from dashboards.participant.sound_here import lacks_sound
from dashboards.server.render_worker import Order, Refused, RenderWorker, WorkerDied
from dashboards.server.sound_made_anew import make_anew
from generation.engine import Placement
from study.bank import is_in_bank, session_from_bank
from study.delivery import plan_session, record_render
from study.errors import ConductError, IsopathError
from study.events import DeviationRecorded, History, ParticipantEnrolled
from study.founding import Study
from study.record import Draft
from study.step import RenderSession
from study.steps import next_step

ACTOR = "server"
ATTEMPTS = 2
_PAUSE_S = 1.0
_REMEDY = "isopath render says why"

log = logging.getLogger("isopath.server")


class RenderingState(StrEnum):
    """Where a person's sound stands."""

    WAITING = "waiting"
    WORKING = "working"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True)
class RenderingProgress:
    """What a waiting page may know.

    Args:
        share: done, 0 to 1.
    """

    state: RenderingState
    share: float = 0.0


class LiveRendering:
    """Makes the sound of whoever is due, in the order they became due.

    Args:
        placement: where engines run that know more than the CPU.
        jobs: sessions made at once, each by a process of its own.
    """

    def __init__(
        self,
        study: Study,
        placement: Placement | None = None,
        jobs: int = 1,
        make_worker: Callable[[], RenderWorker] = RenderWorker,
    ) -> None:
        self._study = study
        self._placement = placement
        self._changed = threading.Condition()
        self._waiting: deque[str] = deque()
        self._progress: dict[str, RenderingProgress] = {}
        self._is_closing = False
        self.workers = tuple(make_worker() for _ in range(jobs))
        self._threads = [
            threading.Thread(target=self._work, args=(worker,), name="rendering", daemon=True)
            for worker in self.workers
        ]
        self._threads.append(threading.Thread(target=self._find_due, name="finding the due", daemon=True))

    def start(self) -> None:
        """Begin; everybody who is due already is found meanwhile, however long the record is."""
        for thread in self._threads:
            thread.start()

    def look_at(self, participant_id: str) -> None:
        """Queue a person if their session's sound is due; nothing where it is not, or they are queued."""
        if self._is_due(participant_id):
            self._enqueue(participant_id)

    def progress_of(self, participant_id: str) -> RenderingProgress:
        """Where a person's sound stands; `READY` too where none is due."""
        if not self._is_due(participant_id):
            return RenderingProgress(RenderingState.READY, 1.0)
        return self._enqueue(participant_id)

    def close(self) -> None:
        """End the other process; whoever waits is found again by the next server."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        for worker in self.workers:
            worker.stop()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=2.0)

    def _find_due(self) -> None:
        """Queue whoever is due, in the order in which they became so: by the last event of each."""
        since = {}
        try:
            for recorded in self._study.record.events(kinds=[ParticipantEnrolled]):
                if self._is_closing:
                    return
                participant_id = str(recorded.participant_id)
                history = self._study.record.participant(participant_id)
                if self._is_wanted(participant_id, history):
                    since[participant_id] = history[-1].sequence
        except IsopathError as refusal:
            # Whoever waits asks for themselves as well, by the page that waits.
            log.error("not everybody who waits was found: %s", type(refusal).__name__)
        for participant_id in sorted(since, key=lambda who: since[who]):
            self._enqueue(participant_id)

    def _is_due(self, participant_id: str) -> bool:
        return self._is_wanted(participant_id, self._study.record.participant(participant_id))

    def _is_wanted(self, participant_id: str, history: History) -> bool:
        """Whether a sound must be made: one that is due, or one that only another server has."""
        step = next_step(self._study.protocol_of(history), history)
        return isinstance(step, RenderSession) or lacks_sound(self._study.folder, participant_id, step)

    def _enqueue(self, participant_id: str) -> RenderingProgress:
        with self._changed:
            known = self._progress.get(participant_id)
            if known is not None and known.state is not RenderingState.READY:
                return known
            waiting = RenderingProgress(RenderingState.WAITING)
            self._progress[participant_id] = waiting
            self._waiting.append(participant_id)
            self._changed.notify()
            return waiting

    def _tell(self, participant_id: str, state: RenderingState, share: float = 0.0) -> None:
        with self._changed:
            self._progress[participant_id] = RenderingProgress(state, share)

    def _work(self, worker: RenderWorker) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._is_closing:
                    self._changed.wait()
                if self._is_closing:
                    return
                participant_id = self._waiting.popleft()
            self._serve(worker, participant_id)

    def _serve(self, worker: RenderWorker, participant_id: str) -> None:
        for _ in range(ATTEMPTS):
            self._tell(participant_id, RenderingState.WORKING)
            try:
                is_there = self._deliver(worker, participant_id)
            except (WorkerDied, IsopathError):
                is_there = False
            if self._is_closing:
                return
            if is_there:
                self._tell(participant_id, RenderingState.READY, 1.0)
                return
            with self._changed:
                self._changed.wait_for(lambda: self._is_closing, _PAUSE_S)
        # Why it could not may name what the arm is made of: it is for whoever runs isopath render.
        log.error("the sound of %s could not be rendered; %s", participant_id, _REMEDY)
        self._tell(participant_id, RenderingState.FAILED)
        self._raise_alert(participant_id)

    def _deliver(self, worker: RenderWorker, participant_id: str) -> bool:
        """Have the sound made and record it; whether it is there now."""
        study = self._study

        def advance(share: float) -> None:
            self._tell(participant_id, RenderingState.WORKING, min(share, 1.0))

        if lacks_sound(study.folder, participant_id, study.due(participant_id)):
            return make_anew(study, worker, participant_id, self._placement, advance)
        try:
            plan = plan_session(study, participant_id)
            # What a bank cannot hold, or does not yet, is made now: the samples are the same.
            if is_in_bank(study, plan):
                plan, manifest, rule = session_from_bank(study, participant_id)
                record_render(study, ACTOR, plan, manifest, start_rule=rule)
                return True
            order = Order(plan, study.folder.sessions, self._placement)
            made = worker.render(order, advance)
            if isinstance(made, Refused):
                return False
            record_render(study, ACTOR, plan, made)
        except ConductError:
            # Staff rendered it meanwhile, or the person's part ended: then nothing is due any more.
            return not self._is_due(participant_id)
        return True

    def _raise_alert(self, participant_id: str) -> None:
        history = self._study.record.participant(participant_id)
        step = next_step(self._study.protocol_of(history), history)
        if not isinstance(step, RenderSession):
            return
        said = f"the sound of {step.session_id} could not be rendered"
        if any(isinstance(r.event, DeviationRecorded) and r.event.description == said for r in history):
            return
        alert = Draft(DeviationRecorded(said, _REMEDY), participant_id, step.session_id)
        try:
            self._study.act(ACTOR, participant_id, lambda *_: [alert])
        except IsopathError as refusal:
            log.error("no alert could be recorded: %s", type(refusal).__name__)
