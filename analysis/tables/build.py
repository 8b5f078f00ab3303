"""The tidy tables: planned, generated, heard and felt, from the record and the manifests.

Nothing here is stored; delete the tables and build them again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pandas as pd

from analysis.mer.hearing import Predictions, SessionKey
from analysis.tables.data_dictionary import make_table
from analysis.tables.histories import histories_of
from analysis.tables.participant_rows import Person, Row
from study.corrections import corrected
from study.erasable import as_erased, erasures_due
from study.events import DeviationRecorded, RecordedEvent
from study.manifest import RenderManifest
from study.protocol import StudyProtocol
from study.versions import pinned

Value = TypeVar("Value")


@dataclass(frozen=True)
class StudyTables:
    """A study as tables; columns as in `protocols/columns.json`."""

    participants: pd.DataFrame
    sessions: pd.DataFrame
    clips: pd.DataFrame
    predictions: pd.DataFrame
    self_reports: pd.DataFrame
    questionnaire_answers: pd.DataFrame
    sound_checks: pd.DataFrame
    playback: pd.DataFrame
    events: pd.DataFrame
    pairs: pd.DataFrame
    adverse_events: pd.DataFrame
    deviations: pd.DataFrame


def build_tables(
    protocol: StudyProtocol,
    events: Sequence[RecordedEvent],
    manifests: Mapping[SessionKey, RenderManifest],
    predictions: Predictions,
) -> StudyTables:
    """The study's tables: answers as corrected last, and nothing of what somebody asked to have erased.

    Args:
        events: the whole record, in order.
        manifests: of rendered sessions; a session without one has no clips.
        predictions: of rendered sessions by predictor; where the protocol's is missing its columns are empty.

    Raises:
        RecordMismatch: a manifest is not of the sound the record names, or an
            event is of another protocol.
        RecordError, UnknownName: a participant's events cannot have happened.
        OutOfRange: a value outside its column's limits.
    """
    gone = erasures_due(events)
    events = as_erased(events)
    histories = histories_of(protocol, events)
    rendered, predicted = _by_person(manifests, gone), _by_person(predictions, gone)
    people = [
        Person(
            pinned(protocol, history),
            who,
            corrected(protocol, history),
            history,
            rendered.get(who, {}),
            predicted.get(who, {}),
        )
        for who, history in histories.items()
    ]
    for person in people:
        person.check_manifests()
    by_id = {person.participant_id: person for person in people}
    factors = [stratum.factor for stratum in protocol.allocation.strata]

    def rows(of: Callable[[Person], Iterator[Row]]) -> list[Row]:
        return [row for person in people for row in of(person)]

    return StudyTables(
        participants=make_table("participants", [person.row(factors) for person in people], factors),
        sessions=make_table("sessions", rows(Person.session_rows)),
        clips=make_table("clips", rows(Person.clip_rows)),
        predictions=make_table("predictions", rows(Person.prediction_rows)),
        self_reports=make_table("self_reports", rows(Person.report_rows)),
        questionnaire_answers=make_table("questionnaire_answers", rows(Person.answer_rows)),
        sound_checks=make_table("sound_checks", rows(Person.sound_check_rows)),
        playback=make_table("playback", rows(Person.playback_rows)),
        events=make_table("events", [_event_row(recorded) for recorded in events]),
        pairs=make_table("pairs", rows(Person.pair_rows)),
        adverse_events=make_table("adverse_events", rows(Person.adverse_event_rows)),
        deviations=make_table(
            "deviations",
            [
                _deviation_row(recorded, recorded.event, by_id)
                for recorded in events
                if isinstance(recorded.event, DeviationRecorded)
            ],
        ),
    )


def _by_person(
    of_sessions: Mapping[SessionKey, Value], without: Collection[str]
) -> dict[str, dict[str, Value]]:
    found: dict[str, dict[str, Value]] = {}
    for (who, session_id), value in of_sessions.items():
        if who in without:
            continue
        found.setdefault(who, {})[session_id] = value
    return found


def _event_row(recorded: RecordedEvent) -> Row:
    return {
        "sequence": recorded.sequence,
        "at": recorded.at,
        "actor": recorded.actor,
        "kind": recorded.kind,
        "participant_id": recorded.participant_id,
        "session_id": recorded.session_id,
        "erased": recorded.event is None,
    }


def _deviation_row(
    recorded: RecordedEvent, deviation: DeviationRecorded, people: Mapping[str, Person]
) -> Row:
    person = people.get(recorded.participant_id or "")
    return {
        "participant_id": recorded.participant_id,
        "session_id": recorded.session_id,
        "arm": person.arm_at(recorded.session_id) if person else None,
        "sequence": recorded.sequence,
        "at": recorded.at,
        "description": deviation.description,
        "deviation_reason": deviation.reason,
    }
