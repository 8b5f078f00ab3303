"""Concordance for repeated measures: King, Chinchilli & Carrasco (2007), Stat. Med. 26, 3095-3113.

With one occasion it is Lin's coefficient, .94274 on the first readings of Bland & Altman (1986). With
several, it is their U-statistic with D = I, (n − 1)(V − U) / (U + (n − 1)V), as R's cccrm `cccUst` sums it.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.agreement.pair_sets import numbered
from analysis.agreement.repeated_concordance import Occasions
from analysis.agreement.resampling import draw_weights, resampling_of

Floats = NDArray[np.float64]

#: Peak expiratory flow of 17 subjects, l/min: Wright meter first and second, mini meter first and second
#: (Bland & Altman, 1986, Lancet 327, 307-310, table 1).
_FLOW = """
    494 490 512 525  395 397 430 415  516 512 520 508  434 401 428 444  476 470 500 500  557 611 600 625
    413 415 364 460  442 431 380 390  650 638 658 642  433 429 445 432  417 420 432 420  656 633 626 605
    267 275 260 227  478 492 477 467  178 165 259 268  423 372 350 370  427 421 451 443
"""
FLOW: Floats = np.array(_FLOW.split(), dtype=float).reshape(17, 4)


def occasions_of(x: Floats, y: Floats) -> Occasions:
    """For x and y of shape [people, occasions], NaN where missing."""
    people, times = x.shape
    there = np.isfinite(x.ravel())
    person = np.repeat(np.arange(people), times)[there]
    occasion = np.tile(np.arange(times), people)[there].astype(np.intp)
    design = resampling_of([str(who) for who in person], [str(number) for number in range(len(person))])
    return Occasions(x.ravel()[there], y.ravel()[there], occasion, design)


def coefficient(x: Floats, y: Floats) -> float:
    found = occasions_of(x, y)
    return float(found.concordance(np.ones((found.design.n_people, 1)), None)[0])


def u_statistic(x: Floats, y: Floats) -> float:
    """By every pair of people, as defined."""
    n = len(x)
    u = sum(((x[i] - y[i]) ** 2).sum() for i in range(n)) / n
    v = sum(((x[i] - y[j]) ** 2).sum() for i, j in permutations(range(n), 2)) / (n * (n - 1))
    return float((n - 1) * (v - u) / (u + (n - 1) * v))


def test_with_one_occasion_it_is_lins_published_coefficient() -> None:
    assert coefficient(FLOW[:, :1], FLOW[:, 2:3]) == pytest.approx(0.94274, abs=5e-6)


def test_with_several_occasions_it_is_the_u_statistic_of_all_pairs_of_people() -> None:
    x, y = FLOW[:, :2], FLOW[:, 2:]

    assert coefficient(x, y) == pytest.approx(u_statistic(x, y), rel=1e-12)


def test_a_course_over_time_that_everyone_shares_is_no_agreement() -> None:
    rng = np.random.default_rng(3)
    course = np.linspace(-0.8, 0.8, 6)
    x, y = (course + rng.normal(0, 0.1, (40, 6)) for _ in range(2))
    pooled = 2 * np.cov(x.ravel(), y.ravel())[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)

    assert pooled > 0.9
    assert abs(coefficient(x, y)) < 0.15


def test_a_draw_is_the_coefficient_of_the_people_drawn() -> None:
    x, y = FLOW[:, :2], FLOW[:, 2:]
    found = occasions_of(x, y)
    people, _ = next(draw_weights(found.design, "a draw"))

    drawn = found.concordance(people, None)[0]

    rows = np.repeat(np.arange(17), people[:, 0].astype(int))
    assert drawn == pytest.approx(coefficient(x[rows], y[rows]), rel=1e-9)


def test_an_occasion_of_one_person_is_left_out() -> None:
    x, y = FLOW[:, :2].copy(), FLOW[:, 2:].copy()
    x[1:, 1] = y[1:, 1] = np.nan

    found = occasions_of(x, y)

    assert found.n_pairs == 17
    assert coefficient(x, y) == pytest.approx(0.94274, abs=5e-6)


def test_the_same_prediction_for_everyone_at_each_occasion_has_no_concordance() -> None:
    rng = np.random.default_rng(2)

    assert np.isnan(coefficient(rng.normal(0, 1, (10, 4)), np.tile([0.1, 0.2, 0.3, 0.4], (10, 1))))


def test_names_are_numbered_in_order_of_appearance() -> None:
    assert numbered(["b", "a", "b", "c"]).tolist() == [0, 1, 0, 2]
