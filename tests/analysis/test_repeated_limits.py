"""Limits of agreement for several pairs per person, against published numbers.

Data: Bland & Altman (2007), J. Biopharm. Stat. 17, 571-582, table 1 (and 1999, table 4): cardiac output
by radionuclide ventriculography (RV) and impedance cardiography (IC), 60 pairs of 12 subjects. Their § 3:
residual mean square .1707, subjects' 4.2091, divisor 4.9818; SD .9906; limits −1.339 and 2.544.

Zou (2013), Stat. Methods Med. Res. 22, 630-642, takes the first four subjects: bias .7255, limits
−2.14 and 3.59, by MOVER (−9.83, −.33) and (1.77, 11.27).
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.agreement.concordance import limits_of_agreement
from analysis.agreement.pair_statistics import Pairs, pair_statistics
from analysis.agreement.repeated_limits import recovered_limits_of_agreement
from analysis.agreement.resampling import resampling_of
from analysis.result_row import NotEstimable

Floats = NDArray[np.float64]

RV_IC = """
1 7.83 6.57  1 7.42 5.62  1 7.89 6.90  1 7.12 6.57  1 7.88 6.35  2 6.16 4.06  2 7.26 4.29  2 6.71 4.26
2 6.54 4.09  3 4.75 4.71  3 5.24 5.50  3 4.86 5.08  3 4.78 5.02  3 6.05 6.01  3 5.42 5.67  4 4.21 4.14
4 3.61 4.20  4 3.72 4.61  4 3.87 4.68  4 3.92 5.04  5 3.13 3.03  5 2.98 2.86  5 2.85 2.77  5 3.17 2.46
5 3.09 2.32  5 3.12 2.43  6 5.92 5.90  6 6.42 5.81  6 5.92 5.70  6 6.27 5.76  7 7.13 5.09  7 6.62 4.63
7 6.58 4.61  7 6.93 5.09  8 4.54 4.72  8 4.81 4.61  8 5.11 4.36  8 5.29 4.20  8 5.39 4.36  8 5.57 4.20
9 4.48 3.17  9 4.92 3.12  9 3.97 2.96  10 4.22 4.35  10 4.65 4.62  10 4.74 3.16  10 4.44 3.53
10 4.50 3.53  11 6.78 7.20  11 6.07 6.09  11 6.52 7.00  11 6.42 7.10  11 6.41 7.40  11 5.76 6.80
12 5.06 4.50  12 4.72 4.20  12 4.90 3.80  12 4.80 3.80  12 4.90 4.20  12 5.10 4.50
"""
TABLE: Floats = np.array(RV_IC.split(), dtype=float).reshape(-1, 3)


def statistics_of(person: Floats, x: Floats, y: Floats) -> dict[str, float]:
    """Of the sample itself, everyone with sound of their own."""
    design = resampling_of([str(who) for who in person], [str(number) for number in range(len(x))])
    found = pair_statistics(Pairs(x, y, design), np.ones((design.n_people, 1)), None)
    return {name: float(value[0]) for name, value in found.items()}


def test_repeated_limits_are_those_of_bland_and_altman_2007() -> None:
    found = statistics_of(*TABLE.T)

    assert found["bias"] == pytest.approx(0.6022, abs=5e-5)
    assert (found["limit_low"], found["limit_high"]) == pytest.approx((-1.339, 2.544), abs=5e-4)
    assert (found["limit_high"] - found["limit_low"]) / (2 * 1.96) == pytest.approx(0.9906, abs=5e-5)


def test_recovered_limits_are_zous() -> None:
    first_four = TABLE[TABLE[:, 0] <= 4]
    found = recovered_limits_of_agreement(
        first_four[:, 1] - first_four[:, 2], first_four[:, 0].astype(np.intp) - 1
    )

    assert (found.bias, found.low, found.high) == pytest.approx((0.7255, -2.14, 3.59), abs=2e-3)
    assert found.low_ci == pytest.approx((-9.83, -0.33), abs=0.011)
    assert found.high_ci == pytest.approx((1.77, 11.27), abs=0.011)


def test_recovered_limits_cover_the_true_limits_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    people, repeats, repetitions, covered = 25, 4, 300, 0
    person = np.repeat(np.arange(people), repeats)
    truth = 0.1 + 1.96 * np.hypot(0.3, 0.2)
    for _ in range(repetitions):
        differences = 0.1 + rng.normal(0, 0.3, people)[person] + rng.normal(0, 0.2, len(person))
        low, high = recovered_limits_of_agreement(differences, person).high_ci
        covered += low <= truth <= high

    assert 0.91 <= covered / repetitions <= 0.98


def test_repeated_limits_in_a_balanced_design_are_those_of_the_person_means() -> None:
    """Bland & Altman (1999), § 5.1: total variance = variance of person means + (1 − 1/m) within variance."""
    rng = np.random.default_rng(4)
    people, repeats = 12, 5
    differences = rng.normal(0.3, 0.5, (people, 1)) + rng.normal(0, 0.2, (people, repeats))
    within = differences.var(axis=1, ddof=1).mean()
    person = np.repeat(np.arange(people), repeats)

    found = statistics_of(person.astype(float), differences.ravel(), np.zeros(people * repeats))
    recovered = recovered_limits_of_agreement(differences.ravel(), person)

    by_hand = np.sqrt(differences.mean(axis=1).var(ddof=1) + (1 - 1 / repeats) * within)
    assert (found["limit_high"] - found["limit_low"]) / (2 * 1.96) == pytest.approx(by_hand)
    assert recovered.sd == pytest.approx(by_hand)
    assert found["bias"] == pytest.approx(differences.mean())


def test_unequal_numbers_of_pairs_enter_recovered_limits_by_their_harmonic_mean() -> None:
    """Zou (2013): variance of person means + (1 − 1/m) within, m = 4 / (1/1 + 1/2 + 1/2 + 1/9)."""
    rng = np.random.default_rng(7)
    person = np.repeat(np.arange(4), [1, 2, 2, 9])
    differences = rng.normal(0, 1, len(person))
    means = [differences[person == who].mean() for who in range(4)]
    within = sum(((differences[person == who] - means[who]) ** 2).sum() for who in range(4)) / (14 - 4)

    found = recovered_limits_of_agreement(differences, person)

    assert found.sd**2 == pytest.approx(np.var(means, ddof=1) + (1 - (1 + 0.5 + 0.5 + 1 / 9) / 4) * within)
    assert found.bias == pytest.approx(np.mean(means))


def test_repeated_limits_of_one_pair_each_are_the_simple_limits() -> None:
    differences = np.array([0.2, -0.4, 0.1, 0.6, -0.2])

    found = statistics_of(np.arange(5.0), differences, np.zeros(5))

    assert found["limit_low"] == pytest.approx(limits_of_agreement(differences).low)


def test_repeated_limits_do_not_let_one_person_with_many_pairs_narrow_them() -> None:
    differences = np.array([0.5] * 2 + [-0.5] * 2 + [0.0] * 20) + np.tile([0.01, -0.01], 12)
    person = np.array([0.0] * 2 + [1.0] * 2 + [2.0] * 20)

    found = statistics_of(person, differences, np.zeros(24))

    assert found["limit_high"] > limits_of_agreement(differences).high


def test_nobody_with_two_pairs_has_no_repeated_limits() -> None:
    with pytest.raises(NotEstimable, match="2 pairs of somebody"):
        recovered_limits_of_agreement(np.array([0.1, 0.2, 0.3]), np.arange(3))
