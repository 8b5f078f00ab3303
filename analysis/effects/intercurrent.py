"""Intercurrent events, and the strategy the estimand names for each (ICH E9(R1), A.3.2).

An outcome that met several events is dealt with by the strictest strategy:
composite before hypothetical before while on treatment before treatment
policy. A composite value stands for the event itself, whatever else happened;
a hypothetical outcome is not the one that was observed, nor any report before
it; of two events while on treatment the earlier one counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis.effects.endpoint import ENDPOINTS, Outcome, endpoint_values
from analysis.effects.intercurrent_events import EVENTS, Histories, Moment
from analysis.tables.build import StudyTables
from study.analysis_plan import Strategy
from study.protocol import StudyProtocol

STRICTEST_FIRST = (
    Strategy.COMPOSITE,
    Strategy.HYPOTHETICAL,
    Strategy.WHILE_ON_TREATMENT,
    Strategy.TREATMENT_POLICY,
)


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
    """Outcomes after each intercurrent event was dealt with as the protocol says.

    Treatment policy keeps the outcome. Hypothetical sets it aside: it is missing
    from then on, of every endpoint. Composite gives the protocol's endpoint the
    estimand's composite value; other endpoints stay as reported. While on
    treatment takes the last report on the endpoint's instrument before the
    event, and computes every endpoint from it. A principal stratum cannot be
    told from what was observed: nothing is estimated, and the outcomes are kept.

    Args:
        outcomes: as `outcomes_of` or `visits_of` made them.
    """
    strategies = {
        event: Strategy(strategy)
        for event, strategy in protocol.analysis.estimand.intercurrent_events.items()
    }
    histories = Histories(protocol, tables)
    changed_by: dict[str, int] = dict.fromkeys(strategies, 0)
    found: list[Outcome] = []
    for outcome in outcomes:
        met = {e: moment for e, moment in histories.events_of(outcome).items() if e in strategies}
        marked = replace(outcome, events=tuple(met))
        event = _deciding(strategies, met)
        after = marked if event is None else _deal_with(protocol, histories, marked, event, met[event])
        if event is not None and after.values != outcome.values:
            changed_by[event] += 1
        found.append(after)
    return Applied(
        tuple(found),
        tuple(
            _entry(protocol, event, strategy, found, changed_by[event])
            for event, strategy in strategies.items()
        ),
        _not_estimable(strategies),
    )


def _deciding(strategies: Mapping[str, Strategy], met: Mapping[str, Moment]) -> str | None:
    """The event whose strategy decides; None where none was met, or only of principal strata."""
    for strategy in STRICTEST_FIRST:
        events = [event for event in met if strategies[event] is strategy]
        if events:
            return min(events, key=lambda event: met[event])
    return None


def _deal_with(
    protocol: StudyProtocol, histories: Histories, outcome: Outcome, event: str, moment: Moment
) -> Outcome:
    estimand = protocol.analysis.estimand
    match Strategy(estimand.intercurrent_events[event]):
        case Strategy.HYPOTHETICAL if outcome.missing is None:
            return replace(
                outcome,
                post=None,
                values=dict.fromkeys(ENDPOINTS),
                missing=f"set aside: {EVENTS[event].lower()} (hypothetical)",
            )
        case Strategy.COMPOSITE if outcome.pre is not None and estimand.composite_value is not None:
            value = {protocol.analysis.endpoint: estimand.composite_value}
            return replace(outcome, values={**outcome.values, **value})
        case Strategy.WHILE_ON_TREATMENT:
            before = [report for report in histories.reports_of(outcome) if report.is_before(moment)]
            if not before or outcome.pre is None:
                return outcome
            last = before[-1].affect
            values = endpoint_values(protocol.start, protocol.target, outcome.pre, last)
            return replace(outcome, post=last, values=values, missing=None)
    return outcome


def _not_estimable(strategies: Mapping[str, Strategy]) -> str | None:
    strata = [event for event, strategy in strategies.items() if strategy is Strategy.PRINCIPAL_STRATUM]
    if not strata:
        return None
    names = " and ".join(EVENTS[event].lower() for event in strata)
    return (
        f"the estimand is of the principal stratum that would not meet an event ({names}) in either arm; "
        "who belongs to it is not observed, and the protocol states no model of it"
    )


def _entry(
    protocol: StudyProtocol, event: str, strategy: Strategy, outcomes: Sequence[Outcome], changed: int
) -> dict[str, Any]:
    people = {(outcome.participant_id, outcome.arm) for outcome in outcomes if event in outcome.events}
    return {
        "event": event,
        "label": EVENTS[event],
        "strategy": str(strategy),
        "n": len({participant_id for participant_id, _ in people}),
        "n_by_arm": {arm.arm_id: sum(arm_id == arm.arm_id for _, arm_id in people) for arm in protocol.arms},
        "changed": changed,
        "done": _done(protocol, strategy),
    }


def _done(protocol: StudyProtocol, strategy: Strategy) -> str:
    endpoint = ENDPOINTS[protocol.analysis.endpoint].lower()
    match strategy:
        case Strategy.TREATMENT_POLICY:
            return "Outcomes count as given, whatever happened before them."
        case Strategy.HYPOTHETICAL:
            return "Outcomes are set aside and treated as missing, for every endpoint."
        case Strategy.COMPOSITE:
            return (
                f"The value {protocol.analysis.estimand.composite_value:g} stands for {endpoint}; "
                "other endpoints are kept as reported."
            )
        case Strategy.WHILE_ON_TREATMENT:
            return "The last report before the event is the outcome, for every endpoint."
        case Strategy.PRINCIPAL_STRATUM:
            return "Nothing is estimated: the stratum is not observed."
