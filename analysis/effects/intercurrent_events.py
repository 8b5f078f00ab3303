"""Which intercurrent events an outcome met, and when, as the tables tell.

An event counts where it came between allocation and the report that is the
outcome, in any session up to that report's (crossover: in that period's). Who
withdrew after giving the report met none before it; whose data were erased has
no history to tell of.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.effects.endpoint import Outcome
from analysis.tables.build import StudyTables
from study.affect import Affect
from study.events import ParticipantDiscontinued, StopReason
from study.protocol import Phase, StudyProtocol
from study.session import session_id_of

EVENTS: Mapping[str, str] = {
    "stopped_early": "Stopped early",
    "distress_stop": "Stopped for distress",
    "paused": "Paused",
    "muted": "Muted",
    "tab_hidden": "Page hidden",
    "technical_failure": "Technical failure",
    "withdrew": "Withdrew",
    "lost_to_follow_up": "Lost to follow-up",
}
"""Event to label, as the protocol's schema lists them."""

_ACTIONS: Mapping[str, frozenset[str]] = {
    "stopped_early": frozenset({"stop", "stopped"}),
    "distress_stop": frozenset({"stop", "stopped"}),
    "paused": frozenset({"pause", "paused"}),
    "muted": frozenset({"muted", "volume"}),
    "tab_hidden": frozenset({"hidden"}),
    "technical_failure": frozenset({"stall", "error", "stop", "stopped"}),
}
"""Lines of the player that may be the beginning of an event."""


@dataclass(frozen=True, order=True)
class Moment:
    """When an event happened.

    Args:
        session: its number; after all sessions where the event belongs to none.
        position_s: of the session's sound; infinity where no line of the player tells.
        sequence: row of the record; infinity where the session and the position tell.
    """

    session: float
    position_s: float
    sequence: float = math.inf


@dataclass(frozen=True)
class Report:
    """A report on the endpoint's instrument."""

    session: int
    phase: Phase
    probe_at_s: float
    sequence: int
    affect: Affect

    def is_before(self, moment: Moment) -> bool:
        """Whether it was given before the event."""
        if self.sequence >= moment.sequence or self.session > moment.session:
            return False
        if self.session < moment.session or self.phase is Phase.PRE:
            return True
        return self.phase is Phase.PROBE and self.probe_at_s <= moment.position_s


class Histories:
    """What the tables tell of each person's sessions, reports and end."""

    def __init__(self, protocol: StudyProtocol, tables: StudyTables) -> None:
        numbers = {session_id_of(n): n for n in range(1, protocol.session_count + 1)}
        self._sessions = _by_person(tables.sessions, numbers)
        # A log has a line for every second; those that begin an event are few.
        begins = tables.playback["action"].isin(list(frozenset().union(*_ACTIONS.values())))
        self._playback = _by_person(tables.playback[begins], numbers)
        self._reports = _reports(protocol, tables.self_reports, numbers)
        self._status = dict(
            zip(
                tables.participants["participant_id"].astype(str),
                tables.participants["status"].astype(str),
                strict=True,
            )
        )
        ended = tables.events[tables.events["kind"] == ParticipantDiscontinued.__name__]
        self._ended = {
            str(who): int(sequence)
            for who, sequence in zip(ended["participant_id"], ended["sequence"], strict=True)
        }

    def reports_of(self, outcome: Outcome) -> list[Report]:
        """Reports of the outcome's sessions, in order of the record."""
        first, last = outcome.sessions
        found = self._reports.get(outcome.participant_id, [])
        return [report for report in found if first <= report.session <= last]

    def events_of(self, outcome: Outcome) -> dict[str, Moment]:
        """Events the outcome met, each with its first moment, in the order of `EVENTS`."""
        status = self._status.get(outcome.participant_id)
        if status == "erased":
            return {}
        found: dict[str, Moment] = {}
        for event in _ACTIONS:
            moments = [
                _first_line(event, self._playback.get((outcome.participant_id, number), []), number)
                for number in range(outcome.sessions[0], outcome.sessions[1] + 1)
                for row in self._sessions.get((outcome.participant_id, number), [])
                if _met(event, row, self._playback.get((outcome.participant_id, number), []))
            ]
            if moments:
                found[event] = min(moments)
        left = self._leaving(outcome, status)
        if left is not None:
            event, moment = left
            found[event] = min(moment, found.get(event, moment))
        return {event: found[event] for event in EVENTS if event in found}

    def _leaving(self, outcome: Outcome, status: str | None) -> tuple[str, Moment] | None:
        if outcome.post is not None:
            return None
        moment = Moment(math.inf, math.inf, self._ended.get(outcome.participant_id, math.inf))
        match status:
            case "withdrew" | "dropped_out":
                return "withdrew", moment
            case "stopped_for_safety":
                return "distress_stop", moment
            case "lost_to_follow_up" | "completed":
                return "lost_to_follow_up", moment
        return None


def _met(event: str, session: Mapping[str, Any], lines: list[dict[str, Any]]) -> bool:
    reason = session["stop_reason"]
    match event:
        case "stopped_early":
            return bool(reason == StopReason.CHOSE_TO_STOP)
        case "distress_stop":
            return bool(reason == StopReason.DISTRESS)
        case "paused":
            return bool(session["pauses"] > 0)
        case "muted":
            return bool(session["muted_s"] > 0)
        case "tab_hidden":
            return bool(session["hidden_s"] > 0)
        case _:
            failed = any(line["action"] == "error" for line in lines)
            return bool(session["stalls"] > 0 or reason == StopReason.TECHNICAL or failed)


def _first_line(event: str, lines: list[dict[str, Any]], session: int) -> Moment:
    """The first line of the player that may begin the event; the session's end where there is none."""
    positions = [float(line["position_s"]) for line in lines if _may_begin(event, line)]
    return Moment(session, min(positions, default=math.inf))


def _may_begin(event: str, line: Mapping[str, Any]) -> bool:
    if line["action"] not in _ACTIONS[event] or pd.isna(line["position_s"]):
        return False
    match line["action"]:
        case "volume":
            return bool(line["volume"] == 0)
        case "pause":
            # A pause that a probe asks for is none of the person's.
            return bool(line["detail"] != "probe")
        case "stop" | "stopped" if event == "technical_failure":
            return bool(line["reason"] == StopReason.TECHNICAL)
    return True


def _by_person(
    table: pd.DataFrame, numbers: Mapping[str, int]
) -> dict[tuple[str, int], list[dict[str, Any]]]:
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in table.to_dict("records"):
        number = numbers.get(str(row["session_id"]))
        if number is not None:
            found.setdefault((str(row["participant_id"]), number), []).append(
                {str(name): value for name, value in row.items()}
            )
    return found


def _reports(
    protocol: StudyProtocol, table: pd.DataFrame, numbers: Mapping[str, int]
) -> dict[str, list[Report]]:
    mine = table[
        (table["instrument_id"] == protocol.analysis.instrument_id)
        & table["phase"].isin([Phase.PRE, Phase.PROBE, Phase.POST])
        & table["session_id"].isin(list(numbers))
        & table["valence"].notna()
        & table["arousal"].notna()
    ].sort_values("sequence")
    found: dict[str, list[Report]] = {}
    for row in mine.to_dict("records"):
        found.setdefault(str(row["participant_id"]), []).append(
            Report(
                numbers[str(row["session_id"])],
                Phase(row["phase"]),
                0.0 if pd.isna(row["probe_at_s"]) else float(row["probe_at_s"]),
                int(row["sequence"]),
                Affect(float(row["valence"]), float(row["arousal"])),
            )
        )
    return found
