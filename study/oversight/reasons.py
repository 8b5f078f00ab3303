"""Why a session is not complete, in words that tell no arm."""

from __future__ import annotations

from collections.abc import Iterator

from study.events import (
    DeviationRecorded,
    History,
    PlaybackLogged,
    PlayerEntryKind,
    QuestionnaireSubmitted,
    SelfReportMissed,
    SelfReportSubmitted,
    SessionRendered,
    SoundChecked,
    SupportOffered,
)
from study.listening import Listening
from study.oversight.words import counted, duration_words, share_words
from study.protocol import Phase, StudyProtocol

HEARD_ENOUGH = 0.95
"""Share of a session's sound that counts as all of it: players report where they are every 5 s."""

MUTED_TOO_LONG_S = 10.0
"""Silence by a mute button that is told; a shorter one is a slip of the finger."""

VERIFIED, UNVERIFIED = "sha256", "length"
"""What the player says it compared when it had loaded the sound; a simulated one says neither."""


def reasons_of(
    protocol: StudyProtocol,
    here: History,
    listening: Listening,
    is_closed: bool,
    is_imported: bool = False,
) -> Iterator[str]:
    """What speaks against calling one session complete, in the session's order.

    Args:
        here: the session's events, in order.
        is_closed: whether nothing of it can still be given; else only what was missed for good is told.
        is_imported: whether it took place elsewhere, so that its sound was not for us to make.
    """
    yield from _sound_check_reasons(here)
    yield from _outside_window(here)
    yield from _report_reasons(protocol, here, Phase.PRE, is_closed)
    yield from _listening_reasons(here, listening, is_closed, is_imported)
    yield from _probe_reasons(protocol, here, listening, is_closed)
    yield from _report_reasons(protocol, here, Phase.POST, is_closed)
    left_out = sum(
        len(r.event.missed_items)
        for r in here
        if isinstance(r.event, (SelfReportSubmitted, QuestionnaireSubmitted))
    )
    if left_out:
        yield f"{counted(left_out, 'item')} left out"
    if any(r.event is None for r in here):
        yield "erased at the person's request"


def _sound_check_reasons(here: History) -> Iterator[str]:
    tried = [r.event for r in here if isinstance(r.event, SoundChecked)]
    if tried and not any(event.passed for event in tried):
        yield "sound check failed"


def _outside_window(here: History) -> Iterator[str]:
    if any(isinstance(r.event, DeviationRecorded) and "outside its window" in r.event.reason for r in here):
        yield "visit outside its window"


def _listening_reasons(
    here: History, listening: Listening, is_closed: bool, is_imported: bool
) -> Iterator[str]:
    rendered = [r.event for r in here if isinstance(r.event, SessionRendered)]
    if listening.stop_reason is not None:
        why = {"distress": "stopped for distress", "technical": "stopped for a technical reason"}
        yield why.get(listening.stop_reason, "stopped by choice")
    elif any(isinstance(r.event, SupportOffered) and r.event.cause == "distress" for r in here):
        yield "distress reported"
    if is_closed and not rendered:
        yield "no sound was imported" if is_imported else "no sound was made"
    elif is_closed and rendered:
        share = heard_share(here, listening)
        if share is not None and share < HEARD_ENOUGH:
            yield f"heard {share_words(share)} of the session" if share else "nothing was heard"
    if listening.muted_s >= MUTED_TOO_LONG_S:
        yield f"muted {duration_words(listening.muted_s)}"
    if is_verified(here) is False:
        yield "sound not verified in the browser"


def heard_share(here: History, listening: Listening) -> float | None:
    """Share of the session's sound heard at least once, 0 to 1; None before there is a sound."""
    lengths = [r.event.duration_s for r in here if isinstance(r.event, SessionRendered)]
    if not lengths or lengths[-1] <= 0:
        return None
    return min(listening.heard_s / lengths[-1], 1.0)


def is_verified(here: History) -> bool | None:
    """Whether the browser checked the sound's SHA-256; None where no browser says."""
    loaded = [
        entry.detail
        for r in here
        if isinstance(r.event, PlaybackLogged)
        for entry in r.event.entries
        if entry.kind is PlayerEntryKind.LOADED
    ]
    if UNVERIFIED in loaded:
        return False
    return True if VERIFIED in loaded else None


def _probe_reasons(
    protocol: StudyProtocol, here: History, listening: Listening, is_closed: bool
) -> Iterator[str]:
    missed = {
        r.event.probe_at_s
        for r in here
        if isinstance(r.event, SelfReportMissed) and r.event.phase is Phase.PROBE
    }
    if is_closed and listening.intervals_s:
        given = {
            (r.event.probe_at_s, _name(r.event))
            for r in here
            if isinstance(r.event, (SelfReportSubmitted, QuestionnaireSubmitted))
        }
        missed |= {
            at_s
            for assessment in protocol.assessments_at(Phase.PROBE)
            for at_s in assessment.at_s
            for name in assessment.instrument_ids
            if at_s <= listening.position_s and (at_s, name) not in given
        }
    if missed:
        yield f"{counted(len(missed), 'probe')} missed"


def _report_reasons(protocol: StudyProtocol, here: History, phase: Phase, is_closed: bool) -> Iterator[str]:
    wanted = [name for assessment in protocol.assessments_at(phase) for name in assessment.instrument_ids]
    given = [
        _name(r.event)
        for r in here
        if isinstance(r.event, (SelfReportSubmitted, QuestionnaireSubmitted)) and r.event.phase is phase
    ]
    if is_closed:
        missing = [name for name in wanted if name not in given]
    else:
        missing = [
            r.event.instrument_id
            for r in here
            if isinstance(r.event, SelfReportMissed) and r.event.phase is phase
        ]
    if missing and len(missing) == len(wanted):
        yield f"{phase} report missing"
    elif missing:
        yield f"{phase} report incomplete: {', '.join(missing)} missing"


def _name(event: SelfReportSubmitted | QuestionnaireSubmitted) -> str:
    return event.questionnaire_id if isinstance(event, QuestionnaireSubmitted) else event.instrument_id
