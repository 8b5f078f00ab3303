"""Interim looks are taken as planned, in order, once each, and only while the record is open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.cohort import SimulatedClock
from study.errors import ConductError, OutOfRange
from study.events import InterimLookTaken
from study.founding import Study, initialise_study
from study.freeze import freeze
from study.interim import looks_taken, require_look, take_look
from tests.study.conftest import ONE_SESSION

ACTOR = "statistician:anna"


def study_with(tmp_path: Path, clock: SimulatedClock, looks: list[float] | None) -> Study:
    protocol = json.loads(ONE_SESSION.read_text())
    if looks is not None:
        protocol["analysis"]["interim"] = {"looks": looks, "spending": "lan_demets_obrien_fleming"}
    path = tmp_path / "protocol.json"
    path.write_text(json.dumps(protocol))
    return initialise_study(tmp_path / "looked", path, "test", "isopath test", clock)


@pytest.fixture
def looked(tmp_path: Path, clock: SimulatedClock) -> Iterator[Study]:
    made = study_with(tmp_path, clock, [0.3, 0.6, 1.0])
    yield made
    made.record.close()


def look(number: int, information: float, reason: str = "the committee met") -> InterimLookTaken:
    return InterimLookTaken(number, information, 1.2, 3.9, False, "ab" * 32, reason)


def refusal(study: Study, taken: InterimLookTaken) -> str:
    before = study.record.head()
    with pytest.raises((ConductError, OutOfRange)) as refused:
        take_look(study, ACTOR, taken)
    assert study.record.head() == before
    return str(refused.value)


def test_a_look_is_recorded_with_who_took_it_and_the_row_it_rests_on(looked: Study) -> None:
    take_look(looked, ACTOR, look(1, 0.31, "  the committee met "))

    (recorded,) = looked.record.events(kinds=[InterimLookTaken])
    assert recorded.event == look(1, 0.31)
    assert (recorded.actor, recorded.participant_id) == (ACTOR, None)
    looked.record.verify()


def test_looks_follow_each_other(looked: Study) -> None:
    take_look(looked, ACTOR, look(1, 0.31))
    take_look(looked, ACTOR, look(2, 0.62))

    assert [event.look for event in looks_taken(looked.record)] == [1, 2]


def test_a_look_is_taken_once(looked: Study) -> None:
    take_look(looked, ACTOR, look(1, 0.31))

    assert "look 1 was taken already" in refusal(looked, look(1, 0.5))


def test_no_look_comes_before_the_one_before(looked: Study) -> None:
    assert refusal(looked, look(2, 0.6)) == ("the interim look: look 1 was not taken yet; take look 1 first")


def test_the_last_look_is_the_analysis_at_the_end(looked: Study) -> None:
    assert "look 3 is the last: the analysis at the end" in refusal(looked, look(3, 0.9))


@pytest.mark.parametrize("number", [0, -1, 4])
def test_a_look_nobody_planned_is_refused(looked: Study, number: int) -> None:
    assert f"plans no look {number}; it plans looks 1 to 2 before the end" in refusal(
        looked, look(number, 0.3)
    )


def test_a_protocol_without_looks_refuses_every_look(tmp_path: Path, clock: SimulatedClock) -> None:
    study = study_with(tmp_path, clock, None)

    assert "the protocol plans none" in refusal(study, look(1, 0.5))
    study.record.close()


def test_a_frozen_record_is_not_looked_at_any_more(looked: Study) -> None:
    freeze(looked, ACTOR, "last visit done")

    assert "the record is frozen" in refusal(looked, look(1, 0.31))
    with pytest.raises(ConductError, match="frozen"):
        require_look(looked, looked.record, 1)


def test_a_look_needs_outcomes_that_the_look_before_did_not_have(looked: Study) -> None:
    assert "there are no outcomes yet" in refusal(looked, look(1, 0.0))
    take_look(looked, ACTOR, look(1, 0.31))

    assert "no outcomes were gathered since the look before" in refusal(looked, look(2, 0.31))


def test_with_all_outcomes_there_the_study_is_analysed_and_not_looked_at(looked: Study) -> None:
    assert "all planned outcomes are there" in refusal(looked, look(1, 1.0))


def test_a_look_has_a_reason(looked: Study) -> None:
    assert "reason: is empty" in refusal(looked, look(1, 0.31, " "))
