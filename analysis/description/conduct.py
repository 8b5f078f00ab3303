"""What happened to the study itself while it ran, as a reader of its results has to know it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from study.erasable import as_erased
from study.events import (
    ArmRevealed,
    CodeBreakListMade,
    ProtocolAmended,
    RecordedEvent,
    RecruitmentPaused,
    RecruitmentResumed,
    ReportCorrected,
)
from study.oversight.blinding import WITHHELD
from study.oversight.stop_rules import reached_stop_rules
from study.protocol import StudyProtocol


def conduct_of(
    protocol: StudyProtocol, events: Sequence[RecordedEvent], is_blinded: bool = False
) -> dict[str, Any]:
    """Amendments, pauses of recruitment, stop rules reached, arms told before the end, corrected answers.

    Args:
        events: the whole record, in order.
        is_blinded: leave out why an arm was told or an answer corrected, since the words may name it.

    Returns:
        ``amendments`` (with every change), ``pauses``, ``stop_rules``, ``revealed``, ``code_break_lists``
        and ``corrections`` (of what nobody asked to have erased; without the answers), each a list in the
        order of the record; times are ISO 8601, UTC.
    """
    found: dict[str, Any] = {
        "amendments": [],
        "pauses": [],
        "stop_rules": [
            {"at": rule.at.isoformat(), "rule_id": rule.rule_id}
            for rule in reached_stop_rules(protocol, events)
        ],
        "revealed": [],
        "code_break_lists": [],
        "corrections": [],
    }
    for recorded in as_erased(events):
        _take(found, recorded)
    if is_blinded:
        for row in (*found["revealed"], *found["corrections"]):
            row["reason"] = WITHHELD
    return found


def _take(found: dict[str, Any], recorded: RecordedEvent) -> None:
    noted = {"at": recorded.at.isoformat(), "actor": recorded.actor}
    match recorded.event:
        case ProtocolAmended() as amended:
            found["amendments"].append(
                {
                    **noted,
                    "version": amended.version,
                    "protocol_sha256": amended.protocol_sha256,
                    "reason": amended.reason,
                    "changes": list(amended.changes),
                }
            )
        case RecruitmentPaused(reason):
            found["pauses"].append({**noted, "paused": True, "reason": reason})
        case RecruitmentResumed(reason):
            found["pauses"].append({**noted, "paused": False, "reason": reason})
        case ArmRevealed(_, is_emergency, reason):
            who = {"participant_id": recorded.participant_id, "reason": reason}
            found["revealed"].append({**noted, **who, "emergency": is_emergency})
        case CodeBreakListMade(_, participants):
            found["code_break_lists"].append({**noted, "participants": participants})
        case ReportCorrected(row, instrument_id, item, reason=reason):
            what = {"participant_id": recorded.participant_id, "reason": reason}
            found["corrections"].append(
                {**noted, **what, "sequence": row, "instrument_id": instrument_id, "item": item}
            )
