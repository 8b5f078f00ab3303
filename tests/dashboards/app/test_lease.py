"""One tab of a person answers at a time."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from dashboards.server.lease import LASTS_S, Leases


@dataclass
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.requirement("21 CFR 11.10(h)")
def test_the_first_tab_to_speak_has_the_lease_and_the_second_has_not() -> None:
    leases = Leases(Clock())

    assert leases.take("sub-1", "first")
    assert not leases.take("sub-1", "second")
    assert leases.is_held_by("sub-1", "first")
    assert leases.is_elsewhere("sub-1", "second")


def test_a_lease_is_one_persons_own() -> None:
    leases = Leases(Clock())

    leases.take("sub-1", "first")

    assert leases.take("sub-2", "second")


def test_a_tab_that_goes_on_speaking_keeps_its_lease() -> None:
    clock = Clock()
    leases = Leases(clock)
    leases.take("sub-1", "first")

    for _ in range(10):
        clock.now_s += LASTS_S - 1
        assert leases.take("sub-1", "first")

    assert not leases.take("sub-1", "second")


def test_a_silent_tabs_lease_is_free_after_thirty_seconds() -> None:
    clock = Clock()
    leases = Leases(clock)
    leases.take("sub-1", "first")

    clock.now_s += 29.9
    assert not leases.take("sub-1", "second")
    clock.now_s += 0.1
    assert leases.take("sub-1", "second")


def test_who_takes_over_has_the_lease_and_the_other_tab_loses_it() -> None:
    leases = Leases(Clock())
    leases.take("sub-1", "first")

    assert leases.take_over("sub-1", "second")
    assert not leases.take("sub-1", "first")
    assert leases.is_elsewhere("sub-1", "first")


def test_taking_over_what_nobody_holds_moves_nothing() -> None:
    assert not Leases(Clock()).take_over("sub-1", "first")


def test_a_closed_tab_lets_go_at_once_and_a_stranger_cannot_for_it() -> None:
    leases = Leases(Clock())
    leases.take("sub-1", "first")

    leases.release("sub-1", "second")
    assert not leases.take("sub-1", "second")
    leases.release("sub-1", "first")
    assert leases.take("sub-1", "second")
