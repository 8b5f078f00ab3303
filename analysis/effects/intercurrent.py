"""Intercurrent events, and the strategy the estimand names for each (ICH E9(R1), A.3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analysis.effects.endpoint import Outcome
from analysis.tables.build import StudyTables
from study.protocol import StudyProtocol


@dataclass(frozen=True)
class Applied:
    """Outcomes as the estimand has them.

    Args:
        outcomes: values set aside, replaced or kept, in the order given.
        events: one entry per event of the protocol, as in the results' `estimand`.
        not_estimable: why the estimand as a whole cannot be estimated (principal strata); None where it can.
    """

    outcomes: tuple[Outcome, ...]
    events: tuple[dict[str, Any], ...]
    not_estimable: str | None = None


def apply_strategies(protocol: StudyProtocol, tables: StudyTables, outcomes: Sequence[Outcome]) -> Applied:
    """Outcomes after each intercurrent event was dealt with as the protocol says."""
    return Applied(tuple(outcomes), ())
