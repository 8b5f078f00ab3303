"""Differences are paired: both systems have the same targets in every draw."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.generator.comparisons import compare
from analysis.generator.scores import Points

TARGETS = tuple(f"t{k:02d}" for k in range(20))


def points(distance: object, ids: tuple[str, ...] = TARGETS) -> Points:
    """Clips asked for the origin and heard at that valence."""
    valence = np.array(distance, dtype=float)
    return Points(np.zeros((len(ids), 2)), np.stack([valence, np.zeros(len(ids))], axis=1), ids)


def test_a_system_against_itself_differs_by_nothing() -> None:
    one = points(np.linspace(0.1, 0.9, 20))

    found = compare(one, one, 100, 0)["distance"]

    assert (found.estimate, found.ci_low) == (0.0, None)
    assert found.reason == "it is the same in every resample, which says nothing of other targets"
    assert not found.excludes_zero


def test_the_interval_is_that_of_a_paired_t_test() -> None:
    """Targets differ by far more than systems do; the difference of each target is what counts."""
    hard = np.linspace(0.2, 0.9, 20)
    gain = 0.05 + 0.02 * stats.norm.ppf((np.arange(20) * 7 % 20 + 0.5) / 20)

    found = compare(points(hard - gain), points(hard), 20_000, 1)["distance"]

    paired = stats.ttest_rel(hard - gain, hard).confidence_interval()
    assert found.estimate == pytest.approx(-0.05)
    assert (found.ci_low, found.ci_high) == pytest.approx((paired.low, paired.high), abs=5e-4)
    assert found.excludes_zero


def test_targets_that_one_of_the_two_lacks_are_left_out_of_both() -> None:
    system, base = points([0.1] * 6 + [0.9], TARGETS[:7]), points([0.8] + [0.3] * 6, ("other", *TARGETS[:6]))

    found = compare(system, base, 100, 0)["distance"]

    assert found.estimate == pytest.approx(-0.2)
    assert (found.n_targets, found.n_clips, found.n_clips_base) == (6, 6, 6)


def test_a_score_that_one_of_them_does_not_have_names_which() -> None:
    system, base = points([0.1] * 6, TARGETS[:6]), points([], ())

    assert compare(system, base, 100, 0)["distance"].reason == (
        "no target of which both have a clip that could be heard"
    )
    found = compare(system, points(np.linspace(0, 1, 6), TARGETS[:6]), 100, 0)["axes_r"]
    assert found.estimate is None
    assert found.reason == "the system: what is heard does not vary on one of the axes"


def test_four_targets_give_a_difference_without_an_interval() -> None:
    found = compare(points([0.1] * 4, TARGETS[:4]), points([0.4] * 4, TARGETS[:4]), 100, 0)["distance"]

    assert found.estimate == pytest.approx(-0.3)
    assert found.ci_low is None
    assert found.reason == "4 target(s): an interval needs 5 or more"
    assert not found.excludes_zero
