"""Scores against published numbers and hand calculations.

Pearson and the line: Anscombe (1973), Am. Stat. 27, 17-21, first data set: r .816, y = 3.00 + 0.500 x.
CCC: Lin's .94274 for the peak flows of Bland & Altman (1986), Lancet 327, 307-310, table 1 (Wright and mini
meter, first readings); their mean absolute difference is by hand.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from analysis.generator.measures import MEASURES
from analysis.generator.resampled import draw_targets, expanded_levels, interval
from analysis.generator.scores import Points, drawn_scores, score_points

Floats = NDArray[np.float64]

ANSCOMBE_X = (10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5)
ANSCOMBE_Y = (8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68)
WRIGHT = (494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
MINI = (512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)


def points(target: object, achieved: object, ids: tuple[str, ...] | None = None) -> Points:
    asked, found = np.array(target, dtype=float), np.array(achieved, dtype=float)
    return Points(asked, found, ids or tuple(f"t{n}" for n in range(len(asked))))


def once(one: Points) -> dict[str, float]:
    draws = draw_targets(one.target_ids, 1, 0)
    return {
        name: float(found[0]) for name, found in drawn_scores(one, draws.target_ids, draws.itself).items()
    }


def test_correlation_and_line_are_anscombes() -> None:
    x, y = np.array(ANSCOMBE_X, dtype=float), np.array(ANSCOMBE_Y)

    found = once(points(np.stack([x, x], axis=1), np.stack([y, -y], axis=1)))

    assert found["valence_r"] == pytest.approx(0.816, abs=5e-4)
    assert found["valence_slope"] == pytest.approx(0.500, abs=5e-4)
    assert found["valence_intercept"] == pytest.approx(3.00, abs=5e-3)
    assert found["arousal_r"] == pytest.approx(-0.816, abs=5e-4)
    assert found["axes_r"] == pytest.approx(-1.0)


def test_concordance_is_lins_for_peak_flows() -> None:
    flows = np.stack([WRIGHT, MINI], axis=1).astype(float)

    found = once(points(flows, flows[:, ::-1]))

    assert found["valence_ccc"] == pytest.approx(0.94274, abs=5e-6)
    # |Wright − mini| sums to 18+35+4+6+24+43+49+62+8+12+15+30+7+1+81+73+24 = 492.
    assert found["valence_mae"] == pytest.approx(492 / 17)


def test_distance_quadrant_and_corner_by_hand() -> None:
    target = [(0.5, 0.5), (-0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5), (0.5, 0.0), (0.5, -0.5), (0.5, 0.5)]
    achieved = [(0.2, 0.1), (-0.1, 0.2), (0.1, 0.5), (-0.5, -0.5), (0.5, 0.3), (0.2, 0.0), (0.5, 0.0)]

    found = once(points(target, achieved))

    # Distances: .5 (3-4-5), .5 (4-3-5), .6, 0, .3, √(.3² + .5²), .5.
    assert found["distance"] == pytest.approx((0.5 + 0.5 + 0.6 + 0 + 0.3 + 0.34**0.5 + 0.5) / 7)
    # Six targets lie in a quadrant; the third lands elsewhere, the last two on an axis: 3 of 6.
    assert found["quadrant"] == pytest.approx(3 / 6)
    assert found["corner_distance"] == pytest.approx(0.55)
    assert found["corner_share"] == pytest.approx(1 / 2)


def test_clips_count_not_targets_and_the_counts_say_which() -> None:
    one = points([(0.5, 0.5)] * 3 + [(0.5, 0.0)], [(0.5, 0.1)] * 3 + [(0.1, 0.0)], ("a", "a", "a", "b"))

    found = score_points(one, draw_targets(one.target_ids, 50, 0))

    assert found["distance"].estimate == pytest.approx(0.4)
    assert (found["distance"].n_targets, found["distance"].n_clips) == (2, 4)
    assert (found["quadrant"].n_targets, found["quadrant"].n_clips) == (1, 3)
    assert found["distance"].ci_low is None
    assert found["distance"].reason == "2 target(s): an interval needs 5 or more"


def test_a_draw_counts_all_clips_of_a_target() -> None:
    """The statistic of a draw is that of its targets written out, each with all its clips."""
    rng = np.random.default_rng(5)
    ids = tuple(np.repeat(["a", "b", "c", "d"], [3, 1, 2, 2]))
    one = points(rng.uniform(-1, 1, (8, 2)), rng.uniform(-1, 1, (8, 2)), ids)
    weights = np.array([[2.0], [0.0], [7.0], [1.0], [1.0]])

    drawn = drawn_scores(one, ("a", "b", "no clip", "c", "d"), weights)

    rows = [*range(3), *range(3), 4, 5, 6, 7]
    written = once(points(one.target[rows], one.achieved[rows], tuple("n" for _ in rows)))
    assert {name: float(value[0]) for name, value in drawn.items()} == pytest.approx(written, nan_ok=True)


def test_levels_are_hesterbergs() -> None:
    """t(.025, 9) = −2.262157; × √(10/9) = −2.38453; Φ(−2.38453) = .00855 (tables)."""
    low, high = expanded_levels(10)

    assert low == pytest.approx(0.00855, abs=5e-6)
    assert low + high == 1.0
    assert expanded_levels(100_000)[0] == pytest.approx(0.025, abs=1e-5)


def test_the_interval_of_a_mean_is_students() -> None:
    """One clip a target: of near-normal values the limits are those of the t interval."""
    values = stats.norm.ppf((np.arange(20) + 0.5) / 20)
    one = points([(0.0, 0.0)] * 20, np.stack([1 + 0.1 * values, np.zeros(20)], axis=1))
    draws = draw_targets(one.target_ids, 20_000, 7)

    low, high, _ = interval(drawn_scores(one, draws.target_ids, draws.weights)["distance"], 20)

    reach = stats.t.ppf(0.975, 19) * (0.1 * values).std(ddof=1) / np.sqrt(20)
    assert (low, high) == pytest.approx((1 - reach, 1 + reach), abs=0.0015)


def test_intervals_cover_as_often_as_they_say_when_clips_of_a_target_are_alike() -> None:
    """16 targets × 3 seeds; what a target adds is four times what a seed adds. Clips drawn alone miss."""
    rng = np.random.default_rng(11)
    truth, n = 0.6, 120
    hits = {"seeds together": 0, "clips alone": 0}
    for _ in range(n):
        error = truth + 0.2 * np.repeat(rng.standard_normal(16), 3) + 0.05 * rng.standard_normal(48)
        achieved = np.stack([error, np.zeros(48)], axis=1)
        for how in hits:
            ids = tuple(f"t{k // 3 if how == 'seeds together' else k}" for k in range(48))
            draws = draw_targets(ids, 300, 0)
            drawn = drawn_scores(Points(np.zeros((48, 2)), achieved, ids), draws.target_ids, draws.weights)
            low, high, _ = interval(drawn["valence_mae"], len(draws))
            assert low is not None
            assert high is not None
            hits[how] += low <= truth <= high

    # Measured: 92 % and 73 %; the standard error of a share of 200 is 1.5 %.
    assert 0.90 <= hits["seeds together"] / n <= 0.985
    assert hits["clips alone"] / n < 0.85


def test_five_targets_without_a_hit_have_no_interval_from_zero_to_zero() -> None:
    one = points([(-0.5, 0.5)] * 5, [(0.5, 0.1 * k) for k in range(5)])

    found = score_points(one, draw_targets(one.target_ids, 50, 0))

    assert (found["corner_share"].estimate, found["corner_share"].ci_low) == (0.0, None)
    assert found["corner_share"].reason == (
        "it is the same in every resample, which says nothing of other targets"
    )
    assert found["distance"].ci_low is not None


def test_draws_depend_on_the_set_of_targets_and_the_seed_alone() -> None:
    first, again = draw_targets(["b", "a", "a"], 30, 4), draw_targets(["a", "b"], 30, 4)

    assert first.target_ids == again.target_ids == ("a", "b")
    assert np.array_equal(first.weights, again.weights)
    assert not np.array_equal(first.weights, draw_targets(["a", "b"], 30, 5).weights)
    assert (first.weights.sum(axis=0) == 2).all()


UNDEFINED = {
    "one target": (
        [(0.5, 0.5)] * 3,
        [(0.1, 0.2), (0.3, 0.1), (0.2, 0.3)],
        {
            "valence_r": "one target valence only: nothing to follow",
            "corner_share": "no target with valence < 0 and arousal > 0",
        },
    ),
    "constant predictions": (
        [(0.5, 0.5), (-0.5, -0.5)],
        [(0.1, 0.2), (0.1, 0.3)],
        {
            "valence_r": "the valence heard is the same in every clip",
            "axes_r": "what is heard does not vary on one of the axes",
        },
    ),
    "one clip": ([(0.5, 0.0)], [(0.1, 0.2)], {"quadrant": "every target lies on an axis"}),
    "no clip": (
        np.zeros((0, 2)),
        np.zeros((0, 2)),
        {measure.measure_id: "no clip could be heard" for measure in MEASURES},
    ),
}


@pytest.mark.parametrize(("target", "achieved", "reasons"), UNDEFINED.values(), ids=UNDEFINED.keys())
def test_what_is_not_defined_is_none_with_a_reason(
    target: object, achieved: object, reasons: dict[str, str]
) -> None:
    one = points(target, achieved)

    found = score_points(one, draw_targets(one.target_ids, 20, 0))

    assert {name: found[name].reason for name in reasons} == reasons
    assert all(found[name].estimate is None for name in reasons)
    assert all(score.reason for score in found.values() if score.estimate is None or score.ci_low is None)
