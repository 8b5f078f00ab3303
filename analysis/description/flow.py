"""The CONSORT 2025 flow: how many came, stayed and are analysed, and why the others are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.arm_names import group_name
from analysis.effects.endpoint import Outcome
from analysis.tables.build import StudyTables
from study.errors import RecordError
from study.protocol import StudyProtocol

BEFORE_ALLOCATION: Mapping[str, str] = {
    "declined": "declined to take part",
    "not_eligible": "not eligible",
    "withdrew": "withdrew before allocation",
    "dropped_out": "dropped out before allocation",
    "lost_to_follow_up": "lost before allocation",
    "stopped_for_safety": "stopped for safety before allocation",
    "sound_check_failed": "sound check not passed",
    "erased": "data erased at the person's request",
    "awaiting_consent": "consent not yet given",
    "screening": "not yet allocated",
    "imported": "not allocated, by the imported file",
}


def flow_of(
    protocol: StudyProtocol, tables: StudyTables, outcomes: Sequence[Outcome], analysed: frozenset[str]
) -> dict[str, Any]:
    """Counts for the flow diagram, checked to add up.

    Args:
        outcomes: as the estimand has them, for why a person is not analysed.
        analysed: participants in the primary analysis.

    Returns:
        enrolled, not_allocated (reason to n), allocated, and for each group
        allocated, started, not_started (reason to n), completed, stopped
        (reason to n), under_way, analysed, not_analysed (reason to n).

    Raises:
        RecordError: the counts do not add up.
    """
    people = tables.participants
    waiting = people[people["group"].isna()]
    reasons = Counter(BEFORE_ALLOCATION.get(str(status), str(status)) for status in waiting["status"])
    flow = {
        "enrolled": len(people),
        "not_allocated": dict(sorted(reasons.items())),
        "allocated": int(people["group"].notna().sum()),
        "groups": [
            _group_flow(protocol, tables, outcomes, analysed, group.group_id)
            for group in protocol.allocation.groups
        ],
    }
    check_flow(flow)
    return flow


def check_flow(flow: Mapping[str, Any]) -> None:
    """Hold a flow to its arithmetic.

    Raises:
        RecordError: a box does not hold the sum of those below it.
    """
    sums = [
        ("enrolled", flow["enrolled"], sum(flow["not_allocated"].values()) + flow["allocated"]),
        ("allocated", flow["allocated"], sum(group["allocated"] for group in flow["groups"])),
    ]
    for group in flow["groups"]:
        name, total = group["group"], group["allocated"]
        sums += [
            (f"{name}, started", total, group["started"] + sum(group["not_started"].values())),
            (
                f"{name}, listened",
                group["started"],
                group["completed"] + sum(group["stopped"].values()) + group["under_way"],
            ),
            (f"{name}, analysed", total, group["analysed"] + sum(group["not_analysed"].values())),
        ]
    for where, total, parts in sums:
        if total != parts:
            raise RecordError(
                f"flow ({where})", f"{total} people, but the parts sum to {parts}", "run `isopath verify`"
            )


def _group_flow(
    protocol: StudyProtocol,
    tables: StudyTables,
    outcomes: Sequence[Outcome],
    analysed: frozenset[str],
    group_id: str,
) -> dict[str, Any]:
    people = tables.participants[tables.participants["group"] == group_id]
    not_started: Counter[str] = Counter()
    stopped: Counter[str] = Counter()
    not_analysed: Counter[str] = Counter()
    started = completed = under_way = 0
    for who, status in zip(people["participant_id"], people["status"], strict=True):
        sessions = tables.sessions[tables.sessions["participant_id"] == who]
        if not sessions["started"].any():
            not_started[_status_words(str(status))] += 1
        else:
            started += 1
            stop = sessions["stop_reason"].dropna()
            if sessions["completed"].all():
                completed += 1
            elif len(stop):
                stopped[str(stop.iloc[0]).replace("_", " ")] += 1
            elif status == "in_progress":
                under_way += 1
            else:
                stopped[_status_words(str(status))] += 1
        if who not in analysed:
            not_analysed[_why_not_analysed(protocol, outcomes, str(who))] += 1
    return {
        "group": group_id,
        "label": group_name(protocol, group_id),
        "allocated": len(people),
        "started": started,
        "not_started": dict(sorted(not_started.items())),
        "completed": completed,
        "stopped": dict(sorted(stopped.items())),
        "under_way": under_way,
        "analysed": int(people["participant_id"].isin(list(analysed)).sum()),
        "not_analysed": dict(sorted(not_analysed.items())),
    }


def _why_not_analysed(protocol: StudyProtocol, outcomes: Sequence[Outcome], who: str) -> str:
    mine = [outcome for outcome in outcomes if outcome.participant_id == who]
    endpoint = protocol.analysis.endpoint
    reasons = [reason for outcome in mine if (reason := outcome.reason_without(endpoint)) is not None]
    if any(None in outcome.stratum.values() for outcome in mine):
        reasons.append("stratification data erased")
    return reasons[0] if reasons else "outcome not usable"


def _status_words(status: str) -> str:
    return {
        "in_progress": "not yet",
        "completed": "session ended without a stop or end event",
        "imported": "not told by the imported file",
    }.get(status, status.replace("_", " "))
