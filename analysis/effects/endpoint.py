"""What each participant's `pre` and `post` report amount to.

Projected progress, the default endpoint, is (post − target) · u, where u is
the unit vector from the start to the target: 0 when the person has come as far
as the target, −0.5 when half a unit short of it, above 0 when beyond. Where
the protocol fixes the start, u is the same for everyone. Where each path
starts at the person's own `pre` report, u leads from that report to the
target: still fixed before listening and a function of baseline alone, so that
under no effect its mean is the same in all arms whatever the spread of `post`.
(A u common to all would call it progress when someone who started at the
other side of the target moved away from it.) Who starts exactly at the target
has no direction; they are left out of this endpoint, counted, and kept in the
others.

Distance to the target is a secondary endpoint: it also grows with the mere
spread of `post`, and does not tell which side of the target a person is on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.tables.build import StudyTables
from study.affect import Affect
from study.protocol import Design, Phase, StudyProtocol
from study.session import session_id_of

ENDPOINTS: Mapping[str, str] = {
    "projected_progress": "Progress toward the target",
    "distance": "Distance to the target",
    "valence": "Felt valence",
    "arousal": "Felt arousal",
}

AT_TARGET = "started at the target: no direction of progress"


@dataclass(frozen=True)
class Outcome:
    """One person's outcome (crossover: one person's outcome of one period).

    Args:
        stratum: factor to level; a level is None where it was erased.
        pre: the report before listening; None where missing.
        post: the report after the last session (crossover: after this one).
        values: endpoint to value; None where it cannot be had.
        missing: why there is no outcome at all; None where there is.
        sessions: numbers of the sessions whose reports `pre` and `post` are.
        events: intercurrent events of the protocol that were met before `post`.
    """

    participant_id: str
    group: str
    arm: str
    period: int
    stratum: Mapping[str, str | None]
    pre: Affect | None
    post: Affect | None
    values: Mapping[str, float | None]
    missing: str | None
    sessions: tuple[int, int] = (1, 1)
    events: tuple[str, ...] = ()

    def reason_without(self, endpoint: str) -> str | None:
        """Why this endpoint is missing; None where it is there."""
        if self.values[endpoint] is not None:
            return None
        return self.missing or AT_TARGET


def outcomes_of(protocol: StudyProtocol, tables: StudyTables) -> tuple[Outcome, ...]:
    """One outcome for each allocated person; in a crossover, for each of their periods.

    With several sessions in a parallel design, `pre` is that of the first and
    `post` that of the last.
    """
    if protocol.design is Design.CROSSOVER:
        return _outcomes(protocol, tables, {n: (n, n) for n in range(1, protocol.session_count + 1)})
    return _outcomes(protocol, tables, {1: (1, protocol.session_count)})


def visits_of(protocol: StudyProtocol, tables: StudyTables) -> tuple[Outcome, ...]:
    """One outcome for each session of each allocated person in a parallel design.

    `pre` is always that of the first session (the baseline of a model of
    repeated measures), `post` that of the session, `period` its number.
    """
    return _outcomes(protocol, tables, {n: (1, n) for n in range(1, protocol.session_count + 1)})


def _outcomes(
    protocol: StudyProtocol, tables: StudyTables, sessions: Mapping[int, tuple[int, int]]
) -> tuple[Outcome, ...]:
    """Outcomes by period; `sessions` says of which sessions its `pre` and its `post` are."""
    factors = [stratum.factor for stratum in protocol.allocation.strata]
    reports = _reports(protocol, tables.self_reports)
    reasons = _missed_reasons(protocol, tables.self_reports)
    arms = {
        (str(who), int(period)): str(arm)
        for who, period, arm in zip(
            tables.sessions["participant_id"], tables.sessions["period"], tables.sessions["arm"], strict=True
        )
    }
    found = []
    for person in tables.participants.to_dict("records"):
        if pd.isna(person["group"]):
            continue
        who = str(person["participant_id"])
        for period, (first, last_number) in sessions.items():
            arm = arms.get((who, period))
            if arm is None:
                continue
            last = session_id_of(last_number)
            pre = reports.get((who, session_id_of(first), Phase.PRE))
            post = reports.get((who, last, Phase.POST))
            found.append(
                Outcome(
                    who,
                    str(person["group"]),
                    arm,
                    period,
                    {
                        f: None if pd.isna(person[f"stratum_{f}"]) else str(person[f"stratum_{f}"])
                        for f in factors
                    },
                    pre,
                    post,
                    endpoint_values(protocol.start, protocol.target, pre, post),
                    _why_missing(pre, post, reasons.get((who, last)), str(person["status"])),
                    (first, last_number),
                )
            )
    return tuple(found)


def endpoint_values(
    start: Affect | None, target: Affect, pre: Affect | None, post: Affect | None
) -> dict[str, float | None]:
    """Every endpoint of one person.

    Args:
        start: the protocol's fixed start; None for the person's own `pre`.
        target: the protocol's target.
    """
    if pre is None or post is None:
        return dict.fromkeys(ENDPOINTS)
    return {
        "projected_progress": projected_progress(start or pre, target, post),
        "distance": post.distance_to(target),
        "valence": post.valence,
        "arousal": post.arousal,
    }


def projected_progress(start: Affect, target: Affect, post: Affect) -> float | None:
    """(post − target) · u, u the unit vector from start to target; None where they coincide."""
    length = start.distance_to(target)
    if math.isclose(length, 0.0, abs_tol=1e-9):
        return None
    u_valence = (target.valence - start.valence) / length
    u_arousal = (target.arousal - start.arousal) / length
    return (post.valence - target.valence) * u_valence + (post.arousal - target.arousal) * u_arousal


def endpoint_method(protocol: StudyProtocol) -> str:
    """How the protocol's endpoint is computed, in one sentence."""
    origin = (
        "the protocol's start" if protocol.start is not None else "each person's own report before listening"
    )
    what = {
        "projected_progress": f"(after − target) · u, u the unit vector from {origin} to the target",
        "distance": "Euclidean distance from the report after listening to the target",
        "valence": "valence of the report after listening",
        "arousal": "arousal of the report after listening",
    }[protocol.analysis.endpoint]
    if protocol.design is Design.PARALLEL and protocol.session_count > 1:
        what += "; before: first session, after: last session"
    return what


def _reports(protocol: StudyProtocol, table: pd.DataFrame) -> dict[tuple[str, str, Phase], Affect]:
    mine = table[
        (table["instrument_id"] == protocol.analysis.instrument_id)
        & table["session_id"].notna()
        & table["valence"].notna()
        & table["arousal"].notna()
    ]
    return {
        (row["participant_id"], row["session_id"], Phase(row["phase"])): Affect(
            row["valence"], row["arousal"]
        )
        for row in mine.to_dict("records")
        if row["phase"] in (Phase.PRE, Phase.POST)
    }


def _missed_reasons(protocol: StudyProtocol, table: pd.DataFrame) -> dict[tuple[str, str], str]:
    mine = table[
        (table["instrument_id"] == protocol.analysis.instrument_id)
        & (table["phase"] == Phase.POST)
        & table["valence"].isna()
    ]
    return {
        (row["participant_id"], row["session_id"]): f"post report missed: {row['missed_reason']}"
        if row["missed"]
        else "post report incomplete"
        for row in mine.to_dict("records")
    }


def _why_missing(pre: Affect | None, post: Affect | None, missed: str | None, status: str) -> str | None:
    if pre is not None and post is not None:
        return None
    if post is not None:
        return "pre report missing"
    if missed is not None:
        return missed
    return {
        "in_progress": "not yet given",
        "completed": "no post report",
        "imported": "not in the imported file",
        "erased": "data erased",
    }.get(status, status.replace("_", " "))
