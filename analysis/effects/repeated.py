"""Repeated sessions of a parallel design: mixed models of all visits."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.effects.endpoint import Outcome
from analysis.effects.estimate import Effects, estimate_effects
from study.protocol import StudyProtocol


def estimate_repeated(protocol: StudyProtocol, visits: Sequence[Outcome], endpoint: str) -> Effects:
    """Adjusted means and differences at the last session, from all sessions."""
    last = [visit for visit in visits if visit.period == protocol.session_count]
    return estimate_effects(protocol, last, endpoint)
