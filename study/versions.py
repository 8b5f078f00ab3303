"""Which version of the protocol a person is under, and how later versions are read from the record.

An amendment holds for whoever is enrolled after it; everybody else goes on under the version they consented
to (SPIRIT 2025, item 31). The rows of the record carry the version they are under, so a participant's first
row says which is theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from study.events import History, ProtocolAmended, RecordedEvent
from study.protocol import StudyProtocol
from study.protocol_file import parse_protocol


def pinned(protocol: StudyProtocol, history: History) -> StudyProtocol:
    """The version a participant is under.

    Args:
        protocol: the version in force, which knows those before it.
        history: one participant's events, in order.

    Raises:
        RecordMismatch: they were enrolled under a version that `protocol` does not know.
    """
    if protocol.amends is None or not history:
        return protocol
    return protocol.under(history[0].protocol_sha256)


def amended_by(protocol: StudyProtocol, events: Iterable[RecordedEvent]) -> StudyProtocol:
    """The version in force after these amendments; those that `protocol` knows already are passed over.

    A study in time-lapse stays in time-lapse.

    Raises:
        ProtocolErrors: an amendment's text is no protocol.
    """
    for recorded in events:
        amended = recorded.event
        if isinstance(amended, ProtocolAmended) and not protocol.knows(amended.protocol_sha256):
            newer = parse_protocol(amended.protocol_text.encode(), f"amendment in row {recorded.sequence}")
            if protocol.time_lapse_of_s is not None:
                newer = newer.lasting(protocol.duration_s)
            protocol = replace(newer, amends=protocol)
    return protocol
