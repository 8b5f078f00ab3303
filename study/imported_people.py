"""What a file says of people whose part took place elsewhere, as the events of a record.

Events come in the order of a study, whatever the file's order was. Held against
a record, those that stand there already add nothing, and those that contradict
it are refused by name.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from study.allocation import check_stratum
from study.canonical import plain
from study.errors import ConductError, IsopathError, RecordMismatch, refuse
from study.event_codec import encode
from study.events import (
    DataImported,
    EndReason,
    Event,
    ParticipantAllocated,
    ParticipantDiscontinued,
    ParticipantEnrolled,
    ParticipantImported,
    PlaybackEnded,
    PlaybackStarted,
    PlaybackStopped,
    RecordedEvent,
    RehearsalStarted,
    SelfReportMissed,
    SelfReportSubmitted,
    SessionRendered,
    StopReason,
)
from study.instruments import score
from study.manifest import RenderManifest
from study.protocol import Phase, StudyProtocol
from study.record import Draft
from study.session import session_id_of

ANEW = "import the corrected file into a new folder; an imported record takes no corrections"

_EventKey = tuple[object, ...]


@dataclass(frozen=True)
class GivenReport:
    """One instrument at one moment, as the file has it.

    Args:
        raw: item to raw value on the instrument's own scale; empty where nothing was answered.
        missed_reason: why nothing was answered; None where something was.
        occasion: which of several equal moments (a second follow-up), from 0.
        where: file and line, for messages.
    """

    phase: Phase
    instrument_id: str
    session_id: str | None
    probe_at_s: float | None
    raw: Mapping[str, float]
    missed_reason: str | None
    where: str
    occasion: int = 0


@dataclass(frozen=True)
class GivenListening:
    """How long a session's sound was heard, from its beginning without a gap.

    Args:
        heard_s: seconds heard.
        length_s: of the session's sound.
        stop_reason: why it was stopped early; None where it was heard to its end.
    """

    heard_s: float
    length_s: float
    stop_reason: StopReason | None
    where: str


@dataclass(frozen=True)
class GivenSound:
    """A session's sound file, and the manifest it gets."""

    path: Path
    manifest: RenderManifest
    where: str


@dataclass(frozen=True)
class ImportedPerson:
    """What a file says of one person.

    Args:
        source_id: the person's code in the file.
        stratum: factor to level.
        group_id: None for who was never allocated.
        sounds, listening: by session.
        ended: why the part ended early, with a note; None where it did not.
    """

    participant_id: str
    source_id: str
    stratum: Mapping[str, str]
    group_id: str | None
    reports: tuple[GivenReport, ...]
    where: str
    sounds: Mapping[str, GivenSound] = field(default_factory=dict)
    listening: Mapping[str, GivenListening] = field(default_factory=dict)
    ended: tuple[EndReason, str] | None = None


def new_drafts(
    protocol: StudyProtocol, events: Sequence[RecordedEvent], people: Sequence[ImportedPerson]
) -> tuple[list[Draft], int]:
    """What a record lacks of these people, and how many of their events it has already.

    Args:
        events: the whole record, in order; empty where there is none yet.

    Raises:
        ConductError: the record holds people of its own, or data that were erased since, or says
            something else of somebody; all such places at once, in `Refusals`.
        RecordMismatch: the record is a rehearsal.
    """
    _require_imported(events)
    histories: dict[str, list[RecordedEvent]] = {}
    for recorded in events:
        if recorded.participant_id is not None:
            histories.setdefault(recorded.participant_id, []).append(recorded)
    places = Counter(
        _stratum_key(r.event.stratum) for r in events if isinstance(r.event, ParticipantAllocated)
    )
    refusals: list[IsopathError] = []
    found: list[Draft] = []
    known = 0
    for person in people:
        history = histories.get(person.participant_id, [])
        if any(recorded.event is None for recorded in history):
            problem = "this person's data were erased from the record"
            refusals.append(ConductError(person.where, problem, "take their rows out of the file"))
            continue
        position = places[_stratum_key(person.stratum)]
        drafts, same, refused = _added(protocol, person, position, history)
        places[_stratum_key(person.stratum)] += any(
            isinstance(draft.event, ParticipantAllocated) for draft in drafts
        )
        found += drafts
        known += same
        refusals += refused
    refuse(refusals)
    return found, known


def _require_imported(events: Sequence[RecordedEvent]) -> None:
    kinds = {recorded.kind for recorded in events}
    if RehearsalStarted.__name__ in kinds:
        raise RecordMismatch("the record", "is a rehearsal", "import into a new folder")
    if ParticipantEnrolled.__name__ in kinds and DataImported.__name__ not in kinds:
        raise ConductError(
            "the record",
            "holds people who were enrolled here, and others' data would be mixed with theirs",
            "import into a new folder",
        )


def _added(
    protocol: StudyProtocol, person: ImportedPerson, position: int, history: Sequence[RecordedEvent]
) -> tuple[list[Draft], int, list[IsopathError]]:
    seen: dict[_EventKey, Event] = {}
    occasions: Counter[_EventKey] = Counter()
    for recorded in history:
        if recorded.event is not None:
            key = _key(recorded.event, recorded.session_id)
            seen[*key, occasions[key]] = recorded.event
            occasions[key] += 1
    drafts: list[Draft] = []
    refusals: list[IsopathError] = []
    known = 0
    for event, session_id, where, occasion in _events(protocol, person, position):
        key = _key(event, session_id)
        before = seen.get((*key, occasion))
        if before is None and occasion > occasions[key]:
            problem = f"a later {_named(key)} is there and an earlier one is not"
            remedy = "say in the map's `missing` why the earlier one is missing"
            refusals.append(ConductError(where, problem, remedy))
        elif before is None:
            occasions[key] += 1
            drafts.append(Draft(event, person.participant_id, session_id))
        elif _says(before) != _says(event):
            problem = f"{_named(key)} is {_shown(event)}, and {_shown(before)} in the record"
            refusals.append(ConductError(where, problem, ANEW))
        else:
            known += 1
    return drafts, known, refusals


def _events(
    protocol: StudyProtocol, person: ImportedPerson, position: int
) -> Iterator[tuple[Event, str | None, str, int]]:
    """A person's events in the order of a study: event, session, place in the file, occasion."""
    stratum = check_stratum(protocol.allocation, person.stratum)
    arms: dict[str, str] = {}
    yield ParticipantEnrolled(stratum, simulated=False), None, person.where, 0
    yield ParticipantImported(person.source_id), None, person.where, 0
    if person.group_id is not None:
        group = next(g for g in protocol.allocation.groups if g.group_id == person.group_id)
        arms = {session_id_of(number): arm for number, arm in enumerate(group.arm_ids, start=1)}
        allocated = ParticipantAllocated(person.group_id, group.arm_ids, stratum, 0, position)
        yield allocated, None, person.where, 0
    yield from _reports(protocol, person, Phase.BASELINE, None)
    for session_id in map(session_id_of, range(1, protocol.session_count + 1)):
        yield from _reports(protocol, person, Phase.PRE, session_id)
        sound = person.sounds.get(session_id)
        if sound is not None:
            rendered = _rendered(arms[session_id], sound.manifest)
            yield rendered, session_id, sound.where, 0
        heard = person.listening.get(session_id)
        if heard is not None:
            yield PlaybackStarted(0.0), session_id, heard.where, 0
        yield from _reports(protocol, person, Phase.PROBE, session_id)
        if heard is not None:
            yield _end_of(heard), session_id, heard.where, 0
        yield from _reports(protocol, person, Phase.POST, session_id)
    yield from _reports(protocol, person, Phase.FOLLOW_UP, None)
    if person.ended is not None:
        yield ParticipantDiscontinued(*person.ended), None, person.where, 0


def _reports(
    protocol: StudyProtocol, person: ImportedPerson, phase: Phase, session_id: str | None
) -> Iterator[tuple[Event, str | None, str, int]]:
    mine = [r for r in person.reports if r.phase is phase and r.session_id == session_id]
    for report in sorted(mine, key=lambda r: (r.probe_at_s or 0.0, r.occasion)):
        yield _report_event(protocol, report), session_id, report.where, report.occasion


def _report_event(protocol: StudyProtocol, report: GivenReport) -> Event:
    if report.missed_reason is not None:
        return SelfReportMissed(report.phase, report.instrument_id, report.missed_reason, report.probe_at_s)
    scored = score(protocol.instrument(report.instrument_id), report.raw)
    return SelfReportSubmitted(
        report.phase,
        report.instrument_id,
        scored.perspective,
        scored.raw,
        scored.affect,
        scored.scores,
        scored.missed_items,
        report.probe_at_s,
    )


def _rendered(arm_id: str, manifest: RenderManifest) -> SessionRendered:
    return SessionRendered(
        arm_id,
        manifest.plan_sha256,
        hashlib.sha256(manifest.to_json().encode()).hexdigest(),
        manifest.audio_sha256,
        manifest.duration_s,
    )


def _end_of(heard: GivenListening) -> PlaybackEnded | PlaybackStopped:
    if heard.stop_reason is None:
        return PlaybackEnded(heard.length_s)
    return PlaybackStopped(heard.heard_s, heard.stop_reason)


def _stratum_key(stratum: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(stratum.items()))


def _key(event: Event, session_id: str | None) -> _EventKey:
    match event:
        case SelfReportSubmitted() | SelfReportMissed():
            return "report", session_id, event.phase, event.instrument_id, event.probe_at_s
        case PlaybackEnded() | PlaybackStopped():
            return "end of listening", session_id
    return type(event).__name__, session_id


def _says(event: Event) -> dict[str, object]:
    """What two files must agree on: of an allocation not its place, of a sound not who wrote its manifest."""
    payload = {"kind": type(event).__name__, **encode(event)}
    for name in ("manifest_sha256", "block", "position"):
        payload.pop(name, None)
    return payload


def _named(key: _EventKey) -> str:
    match key:
        case "report", session_id, phase, instrument_id, at_s:
            when = "" if at_s is None else f" at {at_s} s"
            return f"the {phase} report{when} on {instrument_id}" + (
                f" of {session_id}" if session_id else ""
            )
        case kind, session_id:
            names = {
                "ParticipantEnrolled": "the stratum",
                "ParticipantImported": "the code",
                "ParticipantAllocated": "the arm",
                "SessionRendered": "the sound",
                "ParticipantDiscontinued": "how the part ended",
            }
            return names.get(str(kind), str(kind)) + (f" of {session_id}" if session_id else "")
    return str(key)


def _shown(event: Event) -> str:
    match event:
        case SelfReportSubmitted(raw=raw):
            return ", ".join(f"{item} {value:g}" for item, value in sorted(raw.items()))
        case SelfReportMissed(reason=reason):
            return f"missed ({reason})"
        case ParticipantEnrolled(stratum=stratum):
            return ", ".join(f"{factor} {level}" for factor, level in stratum.items()) or "none"
        case ParticipantImported(source_id=source_id):
            return source_id
        case ParticipantAllocated(group_id=group_id):
            return group_id
        case PlaybackEnded():
            return "heard to the end"
        case PlaybackStopped(position_s=position_s, reason=reason):
            return f"stopped at {position_s:g} s ({reason})"
        case ParticipantDiscontinued(reason=reason, note=note):
            return f"{reason}" + (f" ({note})" if note else "")
        case SessionRendered(audio_sha256=sha256, plan_sha256=plan):
            return f"{sha256[:12]} (clips {plan[:12]})"
    return str(plain(event))
