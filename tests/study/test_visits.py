"""Visits: when each may take place, what is early, late or missed, and that time never turns back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from study.cohort import SimulatedClock
from study.conduct import discontinue, enrol
from study.errors import ConductError, UnknownName
from study.events import DeviationRecorded, EndReason
from study.founding import Study
from study.protocol import Phase
from study.self_reports import miss_report
from study.step import CheckSound, Finished, GiveReport
from study.visits import Visit, VisitStatus, began_at, miss_visit, opening_of, visits_of
from tests.study.every_step import history_of, study_with_every_step, take, walk_to, walk_to_report
from tests.study.walking import ACTOR, MEMORY, due

DAY = timedelta(days=1)
NOT_YET, EARLY, OPEN, LATE, UNDER_WAY, DONE, MISSED = VisitStatus


@pytest.fixture
def study(tmp_path: Path, clock: SimulatedClock) -> Iterator[Study]:
    with study_with_every_step(tmp_path / "study", clock) as made:
        yield made


@pytest.fixture
def participant_id(study: Study) -> str:
    return enrol(study, ACTOR, {})


def visits(study: Study, participant_id: str, now: datetime) -> tuple[Visit, ...]:
    return visits_of(study.protocol, history_of(study, participant_id), now)


def statuses(study: Study, participant_id: str, now: datetime) -> list[VisitStatus]:
    return [visit.status for visit in visits(study, participant_id, now)]


def first_day(study: Study, participant_id: str) -> datetime:
    began = began_at(history_of(study, participant_id), "ses-01")
    assert began is not None
    return began


def deviations(study: Study, participant_id: str) -> list[DeviationRecorded]:
    events = (recorded.event for recorded in history_of(study, participant_id))
    return [event for event in events if isinstance(event, DeviationRecorded)]


def test_before_anything_the_first_session_is_open_and_the_rest_are_not_yet(
    study: Study, participant_id: str, clock: SimulatedClock
) -> None:
    found = visits(study, participant_id, clock())

    assert [(visit.name, visit.session_id) for visit in found] == [
        ("session 1", "ses-01"),
        ("session 2", "ses-02"),
        ("follow-up 1", None),
        ("follow-up 2", None),
    ]
    assert [visit.status for visit in found] == [OPEN, NOT_YET, NOT_YET, NOT_YET]
    assert all(visit.opens_at is None and visit.closes_at is None for visit in found)


def test_a_session_is_under_way_from_its_sound_check_to_its_last_post_report(
    study: Study, participant_id: str, clock: SimulatedClock
) -> None:
    walk_to(study, participant_id, CheckSound)
    assert statuses(study, participant_id, clock())[0] is OPEN
    take(study, participant_id)
    assert statuses(study, participant_id, clock())[0] is UNDER_WAY
    walk_to_report(study, participant_id, Phase.POST)
    assert statuses(study, participant_id, clock())[0] is UNDER_WAY

    walk_to(study, participant_id, CheckSound, "ses-02")

    assert statuses(study, participant_id, clock())[0] is DONE


def test_a_window_is_counted_from_the_first_event_of_session_1(study: Study, participant_id: str) -> None:
    # The example's second session: day 7 to 14.
    walk_to(study, participant_id, CheckSound, "ses-02")
    day_0 = first_day(study, participant_id)

    second = visits(study, participant_id, day_0)[1]

    assert second.opens_at == day_0 + 7 * DAY
    assert second.closes_at == day_0 + 14 * DAY


@pytest.mark.parametrize(
    ("day", "status"),
    [(0.5, EARLY), (6.99, EARLY), (7.0, OPEN), (10.0, OPEN), (14.0, OPEN), (14.01, LATE), (400.0, LATE)],
)
def test_an_awaited_session_is_early_then_open_then_late(
    study: Study, participant_id: str, day: float, status: VisitStatus
) -> None:
    walk_to(study, participant_id, CheckSound, "ses-02")
    now = first_day(study, participant_id) + day * DAY

    assert statuses(study, participant_id, now) == [DONE, status, NOT_YET, NOT_YET]


@pytest.mark.parametrize(("day", "opens_on"), [(1.0, 7.0), (7.0, None), (20.0, None)])
def test_a_due_step_of_an_early_visit_says_when_to_come_back(
    study: Study, participant_id: str, day: float, opens_on: float | None
) -> None:
    step = walk_to(study, participant_id, CheckSound, "ses-02")
    day_0 = first_day(study, participant_id)

    opening = opening_of(study.protocol, history_of(study, participant_id), step, day_0 + day * DAY)

    assert opening == (None if opens_on is None else day_0 + opens_on * DAY)


def test_a_visit_that_has_begun_stays_open(study: Study, participant_id: str) -> None:
    walk_to(study, participant_id, CheckSound, "ses-02")
    take(study, participant_id)
    day_0 = first_day(study, participant_id)

    step = due(study, participant_id)

    assert opening_of(study.protocol, history_of(study, participant_id), step, day_0 + DAY) is None


@pytest.mark.parametrize(
    ("day", "told"),
    [
        (2.0, "session 2 on day 2.0, outside day 7 to 14"),
        (10.0, None),
        (60.0, "session 2 on day 60.0, outside day 7 to 14"),
    ],
)
def test_a_session_begun_outside_its_window_is_recorded_once_as_a_deviation(
    study: Study, participant_id: str, clock: SimulatedClock, day: float, told: str | None
) -> None:
    walk_to(study, participant_id, CheckSound, "ses-02")
    clock.advance_to(first_day(study, participant_id) + day * DAY)
    walk_to_report(study, participant_id, Phase.POST)

    found = deviations(study, participant_id)

    assert found == ([] if told is None else [DeviationRecorded(told, "visit outside its window")])


def test_the_deviation_stands_beside_the_first_step_of_the_visit_not_a_later_one(
    study: Study, participant_id: str
) -> None:
    walk_to(study, participant_id, CheckSound, "ses-02")
    take(study, participant_id)

    early, checked = history_of(study, participant_id)[-2:]

    assert (early.kind, checked.kind) == ("DeviationRecorded", "SoundChecked")
    assert early.session_id == checked.session_id == "ses-02"


def test_follow_ups_open_some_days_after_the_last_session_and_do_not_close(
    study: Study, participant_id: str, clock: SimulatedClock
) -> None:
    walk_to(study, participant_id, CheckSound, "ses-02")
    clock.advance_to(first_day(study, participant_id) + 9 * DAY)
    step = walk_to_report(study, participant_id, Phase.FOLLOW_UP)
    last = began_at(history_of(study, participant_id), "ses-02")
    assert last is not None

    first, second = visits(study, participant_id, last)[2:]

    assert (first.opens_at, first.closes_at) == (last + 7 * DAY, None)
    assert (second.opens_at, second.closes_at) == (last + 30 * DAY, None)
    assert statuses(study, participant_id, last + 6 * DAY)[2:] == [EARLY, NOT_YET]
    assert statuses(study, participant_id, last + 99 * DAY)[2:] == [OPEN, NOT_YET]
    history = history_of(study, participant_id)
    assert opening_of(study.protocol, history, step, last + DAY) == last + 7 * DAY
    assert opening_of(study.protocol, history, step, last + 7 * DAY) is None


def test_the_same_instrument_at_two_follow_ups_answers_the_first_of_them_first(
    study: Study, participant_id: str, clock: SimulatedClock
) -> None:
    walk_to_report(study, participant_id, Phase.FOLLOW_UP)
    clock.advance(8 * 86_400)
    take(study, participant_id)
    assert statuses(study, participant_id, clock())[2:] == [DONE, EARLY]

    clock.advance(30 * 86_400)
    assert statuses(study, participant_id, clock())[2:] == [DONE, OPEN]
    take(study, participant_id)
    assert statuses(study, participant_id, clock())[2:] == [DONE, UNDER_WAY]
    take(study, participant_id)

    assert statuses(study, participant_id, clock()) == [DONE, DONE, DONE, DONE]
    assert due(study, participant_id) == Finished("completed")


def test_a_follow_up_before_its_day_is_recorded_as_a_deviation_counted_from_the_last_session(
    study: Study, participant_id: str, clock: SimulatedClock
) -> None:
    walk_to(study, participant_id, CheckSound, "ses-02")
    clock.advance_to(first_day(study, participant_id) + 9 * DAY)
    walk_to_report(study, participant_id, Phase.FOLLOW_UP)
    clock.advance(2 * 86_400)
    take(study, participant_id)

    assert deviations(study, participant_id) == [
        DeviationRecorded("follow-up 1 on day 2.0, outside day 7 and later", "visit outside its window")
    ]


def test_a_follow_up_nobody_answered_was_missed(
    study: Study, participant_id: str, clock: SimulatedClock
) -> None:
    walk_to_report(study, participant_id, Phase.FOLLOW_UP)
    clock.advance(40 * 86_400)
    step = due(study, participant_id)
    assert isinstance(step, GiveReport)
    miss_report(study, ACTOR, participant_id, step, "not reached")

    assert statuses(study, participant_id, clock())[2:] == [MISSED, OPEN]


def test_staff_say_that_a_session_will_not_take_place_and_the_way_goes_on_behind_it(
    study: Study, participant_id: str, clock: SimulatedClock
) -> None:
    walk_to(study, participant_id, CheckSound, "ses-02")
    miss_visit(study, ACTOR, participant_id, "ses-02", "moved away")

    assert statuses(study, participant_id, clock())[:2] == [DONE, MISSED]
    assert getattr(due(study, participant_id), "session_id", None) is None
    # Counted from the last session that took place.
    follow_up = visits(study, participant_id, clock())[2]
    assert follow_up.opens_at == first_day(study, participant_id) + 7 * DAY


def test_a_session_that_cannot_be_missed_is_refused(study: Study, participant_id: str) -> None:
    with pytest.raises(ConductError, match="is the session that all others are counted from"):
        miss_visit(study, ACTOR, participant_id, "ses-01", "no time")
    with pytest.raises(UnknownName, match="'ses-07' is not a session of this protocol"):
        miss_visit(study, ACTOR, participant_id, "ses-07", "no time")

    walk_to(study, participant_id, CheckSound, "ses-02")
    take(study, participant_id)
    with pytest.raises(ConductError, match="has begun"):
        miss_visit(study, ACTOR, participant_id, "ses-02", "no time")

    other = enrol(study, ACTOR, {})
    miss_visit(study, ACTOR, other, "ses-02", "no time")
    with pytest.raises(ConductError, match="missed already"):
        miss_visit(study, ACTOR, other, "ses-02", "no time")

    discontinue(study, ACTOR, other, EndReason.WITHDREW)
    with pytest.raises(ConductError, match="part is over"):
        miss_visit(study, ACTOR, other, "ses-02", "no time")


def test_nobody_who_has_left_is_awaited(study: Study, participant_id: str, clock: SimulatedClock) -> None:
    walk_to(study, participant_id, CheckSound, "ses-02")
    discontinue(study, ACTOR, participant_id, EndReason.LOST_TO_FOLLOW_UP)

    assert statuses(study, participant_id, clock()) == [DONE, MISSED, MISSED, MISSED]


ORDER = [NOT_YET, EARLY, OPEN, LATE]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    choices=st.lists(st.integers(0, 9), max_size=45),
    pauses_d=st.lists(st.floats(0, 12), min_size=45, max_size=45),
    looks_d=st.lists(st.floats(0, 90), min_size=2, max_size=8).map(sorted),
    misses=st.booleans(),
)
def test_each_visit_has_one_status_at_every_moment_and_without_events_it_only_moves_forward(
    choices: list[int], pauses_d: list[float], looks_d: list[float], misses: bool
) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        clock = SimulatedClock(datetime(2026, 3, 1, tzinfo=UTC))
        with study_with_every_step(Path(folder) / "study", clock) as study:
            participant_id = enrol(study, ACTOR, {})
            if misses:
                miss_visit(study, ACTOR, participant_id, "ses-02", "no time")
            for choice, pause_d in zip(choices, pauses_d, strict=False):
                if isinstance(due(study, participant_id), Finished):
                    break
                clock.advance(pause_d * 86_400)
                take(study, participant_id, choice)
            history, now = history_of(study, participant_id), clock()

            seen = [visits_of(study.protocol, history, now + days * DAY) for days in looks_d]

    for moment in seen:
        assert [visit.name for visit in moment] == ["session 1", "session 2", "follow-up 1", "follow-up 2"]
        # One visit at most is under way or waits only for the person.
        assert sum(visit.status in (UNDER_WAY, OPEN, EARLY) for visit in moment) <= 1
    for earlier, later in pairwise(seen):
        for before, after in zip(earlier, later, strict=True):
            if before.status in ORDER:
                assert ORDER.index(after.status) >= ORDER.index(before.status)
            else:
                assert after.status is before.status
