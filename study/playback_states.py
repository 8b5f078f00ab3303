"""What is known of people's listening, up to one row of the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from study.events import History, PayloadErased, RecordedEvent, RecordFrozen
from study.listening import ListeningFold
from study.probes import Probe, answered_probe
from study.protocol import StudyProtocol
from study.record import Reader
from study.step import Finished
from study.steps import next_step


@dataclass
class SessionState:
    """One session of one person.

    Args:
        given: probes that were answered or are recorded as missed.
    """

    fold: ListeningFold = field(default_factory=ListeningFold)
    given: set[Probe] = field(default_factory=set)

    def copy(self) -> SessionState:
        """A state that takes in more without touching this one."""
        return SessionState(self.fold.copy(), set(self.given))

    def take(self, recorded: RecordedEvent) -> None:
        """Take in the session's next event."""
        self.fold.take(recorded)
        probe = answered_probe(recorded.event)
        if probe is not None:
            self.given.add(probe)


@dataclass
class PersonState:
    """One person.

    Args:
        protocol: the version they are under.
        is_over: nothing is due for them any more.
    """

    protocol: StudyProtocol
    is_over: bool
    sessions: dict[str, SessionState] = field(default_factory=dict)

    def session(self, session_id: str) -> SessionState:
        """One session's state; an empty one where nothing happened yet."""
        return self.sessions.setdefault(session_id, SessionState())

    def take(self, recorded: RecordedEvent) -> None:
        """Take in the person's next event."""
        if recorded.session_id is not None:
            self.session(recorded.session_id).take(recorded)


@dataclass
class PlaybackStates:
    """What is known of people's listening, up to one row of one record.

    A log's line is checked against all that came before it; this keeps the sum of
    that, so that a transaction reads only the rows that are newer. It may be
    forgotten at any time: the record tells it again.
    """

    sequence: int = 0
    is_frozen: bool = False
    _people: dict[str, PersonState] = field(default_factory=dict)

    def bring_up_to_date(self, reader: Reader) -> None:
        """Take in the rows that others wrote since."""
        if not self.sequence:
            self.is_frozen = bool(reader.events(kinds=[RecordFrozen]))
            self.sequence = reader.head().sequence
            return
        changed = set()
        for recorded in reader.events(after=self.sequence):
            self.sequence = recorded.sequence
            match recorded.event:
                case RecordFrozen():
                    self.is_frozen = True
                # What is remembered of an erased payload must go with it.
                case PayloadErased():
                    self._people.clear()
            person = self._people.get(recorded.participant_id or "")
            if person is not None and recorded.participant_id is not None:
                person.take(recorded)
                changed.add(recorded.participant_id)
        for participant_id in changed & self._people.keys():
            history = reader.events(participant_id)
            person = self._people[participant_id]
            person.is_over = isinstance(next_step(person.protocol, history), Finished)

    def person(
        self, protocol_of: Callable[[History], StudyProtocol], reader: Reader, participant_id: str
    ) -> PersonState:
        """One person's state.

        Args:
            protocol_of: gives the version that somebody of such a history is under.

        Raises:
            UnknownName: nobody of that id is enrolled.
        """
        if participant_id not in self._people:
            history = reader.participant(participant_id)
            protocol = protocol_of(history)
            person = PersonState(protocol, isinstance(next_step(protocol, history), Finished))
            for recorded in history:
                person.take(recorded)
            self._people[participant_id] = person
        return self._people[participant_id]

    def accept(self, sessions: dict[tuple[str, str], SessionState], sequence: int) -> None:
        """What a transaction added is on disk."""
        for (participant_id, session_id), session in sessions.items():
            self._people[participant_id].sessions[session_id] = session
        self.sequence = sequence
