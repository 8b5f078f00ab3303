"""Short names of arms and groups, for tables and figures.

A protocol's labels are sentences for people ("Iso path: from the reported
mood to calm"); the report says them once, beside these.
"""

from __future__ import annotations

from study.protocol import Design, StudyProtocol


def arm_name(arm_id: str) -> str:
    """An arm's id in words."""
    return arm_id.replace("_", " ")


def group_name(protocol: StudyProtocol, group_id: str) -> str:
    """The arm in a parallel design; the sequence of arms in a crossover."""
    arms = next(group.arm_ids for group in protocol.allocation.groups if group.group_id == group_id)
    if protocol.design is Design.PARALLEL:
        return arm_name(arms[0])
    return " → ".join(arm_name(arm) for arm in arms)
