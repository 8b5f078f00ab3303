"""The flow of participants as boxes that cannot be built unless they add up.

Source: CONSORT 2025, item 22 and figure 1 (Hopewell et al., 2025). What is counted is
`analysis.description.flow`; here it is arranged in the boxes of the diagram, and every box is held to what
leaves it. The picture is `analysis.figures.flow`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from study.errors import RecordError

ALL_ARMS = "all"
ALL_ARMS_LABEL = "all arms together, until the record is unblinded"
_NOT_ELIGIBLE = "not eligible"
_DECLINED = "declined to take part"
_LOST = "lost to follow up"
_REMEDY = "run isopath verify, and isopath analyse again"


@dataclass(frozen=True)
class Branch:
    """Some of the people of a box.

    Args:
        to: the box they are next counted in; None where the diagram ends for them.
        reasons: why, to how many; they sum to `n`, or there are none.
    """

    said: str
    n: int
    to: str | None = None
    reasons: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Box:
    """People counted at one place of the diagram.

    Args:
        stage: ``enrolment``, ``allocation``, ``follow_up`` or ``analysis``.
        branches: where they go from here; each person goes one way.

    Raises:
        RecordError: what leaves the box is not what is in it.
    """

    box_id: str
    stage: str
    said: str
    n: int
    branches: tuple[Branch, ...]

    def __post_init__(self) -> None:
        _require(self.box_id, self.n, [(branch.said, branch.n) for branch in self.branches])
        for branch in self.branches:
            if branch.reasons:
                _require(f"{self.box_id}, {branch.said}", branch.n, branch.reasons)


@dataclass(frozen=True)
class ParticipantFlow:
    """The whole diagram.

    Args:
        boxes: the first is everybody; each other one is led to, or counts the people of a box anew.
        recounts: box to the box whose people it counts again: everybody allocated is analysed or not,
            whatever became of them in between.
        is_by_arm: False while arms are hidden: there is one column for all of them.

    Raises:
        RecordError: a branch leads nowhere, or a box does not hold the people who are led to it.
    """

    boxes: tuple[Box, ...]
    recounts: tuple[tuple[str, str], ...]
    is_by_arm: bool

    def __post_init__(self) -> None:
        arriving: dict[str, list[tuple[str, int]]] = {}
        for box in self.boxes:
            for branch in box.branches:
                if branch.to is not None:
                    arriving.setdefault(branch.to, []).append((box.box_id, branch.n))
        for again, first in self.recounts:
            arriving.setdefault(again, []).append((first, self.box(first).n))
        for box_id, parts in arriving.items():
            _require(f"{box_id}, from {', '.join(name for name, _ in parts)}", self.box(box_id).n, parts)
        for box in self.boxes[1:]:
            if box.box_id not in arriving:
                raise RecordError(f"flow ({box.box_id})", "nobody is led to it", _REMEDY)

    def box(self, box_id: str) -> Box:
        """The box of that id.

        Raises:
            RecordError: there is none.
        """
        for box in self.boxes:
            if box.box_id == box_id:
                return box
        raise RecordError(f"flow ({box_id})", "is not a box of the diagram", _REMEDY)


def participant_flow(flow: Mapping[str, Any], is_by_arm: bool) -> ParticipantFlow:
    """The diagram of a flow as `analysis.description.flow.flow_of` counts it.

    Args:
        is_by_arm: False gives one column for all arms.

    Raises:
        RecordError: it does not add up; the message names the box.
    """
    counted = flow if is_by_arm else without_arms(flow)
    groups = counted["groups"]
    boxes = [
        Box(
            "assessed",
            "enrolment",
            "Assessed for eligibility",
            counted["enrolled"],
            (
                *_before_allocation(counted["not_allocated"]),
                Branch("Randomised", counted["allocated"], "randomised"),
            ),
        ),
        Box(
            "randomised",
            "enrolment",
            "Randomised",
            counted["allocated"],
            tuple(
                Branch(_allocated(group), group["allocated"], f"{group['group']}/allocation")
                for group in groups
            ),
        ),
    ]
    boxes += [box for group in groups for box in _group_boxes(group)]
    recounts = tuple((f"{group['group']}/analysis", f"{group['group']}/allocation") for group in groups)
    return ParticipantFlow(tuple(boxes), recounts, is_by_arm)


def without_arms(flow: Mapping[str, Any]) -> dict[str, Any]:
    """The same flow with every arm's people in one group; nothing in it tells an arm."""
    groups = flow["groups"]
    merged: dict[str, Any] = {"group": ALL_ARMS, "label": ALL_ARMS_LABEL}
    for name in ("allocated", "started", "completed", "under_way", "analysed"):
        merged[name] = sum(group[name] for group in groups)
    for name in ("not_started", "stopped", "not_analysed"):
        merged[name] = _summed([group[name] for group in groups])
    return {**flow, "groups": [merged]}


def _group_boxes(group: Mapping[str, Any]) -> Iterator[Box]:
    name = group["group"]
    missed = _reasons(group["not_started"])
    said = _allocated(group)
    yield Box(
        f"{name}/allocation",
        "allocation",
        said,
        group["allocated"],
        (
            Branch(
                "Received the allocated intervention (began to listen)", group["started"], f"{name}/follow_up"
            ),
            Branch("Did not receive the allocated intervention", _sum(missed), reasons=missed),
        ),
    )
    lost = tuple((reason, n) for reason, n in _reasons(group["stopped"]) if reason.replace("_", " ") == _LOST)
    discontinued = tuple(one for one in _reasons(group["stopped"]) if one not in lost)
    yield Box(
        f"{name}/follow_up",
        "follow_up",
        f"Follow-up: {group['label']}",
        group["started"],
        (
            Branch("Heard every session to its end", group["completed"]),
            Branch("Still in the study", group["under_way"]),
            Branch("Lost to follow-up", _sum(lost), reasons=lost),
            Branch("Discontinued the intervention", _sum(discontinued), reasons=discontinued),
        ),
    )
    left_out = _reasons(group["not_analysed"])
    yield Box(
        f"{name}/analysis",
        "analysis",
        f"Analysis: {group['label']}",
        group["allocated"],
        (
            Branch("Analysed for the primary outcome", group["analysed"]),
            Branch("Excluded from the primary analysis", _sum(left_out), reasons=left_out),
        ),
    )


def _allocated(group: Mapping[str, Any]) -> str:
    return f"Allocated: {group['label']}"


def _before_allocation(reasons: Mapping[str, int]) -> Iterator[Branch]:
    named = {_NOT_ELIGIBLE: "Not meeting the eligibility criteria", _DECLINED: "Declined to take part"}
    for reason, said in named.items():
        yield Branch(said, reasons.get(reason, 0))
    others = tuple((reason, n) for reason, n in _reasons(reasons) if reason not in named)
    yield Branch("Other reasons, or not yet allocated", _sum(others), reasons=others)


def _reasons(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items()))


def _sum(counts: Sequence[tuple[str, int]]) -> int:
    return sum(n for _, n in counts)


def _summed(parts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    names = sorted({name for part in parts for name in part})
    return {name: sum(part.get(name, 0) for part in parts) for name in names}


def _require(where: str, n: int, parts: Sequence[tuple[str, int]]) -> None:
    if n != _sum(parts):
        listed = ", ".join(f"{said} {count}" for said, count in parts)
        raise RecordError(
            f"flow ({where})", f"holds {n} people, but {_sum(parts)} are told: {listed}", _REMEDY
        )
