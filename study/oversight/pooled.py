"""Results while the study is blinded: everybody together, no arm and no contrast."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from study.affect import Affect
from study.events import AdverseEventReported, History, SelfReportSubmitted, SessionRendered
from study.listening import listening_of
from study.oversight.completeness import session_ids_of
from study.oversight.reasons import heard_share
from study.protocol import Phase, StudyProtocol

LEAST = 5
"""Fewer sessions than this are not pooled: they would be single people."""


@dataclass(frozen=True)
class Spread:
    """Mean, standard deviation (n - 1) and median of n numbers; n is 2 or more."""

    n: int
    mean: float
    sd: float
    median: float


@dataclass(frozen=True)
class Pooled:
    """What may be seen of the results before the arms are known.

    Args:
        pairs: felt valence and arousal before, then after, one for each session with both; sorted, so that
            their order says nothing about when or who.
        spreads: name to spread; empty below `LEAST` sessions.
        adverse_events: severity to number.
    """

    sessions: int
    pairs: tuple[tuple[float, float, float, float], ...]
    spreads: Mapping[str, Spread]
    adverse_events: Mapping[str, int]


def pooled_of(protocol: StudyProtocol, histories: Mapping[str, History]) -> Pooled:
    """Pool every session with a felt report before and after on the endpoint's instrument.

    Args:
        histories: participant to their events, in order.
    """
    pairs: list[tuple[float, float, float, float]] = []
    shares: list[float] = []
    sessions = 0
    severities: dict[str, int] = {}
    for history in histories.values():
        for recorded in history:
            if isinstance(recorded.event, AdverseEventReported):
                severities[recorded.event.severity] = severities.get(recorded.event.severity, 0) + 1
        for here in _rendered(protocol, history):
            sessions += 1
            share = heard_share(here, listening_of(here, here[0].session_id or ""))
            shares.extend([] if share is None else [share])
            before, after = _felt(protocol, here, Phase.PRE), _felt(protocol, here, Phase.POST)
            if before is not None and after is not None:
                pairs.append((before.valence, before.arousal, after.valence, after.arousal))
    spreads = {}
    if len(pairs) >= LEAST:
        named = {
            "valence before": [p[0] for p in pairs],
            "valence after": [p[2] for p in pairs],
            "change in valence": [p[2] - p[0] for p in pairs],
            "arousal before": [p[1] for p in pairs],
            "arousal after": [p[3] for p in pairs],
            "change in arousal": [p[3] - p[1] for p in pairs],
            "share of the session heard": shares,
        }
        spreads = {name: _spread(values) for name, values in named.items()}
    kept = tuple(sorted(pairs)) if len(pairs) >= LEAST else ()
    return Pooled(sessions, kept, spreads, dict(sorted(severities.items())))


def _rendered(protocol: StudyProtocol, history: History) -> Iterator[History]:
    for session_id in session_ids_of(protocol):
        here = [recorded for recorded in history if recorded.session_id == session_id]
        if any(isinstance(recorded.event, SessionRendered) for recorded in here):
            yield here


def _felt(protocol: StudyProtocol, here: History, phase: Phase) -> Affect | None:
    for recorded in reversed(here):
        event = recorded.event
        if (
            isinstance(event, SelfReportSubmitted)
            and event.phase is phase
            and event.instrument_id == protocol.analysis.instrument_id
        ):
            return event.affect
    return None


def _spread(values: list[float]) -> Spread:
    return Spread(len(values), statistics.fmean(values), statistics.stdev(values), statistics.median(values))
