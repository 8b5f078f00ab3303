"""The area under the curve and its errors are those of the published methods."""

from __future__ import annotations

import numpy as np
import pytest

from tests.listening.roc import (
    area_under,
    curve,
    difference_of_areas,
    right_order,
    within_clusters,
    without_each_cluster,
)

# Ratings of 58 normal and 51 abnormal CT images, 1 to 5: Hanley & McNeil (1982), Radiology 143, 29-36.
NORMAL = np.repeat([1, 2, 3, 4, 5], [33, 6, 6, 11, 2])
ABNORMAL = np.repeat([1, 2, 3, 4, 5], [3, 2, 2, 11, 33])


def alone(n: int, start: int = 0) -> list[str]:
    return [str(number) for number in range(start, start + n)]


def test_the_area_its_error_and_its_interval_are_those_that_stata_prints() -> None:
    # Stata, [R] roctab, example 1 (webuse hanley; roctab disease rating): 0.8932, 0.0307, 0.83295, 0.95339.
    area = area_under(ABNORMAL, NORMAL, alone(51), alone(58, 51))

    assert round(area.estimate, 4) == 0.8932
    assert round(area.se, 4) == 0.0307
    assert (round(area.ci_low, 5), round(area.ci_high, 5)) == (0.83295, 0.95339)
    assert (area.n_high, area.n_low) == (51, 58)


def test_where_every_track_is_a_package_of_its_own_both_intervals_are_one() -> None:
    # Obuchowski (1997), section 2: clusters of one unit give DeLong's variance.
    area = area_under(ABNORMAL, NORMAL, alone(51), alone(58, 51))

    assert (area.clustered_low, area.clustered_high) == pytest.approx((area.ci_low, area.ci_high), abs=1e-12)
    assert area.n_clusters == 109


def test_packages_that_hold_the_same_track_many_times_count_once() -> None:
    # Copies add no information: the clustered error is that of the tracks told once, DeLong's halves.
    high, low = [3.0, 5.0, 6.0, 2.5], [1.0, 4.0, 2.0, 3.5]
    once = area_under(high, low, alone(4), alone(4, 4))
    fourfold = area_under(high * 4, low * 4, alone(4) * 4, alone(4, 4) * 4)

    assert fourfold.clustered_low == pytest.approx(once.clustered_low)
    assert fourfold.se == pytest.approx(once.se * np.sqrt(3 / 15))


def test_a_label_from_one_package_has_no_interval_by_package() -> None:
    area = area_under([1.0, 2.0], [0.0, 1.5], ["a", "a"], ["b", "c"])

    assert (area.clustered_low, area.clustered_high) == (None, None)


def test_the_difference_to_a_predictor_that_knows_nothing_has_the_areas_own_interval() -> None:
    # A constant has area ½ and no variance: what is left of the contrast's variance is Stata's.
    estimate, low, high = difference_of_areas((ABNORMAL, NORMAL), (np.zeros(51), np.zeros(58)))

    assert round(estimate + 0.5, 4) == 0.8932
    assert (round(low + 0.5, 5), round(high + 0.5, 5)) == (0.83295, 0.95339)


def test_a_predictor_that_orders_alike_differs_by_nothing() -> None:
    assert difference_of_areas((ABNORMAL, NORMAL), (10.0 * ABNORMAL, 10.0 * NORMAL)) == (0.0, 0.0, 0.0)


def test_ties_count_half() -> None:
    assert right_order([1.0, 2.0], [1.0]).tolist() == [[0.5], [1.0]]


def test_the_curve_rises_from_corner_to_corner_and_holds_the_area() -> None:
    false, true = curve(ABNORMAL, NORMAL)

    assert (false[0], true[0], false[-1], true[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert np.trapezoid(true, false) == pytest.approx(0.8932, abs=5e-5)


def test_within_packages_only_pairs_from_one_package_count() -> None:
    # Package a is loud and wrong, b soft and right: apart they are at odds, together a hides it.
    share, pairs = within_clusters([10.0, 2.0], [11.0, 1.0], ["a", "b"], ["a", "b"])

    assert (share, pairs) == (0.5, 2)
    assert within_clusters([1.0], [0.0], ["a"], ["b"]) == (None, 0)


def test_each_package_is_left_out_once() -> None:
    areas = without_each_cluster([10.0, 2.0], [11.0, 1.0], ["a", "b"], ["a", "b"])

    assert areas == {"a": 1.0, "b": 0.0}
    assert without_each_cluster([1.0], [0.0], ["a"], ["b"]) == {}
