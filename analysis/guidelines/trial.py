"""What a checklist is filled from, and the phrases that several of its items share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from analysis.guidelines.participant_flow import ParticipantFlow, participant_flow
from analysis.guidelines.record_facts import RecordFacts
from analysis.results import Results
from study.errors import RecordMismatch
from study.protocol import StudyProtocol

HIDDEN = "By arm only after the record is frozen and unblinded."


@dataclass(frozen=True)
class Trial:
    """One trial: its plan, its record, and its results at that record's head.

    Raises:
        RecordMismatch: the results are of another state of the record, or of another protocol.
    """

    protocol: StudyProtocol
    facts: RecordFacts
    results: Results

    def __post_init__(self) -> None:
        of = self.results.provenance.get("record_head_sha256")
        remedy = "run isopath analyse, and this again"
        if of != self.facts.head_sha256:
            problem = f"is of a record that ends with {str(of)[:12]}, and this one ends with "
            raise RecordMismatch("results.json", problem + self.facts.head_sha256[:12], remedy)
        if self.results.provenance.get("protocol_sha256") != self.protocol.sha256:
            raise RecordMismatch("results.json", "is of another version of the protocol", remedy)

    @property
    def may_tell_arms(self) -> bool:
        """Whether what happened may be told by arm."""
        return self.results.shuffled is None

    @property
    def flow(self) -> ParticipantFlow:
        """The flow of participants; in one column while arms are hidden."""
        return participant_flow(self.results.flow, self.may_tell_arms)


def day(at: datetime | None) -> str:
    """The day as ISO 8601, UTC."""
    return "not yet" if at is None else f"{at:%Y-%m-%d}"


def listed(parts: Iterable[str]) -> str:
    """``a, b and c``; ``none`` where there is nothing."""
    *first, last = list(parts) or ["none"]
    return f"{', '.join(first)} and {last}" if first else last


def counted(n: int, what: str, plural: str | None = None) -> str:
    """``1 person``, ``3 people``."""
    return f"{n} {what if n == 1 else plural or what + 's'}"


def minutes(seconds: float) -> str:
    """``15 min``; ``37.5 s`` below a minute."""
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"
