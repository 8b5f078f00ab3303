"""Whether a sound follows its plan, clip by clip: by hand, by scipy, and by planted courses."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal, stats

from analysis.agreement.path_following import Course, cosines, move, skill
from analysis.agreement.path_nulls import (
    Direction,
    Null,
    NullTest,
    Within,
    arrange,
    one_sided,
    orders_of,
    swap,
)
from analysis.result_row import NotEstimable

Floats = NDArray[np.float64]

START, TARGET = np.array([-0.6, 0.5]), np.array([0.6, -0.4])


def course(planned: Floats, generated: Floats) -> Course:
    return Course(np.arange(len(planned), dtype=np.float64) * 30.0 + 15.0, planned, generated)


def dwelling(n: int, start: Floats = START) -> Floats:
    """A plan that stays a quarter of its clips at each end: it bends."""
    rest = n // 4
    share = np.concatenate([np.zeros(rest), np.linspace(0, 1, n - 2 * rest), np.ones(rest)])
    return np.asarray(start + share[:, None] * (TARGET - start))


def with_memory(rng: np.random.Generator, n: int, phi: float) -> Floats:
    """First-order autoregression on both axes, shape [n, 2], started in its own law."""
    found = np.empty((n, 2))
    found[0] = rng.normal(0, 1 / np.sqrt(1 - phi**2), 2)
    for i in range(1, n):
        found[i] = phi * found[i - 1] + rng.normal(0, 1, 2)
    return found


def cohort(
    seed: int, sessions: int = 10, n: int = 12, follow: float = 0.0, phi: float = 0.0, drift: float = 0.0
) -> list[Course]:
    """Sounds that follow their plan by so much, drift by so much either way, and waver."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(sessions):
        planned = dwelling(n, START + rng.normal(0, 0.25, 2))
        line = np.linspace(-1, 1, n)[:, None] * rng.choice([-1.0, 1.0], 2)
        found.append(course(planned, follow * planned + drift * line + 0.15 * with_memory(rng, n, phi)))
    return found


def test_displacement_error_and_skill_by_hand() -> None:
    planned = np.array([[-0.4, 0.0], [0.0, 0.0], [0.4, 0.0]])
    generated = np.array([[-0.1, 0.2], [0.1, 0.2], [0.3, 0.2]])
    found = course(planned, generated)

    assert found.displacement[:, 0].tolist() == pytest.approx([0.3, 0.1, -0.1])
    assert found.errors["generated"].tolist() == pytest.approx([0.5 / 3, 0.2])
    # Staying at the plan's mean (0), at its own mean (.1), where the plan begins (−.4).
    assert found.errors["plan_mean"][0] == pytest.approx(0.8 / 3)
    assert found.errors["own_mean"][0] == pytest.approx((0.5 + 0.1 + 0.3) / 3)
    assert found.errors["start"][0] == pytest.approx(1.2 / 3)
    leaving = np.array([[-0.4, 0.0], [0.2, 0.0], [0.2, 0.0]])
    assert course(leaving, generated).errors["start"][0] == pytest.approx(1.2 / 3)
    assert skill(found.errors["generated"][0], found.errors["plan_mean"][0]) == pytest.approx(1 - 0.5 / 0.8)
    assert np.isnan(skill(0.2, found.errors["plan_mean"][1]))


def test_the_direction_cosine_by_hand() -> None:
    # Planned along valence; heard along both: 45 degrees.
    planned = np.array([[-0.5, 0.0], [0.0, 0.0], [0.5, 0.0]])
    heard = np.array([[-0.2, -0.2], [0.3, 0.9], [0.2, 0.2]])

    assert course(planned, heard).cosine == pytest.approx(np.sqrt(0.5))
    assert course(planned, heard[::-1]).cosine == pytest.approx(-np.sqrt(0.5))
    assert course(planned, planned * [0, 0]).cosine == 0.0
    assert np.isnan(course(planned * 0.05, heard).cosine)


def test_a_move_is_from_the_first_third_to_the_last_with_eight_ninths_of_a_lines_precision() -> None:
    points = np.array([[0, 0], [1, 0], [9, 9], [9, 9], [5, 2], [6, 2], [8, 8]], dtype=float)
    assert move(points).tolist() == [6.5, 5.0]

    # Variance of the slope of a line through 0 to 1, by thirds and by least squares, for unit errors.
    n = 3000
    t = (np.arange(n) + 0.5) / n
    by_thirds = (2 / (n // 3)) / move(np.stack([t, t], axis=1))[0] ** 2
    by_line = 1 / ((t - t.mean()) ** 2).sum()
    assert by_line / by_thirds == pytest.approx(8 / 9, abs=1e-3)


def test_correlations_are_scipys_raw_and_detrended() -> None:
    one = cohort(3, 1, 16, follow=0.5, phi=0.4)[0]
    plain = [signal.detrend(values, axis=0) for values in (one.planned, one.generated)]

    for axis in (0, 1):
        raw = stats.pearsonr(one.planned[:, axis], one.generated[:, axis])
        rest = stats.pearsonr(plain[0][:, axis], plain[1][:, axis])
        line = stats.linregress(one.planned[:, axis], one.generated[:, axis])
        assert one.r(detrend=False)[axis] == pytest.approx(raw.statistic)
        assert one.r(detrend=True)[axis] == pytest.approx(rest.statistic)
        assert one.slope[axis] == pytest.approx(line.slope)


def test_a_plan_that_is_a_line_leaves_nothing_when_detrended() -> None:
    straight = START + np.linspace(0, 1, 10)[:, None] * (TARGET - START)
    one = course(straight, straight + 0.1 * np.random.default_rng(1).normal(size=(10, 2)))

    assert np.isnan(one.r(detrend=True)).all()
    with pytest.raises(NotEstimable, match="a straight line in time"):
        Within([one], 0, detrend=True)


def test_a_plan_that_dwells_for_one_clip_of_thirty_is_still_a_line_and_one_that_dwells_for_five_is_not() -> (
    None
):
    rng = np.random.default_rng(1)
    for rest, is_line in ((1, True), (5, False)):
        share = np.concatenate([np.zeros(rest), np.linspace(0, 1, 30 - 2 * rest), np.ones(rest)])
        plan = START + share[:, None] * (TARGET - START)
        one = course(plan, plan + 0.1 * rng.normal(size=(30, 2)))
        assert np.isnan(one.r(detrend=True)).tolist() == [is_line, is_line]


def test_a_plan_that_stands_still_has_no_correlation_and_no_direction() -> None:
    one = course(np.tile(TARGET, (8, 1)), np.random.default_rng(1).normal(size=(8, 2)))

    assert np.isnan(one.r(detrend=False)).all()
    assert np.isnan(one.cosine)
    for make in (lambda: Within([one], 0, detrend=False), lambda: Direction([one])):
        with pytest.raises(NotEstimable):
            make()


def test_every_order_of_a_few_clips_is_counted() -> None:
    # 4 clips in the planned order: 1 of 24 orders does as well; with two of them swapped, 4 of 24 do as
    # well or better (rank correlations 1, .8, .8, .8).
    planned = np.stack([np.arange(4.0), np.arange(4.0)], axis=1) / 4
    orders = np.array(list(itertools.permutations(range(4))), dtype=float)
    for heard, hits in (([0, 1, 2, 3], 1), ([1, 0, 2, 3], 4)):
        one = course(planned, np.stack([heard, heard], axis=1) / 4.0)
        found = arrange([one], Null.SHUFFLED, Within([one], 0, detrend=False), "seed")

        as_well = [stats.pearsonr(order, np.arange(4)).statistic for order in orders]
        expected = sum(r >= stats.pearsonr(heard, np.arange(4)).statistic - 1e-9 for r in as_well)
        assert expected == hits
        assert found.is_exact
        assert len(found.arranged) == 24
        assert found.p_value == pytest.approx(hits / 24)
        assert found.session_p == (found.p_value,)


def test_a_drawn_p_counts_what_is_heard_itself_and_a_test_that_cannot_tell_gives_none() -> None:
    # Phipson & Smyth (2010): (1 + hits) / (1 + draws), never 0.
    assert one_sided(2.0, np.zeros(99), is_exact=False) == 1 / 100
    assert one_sided(0.0, np.array([-1.0] * 90 + [1.0] * 9), is_exact=False) == 10 / 100
    assert one_sided(0.0, np.array([0.0] + [-1.0] * 19), is_exact=True) == 1 / 20
    assert one_sided(0.0, np.array([0.0] + [-1.0] * 18), is_exact=True) is None


def test_reversal_flips_the_cosine_of_each_session() -> None:
    ones = cohort(5, 5, follow=1.0)
    found = arrange(ones, Null.REVERSED, Direction(ones), "seed")
    signs = np.array(list(itertools.product([1, -1], repeat=5)))
    by_hand = signs @ np.array([one.cosine for one in ones]) / 5

    assert found.is_exact
    assert np.sort(found.arranged) == pytest.approx(np.sort(by_hand))
    assert found.p_value == 1 / 32


def test_swapped_plans_are_every_assignment_of_a_few() -> None:
    ones = cohort(7, 4, follow=1.0)
    found = swap(ones, 0, "seed")

    def error(sound: int, plan: int) -> float:
        return float(np.abs(ones[sound].generated[:, 0] - ones[plan].planned[:, 0]).mean())

    advantages = [
        np.mean([np.mean([error(i, j) for j in range(4) if j != to[i]]) - error(i, to[i]) for i in range(4)])
        for to in itertools.permutations(range(4))
    ]
    assert found.observed == pytest.approx(advantages[0])
    assert np.sort(found.arranged) == pytest.approx(np.sort(advantages))
    assert found.p_value == pytest.approx(np.mean(np.array(advantages) >= advantages[0] - 1e-12))


def test_plans_that_are_all_alike_cannot_be_swapped() -> None:
    same = dwelling(8)
    ones = [course(same, same + noise) for noise in np.random.default_rng(2).normal(0, 0.1, (4, 8, 2))]

    with pytest.raises(NotEstimable, match="every session has the same plan"):
        swap(ones, 0, "seed")
    with pytest.raises(NotEstimable, match="no two sounds"):
        swap(ones[:1], 0, "seed")


def all_nulls(ones: list[Course], seed: str) -> dict[str, NullTest]:
    return {
        "shuffled": arrange(ones, Null.SHUFFLED, Within(ones, 0, detrend=False), seed),
        "reversed": arrange(ones, Null.REVERSED, Within(ones, 0, detrend=False), seed),
        "reversed, detrended": arrange(ones, Null.REVERSED, Within(ones, 0, detrend=True), seed),
        "reversed, direction": arrange(ones, Null.REVERSED, Direction(ones), seed),
        "swapped": swap(ones, 0, seed),
    }


def test_a_sound_that_follows_its_plan_beats_every_null() -> None:
    for name, found in all_nulls(cohort(11, 12, follow=0.9), "seed").items():
        p = found.p_value
        assert p is not None, name
        assert p < 0.01, name


def test_a_drift_of_its_own_beats_shuffled_clips_but_neither_reversal_nor_swapped_plans() -> None:
    """Each session drifts up or down whatever its plan: what "it follows the path" must not be."""
    found = [all_nulls(cohort(seed, 10, drift=0.8), f"{seed}") for seed in range(100)]
    rejected = {name: np.mean([(one[name].p_value or 1) <= 0.05 for one in found]) for name in found[0]}

    assert rejected["shuffled"] > 0.2
    for name in ("reversed", "reversed, direction", "swapped"):
        assert rejected[name] <= 0.12, name


def test_a_drift_that_all_sessions_share_beats_reversal_but_not_swapped_plans() -> None:
    rng = np.random.default_rng(13)
    plans = [dwelling(12, START + rng.normal(0, 0.25, 2)) for _ in range(12)]
    common = np.linspace(-0.5, 0.5, 12)[:, None] * [1.0, -1.0]
    ones = [course(plan, common + rng.normal(0, 0.1, (12, 2))) for plan in plans]
    found = all_nulls(ones, "seed")

    assert (found["reversed"].p_value or 1) < 0.01
    assert (found["swapped"].p_value or 1) > 0.05


@pytest.mark.parametrize("phi", [0.0, 0.6])
def test_sounds_that_ignore_their_plans_are_seldom_said_to_follow(phi: float) -> None:
    """120 cohorts at .05: at most 12 by chance (P = .01); shuffling keeps that only without a memory."""
    found = [all_nulls(cohort(1000 + seed, 8, 12, phi=phi), f"{seed}") for seed in range(120)]
    hits = {name: sum((one[name].p_value or 1) <= 0.05 for one in found) for name in found[0]}

    assert stats.binom.sf(12, 120, 0.05) < 0.01
    kept = [name for name in hits if phi == 0 or name != "shuffled"]
    assert {name: hits[name] for name in kept if hits[name] > 12} == {}
    if phi:
        assert hits["shuffled"] > 12


def test_orders_are_all_or_none() -> None:
    whole = orders_of(Null.SHUFFLED, 5)
    assert whole is not None
    assert len({tuple(order) for order in whole}) == 120
    assert orders_of(Null.SHUFFLED, 30) is None
    backwards = orders_of(Null.REVERSED, 30)
    assert backwards is not None
    assert backwards[1].tolist() == list(range(29, -1, -1))


def test_cosines_of_many_moves_at_once() -> None:
    moves = np.array([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0], [0.0, 0.0]])
    assert cosines(moves, np.array([0.5, 0.0])).tolist() == [1.0, 0.0, -1.0, 0.0]
