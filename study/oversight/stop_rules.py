"""The protocol's stop rules: counted by arm inside, told without one.

A rule that was ever reached stays reached, also when more people begin to
listen afterwards: only the unblinded monitor decides what follows.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from study.events import (
    AdverseEventReported,
    History,
    ParticipantAllocated,
    PlaybackLogged,
    PlaybackStarted,
    PlaybackStopped,
    PlayerEntryKind,
    RecordedEvent,
    SelfReportSubmitted,
    SessionRendered,
    StopReason,
    SupportCause,
    SupportOffered,
)
from study.instruments import Perspective
from study.protocol import Phase, Safety, StopRule, StudyProtocol

NOT_SERIOUS = frozenset({"mild", "moderate"})
"""Every other severity counts as serious: what is not known to be mild is not."""


_COUNTED = frozenset(
    kind.__name__
    for kind in (
        AdverseEventReported,
        ParticipantAllocated,
        PlaybackLogged,
        PlaybackStarted,
        PlaybackStopped,
        SelfReportSubmitted,
        SessionRendered,
        SupportOffered,
    )
)


@dataclass(frozen=True)
class ReachedRule:
    """A stop rule that was reached in one of the arms; which one is not said.

    Args:
        sequence: the row with which it was reached.
    """

    rule_id: str
    sequence: int
    at: datetime

    @property
    def text(self) -> str:
        """What staff are told."""
        return (
            f"A stop rule of the protocol has been reached: {self.rule_id.replace('_', ' ')}. "
            "Please call the unblinded monitor."
        )


def reached_stop_rules(protocol: StudyProtocol, events: History) -> tuple[ReachedRule, ...]:
    """The stop rules that some arm has reached, in the order they were.

    Args:
        events: the whole record, in order.
    """
    rules = list(protocol.safety.stop_rules)
    if not rules:
        return ()
    count = _Count(protocol)
    reached = []
    for recorded in events:
        if recorded.kind not in _COUNTED or not count.take(recorded):
            continue
        for rule in [rule for rule in rules if count.is_reached(rule)]:
            rules.remove(rule)
            reached.append(ReachedRule(rule.rule_id, recorded.sequence, recorded.at))
    return tuple(reached)


class _Count:
    """People with harm, and people who began to listen, by arm."""

    def __init__(self, protocol: StudyProtocol) -> None:
        self._safety = protocol.safety
        self._arms: dict[str, tuple[str, ...]] = {}
        self._begun_in: dict[str, str] = {}
        self._listeners: defaultdict[str, set[str]] = defaultdict(set)
        self._harmed: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    def take(self, recorded: RecordedEvent) -> bool:
        """Count one row; whether it changed anything."""
        event, who = recorded.event, recorded.participant_id
        if event is None or who is None:
            return False
        if isinstance(event, ParticipantAllocated):
            self._arms[who] = event.arm_ids
            return False
        if isinstance(event, SessionRendered):
            self._begun_in[who] = event.arm_id
            return False
        arm = self._arm_of(who, recorded.session_id)
        if arm is None:
            return False
        if _begins(recorded):
            self._listeners[arm].add(who)
            return True
        harms = _harms(self._safety, recorded)
        for harm in harms:
            self._harmed[arm, harm].add(who)
        return bool(harms)

    def _arm_of(self, who: str, session_id: str | None) -> str | None:
        arms = self._arms.get(who, ())
        number = int(session_id.removeprefix("ses-")) if session_id else 0
        if 1 <= number <= len(arms):
            return arms[number - 1]
        # Harm between visits is counted where the person listened last.
        return self._begun_in.get(who) or (arms[0] if len(set(arms)) == 1 else None)

    def is_reached(self, rule: StopRule) -> bool:
        """Whether any arm reaches the rule now."""
        return any(
            harm == rule.counts
            and len(people) >= rule.at_least
            and len(people) >= rule.of_share * len(self._listeners[arm] | people)
            for (arm, harm), people in list(self._harmed.items())
        )


def is_distress(safety: Safety, recorded: RecordedEvent) -> bool:
    """Whether a row is distress: reported while or after listening, or a stop for that reason."""
    match recorded.event:
        case SupportOffered(cause=SupportCause.DISTRESS) | PlaybackStopped(reason=StopReason.DISTRESS):
            return True
        case PlaybackLogged(entries=entries):
            return any(e.kind is PlayerEntryKind.STOP and e.detail == StopReason.DISTRESS for e in entries)
        case SelfReportSubmitted(phase=Phase.PROBE | Phase.POST, perspective=Perspective.FELT) as report:
            return report.affect is not None and safety.is_distress(report.affect)
    return False


def _begins(recorded: RecordedEvent) -> bool:
    event = recorded.event
    if isinstance(event, PlaybackLogged):
        return any(entry.kind is PlayerEntryKind.PLAY for entry in event.entries)
    return isinstance(event, PlaybackStarted)


def _harms(safety: Safety, recorded: RecordedEvent) -> tuple[str, ...]:
    event = recorded.event
    if isinstance(event, AdverseEventReported):
        is_serious = event.severity not in NOT_SERIOUS
        return ("adverse_event", "serious_adverse_event") if is_serious else ("adverse_event",)
    return ("distress",) if is_distress(safety, recorded) else ()
