"""How often somebody may ask."""

from __future__ import annotations

import pytest

from dashboards.server.rate_limit import Buckets, Rate
from tests.dashboards.app.test_lease import Clock


def test_a_burst_passes_and_what_follows_waits_for_its_token() -> None:
    clock = Clock()
    buckets = Buckets(Rate(burst=3, per_s=2), clock)

    assert [buckets.take("a") for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a") == pytest.approx(0.5)
    clock.now_s += 0.5
    assert buckets.take("a") == 0


def test_one_key_does_not_use_up_anothers() -> None:
    buckets = Buckets(Rate(burst=1, per_s=1), Clock())

    buckets.take("a")

    assert buckets.take("b") == 0


def test_asking_in_vain_costs_nothing() -> None:
    clock = Clock()
    buckets = Buckets(Rate(burst=1, per_s=1), clock)
    buckets.take("a")

    for _ in range(50):
        buckets.take("a")
    clock.now_s += 1.0

    assert buckets.take("a") == 0


def test_many_keys_do_not_fill_the_memory() -> None:
    buckets = Buckets(Rate(burst=1, per_s=0.001), Clock(), keys=2)

    for key in ("a", "b", "c"):
        buckets.take(key)

    assert buckets.take("a") == 0
    assert buckets.take("c") > 0
