"""The flow diagram adds up, or the error says where it does not."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from analysis.guidelines.documents import flow_picture
from analysis.guidelines.participant_flow import Box, Branch, ParticipantFlow, participant_flow
from study.errors import RecordError
from tests.analysis.guidelines.made_trial import made_trial


def flow() -> dict[str, Any]:
    return copy.deepcopy(dict(made_trial().results.flow))


def branches(box: Box) -> dict[str, int]:
    return {branch.said: branch.n for branch in box.branches}


def test_every_way_out_of_the_study_stands_in_its_box_with_its_reason() -> None:
    told = made_trial().flow

    assert branches(told.box("assessed")) == {
        "Not meeting the eligibility criteria": 1,
        "Declined to take part": 1,
        "Other reasons, or not yet allocated": 0,
        "Randomised": 15,
    }
    assert branches(told.box("randomised")) == {"Allocated: iso": 8, "Allocated: target only": 7}
    missed = told.box("iso/allocation").branches[1]
    assert (missed.n, dict(missed.reasons)) == (2, {"lost to follow up": 1, "withdrew": 1})
    assert branches(told.box("target_only/follow_up")) == {
        "Heard every session to its end": 6,
        "Still in the study": 0,
        "Lost to follow-up": 1,
        "Discontinued the intervention": 0,
    }
    assert branches(told.box("iso/analysis")) == {
        "Analysed for the primary outcome": 6,
        "Excluded from the primary analysis": 2,
    }


@pytest.mark.parametrize(
    ("group", "field", "box"),
    [
        (None, "enrolled", "assessed"),
        (None, "allocated", "assessed"),
        (0, "allocated", "randomised"),
        (0, "started", "iso/allocation"),
        (1, "completed", "target_only/follow_up"),
        (1, "under_way", "target_only/follow_up"),
        (0, "analysed", "iso/analysis"),
    ],
)
def test_one_person_too_many_anywhere_is_refused_with_the_name_of_the_box(
    group: int | None, field: str, box: str
) -> None:
    wrong = flow()
    counts = wrong if group is None else wrong["groups"][group]
    counts[field] += 1

    with pytest.raises(RecordError) as refused:
        participant_flow(wrong, is_by_arm=True)

    assert f"flow ({box}" in str(refused.value)


@pytest.mark.parametrize(("reasons", "box"), [("not_started", "allocation"), ("not_analysed", "analysis")])
def test_a_reason_too_many_is_refused_with_the_name_of_the_box(reasons: str, box: str) -> None:
    wrong = flow()
    wrong["groups"][0][reasons]["withdrew"] += 1

    with pytest.raises(RecordError, match=rf"flow \(iso/{box}\): holds 8 people, but 9 are told"):
        participant_flow(wrong, is_by_arm=True)


def test_reasons_that_do_not_sum_to_those_who_left_are_refused() -> None:
    with pytest.raises(RecordError, match=r"flow \(a, left\): holds 2 people, but 1 are told: moved away 1"):
        Box("a", "enrolment", "A", 2, (Branch("left", 2, reasons=(("moved away", 1),)),))


def test_people_may_not_be_lost_on_the_way_from_box_to_box() -> None:
    first = Box("a", "enrolment", "A", 3, (Branch("on", 3, "b"),))
    second = Box("b", "analysis", "B", 2, (Branch("analysed", 2),))
    stray = Box("c", "analysis", "C", 1, (Branch("analysed", 1),))

    with pytest.raises(RecordError, match=r"flow \(b, from a\): holds 2 people, but 3 are told"):
        ParticipantFlow((first, second), (), is_by_arm=True)
    with pytest.raises(RecordError, match=r"flow \(c\): nobody is led to it"):
        ParticipantFlow((first, Box("b", "analysis", "B", 3, (Branch("x", 3),)), stray), (), is_by_arm=True)
    with pytest.raises(RecordError, match=r"flow \(b\): is not a box"):
        ParticipantFlow((first,), (), is_by_arm=True)


def test_while_arms_are_hidden_there_is_one_column_with_the_sums_of_all() -> None:
    hidden, open_ = made_trial(hidden=True), made_trial()

    told = hidden.flow

    assert [box.box_id for box in told.boxes] == [
        "assessed",
        "randomised",
        "all/allocation",
        "all/follow_up",
        "all/analysis",
    ]
    assert branches(told.box("all/follow_up"))["Lost to follow-up"] == 1
    for stage in ("allocation", "follow_up", "analysis"):
        by_arm = [open_.flow.box(f"{arm}/{stage}") for arm in ("iso", "target_only")]
        assert told.box(f"all/{stage}").n == sum(box.n for box in by_arm)
        assert [branch.n for branch in told.box(f"all/{stage}").branches] == [
            sum(counts) for counts in zip(*([b.n for b in box.branches] for box in by_arm), strict=True)
        ]


def test_the_picture_of_hidden_arms_names_none_of_them() -> None:
    hidden, open_ = flow_picture(made_trial(hidden=True)), flow_picture(made_trial())

    assert "target only: 7 allocated" in open_.alt
    assert "15 allocated" in hidden.alt
    assert "target only" not in hidden.alt
    assert "target" not in hidden.svg
