"""Repeated-measures correlation against published numbers.

Bland & Altman (1995), BMJ 310, 446, table: pH and PaCO2 of 8 patients, 47 pairs. R's rmcorr 0.7.0 on it:
r = −.5067697, df 38, p = .0008471081, 95 % −.7067146 to −.2318631.

Gilden et al. (2010), reaction time and accuracy of 11 subjects in 4 blocks, as in rmcorr (Bakdash &
Marusich, 2017): r = −.406097, df 32, p = .01716871, 95 % −.6543958 to −.07874527.
"""

from __future__ import annotations

import numpy as np
import pytest

from analysis.agreement.pair_sets import numbered
from analysis.agreement.pair_statistics import Pairs, pair_statistics
from analysis.agreement.repeated_correlation import repeated_correlation
from analysis.agreement.resampling import resampling_of
from analysis.agreement.trajectories import Trajectories
from analysis.result_row import NotEstimable

BLAND = """
1 6.68 3.97 1 6.53 4.12 1 6.43 4.09 1 6.33 3.97 2 6.85 5.27 2 7.06 5.37 2 7.13 5.41 2 7.17 5.44
3 7.4 5.67 3 7.42 3.64 3 7.41 4.32 3 7.37 4.73 3 7.34 4.96 3 7.35 5.04 3 7.28 5.22 3 7.3 4.82
3 7.34 5.07 4 7.36 5.67 4 7.33 5.1 4 7.29 5.53 4 7.3 4.75 4 7.35 5.51 5 7.35 4.28 5 7.3 4.44
5 7.3 4.32 5 7.37 3.23 5 7.27 4.46 5 7.28 4.72 5 7.32 4.75 5 7.32 4.99 6 7.38 4.78 6 7.3 4.73
6 7.29 5.12 6 7.33 4.93 6 7.31 5.03 6 7.33 4.93 7 6.86 6.85 7 6.94 6.44 7 6.92 6.52 8 7.19 5.28
8 7.29 4.56 8 7.21 4.34 8 7.25 4.32 8 7.2 4.41 8 7.19 3.69 8 6.77 6.09 8 6.82 5.58
"""
GILDEN_RT = """
0.610480556 0.576220139 0.523072222 0.478752431 0.797177431 0.816102431 0.710127778 0.693192014
0.739921181 0.630585069 0.62042691 0.567743056 0.584414236 0.601633333 0.5306875 0.520978472
0.856615278 0.88710625 0.800928472 0.756701736 0.754171528 0.690578125 0.648374653 0.620040972
0.816207639 0.735113542 0.712711111 0.673964236 0.872971875 0.752330903 0.656617708 0.609297222
0.791131597 0.798525694 0.774897917 0.717903472 0.955966319 0.802869097 0.845215972 0.786789583
0.854825694 0.880038194 0.834489583 0.853715625
"""
GILDEN_ACCURACY = """
0.819444444 0.892361111 0.878472222 0.871527778 0.927083333 0.9375 0.975694444 0.951388889
0.960069444 0.947916667 0.954861111 0.958333333 0.954861111 0.96875 0.930555556 0.927083333
0.954861111 0.965277778 0.951388889 0.958333333 0.895833333 0.930555556 0.930555556 0.940972222
0.958333333 0.965277778 0.96875 0.989583333 0.940972222 0.920138889 0.954861111 0.954861111
0.881944444 0.923611111 0.90625 0.916666667 0.940972222 0.961805556 0.96875 0.979166667
0.96875 0.975694444 0.979166667 0.982638889
"""


def test_it_is_that_of_bland_and_altman() -> None:
    table = np.array(BLAND.split(), dtype=float).reshape(-1, 3)

    found = repeated_correlation(table[:, 1], table[:, 2], table[:, 0].astype(np.intp) - 1)

    assert found.r == pytest.approx(-0.5067697, abs=5e-8)
    assert found.df == 38
    assert found.p_value == pytest.approx(0.0008471081, rel=1e-6)
    assert (found.ci_low, found.ci_high) == pytest.approx((-0.7067146, -0.2318631), abs=5e-8)


def test_it_is_that_of_rmcorr_on_reaction_times() -> None:
    found = repeated_correlation(
        np.array(GILDEN_RT.split(), dtype=float),
        np.array(GILDEN_ACCURACY.split(), dtype=float),
        np.repeat(np.arange(11), 4),
    )

    assert found.r == pytest.approx(-0.406097, abs=5e-7)
    assert found.df == 32
    assert found.p_value == pytest.approx(0.01716871, rel=1e-6)
    assert (found.ci_low, found.ci_high) == pytest.approx((-0.6543958, -0.07874527), abs=5e-8)


def test_the_bootstraps_correlation_within_sessions_is_the_same() -> None:
    table = np.array(BLAND.split(), dtype=float).reshape(-1, 3)
    person = [str(who) for who in table[:, 0]]
    design = resampling_of(person, [str(n) for n in range(len(table))])
    sessions = Trajectories(table[:, 1], table[:, 2], np.arange(47.0), numbered(person), design)
    pairs = Pairs(table[:, 1], table[:, 2], design, None, sessions)

    found = pair_statistics(pairs, np.ones((8, 1)), None)

    assert found["within_r"][0] == pytest.approx(-0.5067697, abs=5e-8)


def test_detrended_it_is_the_partial_correlation_given_each_sessions_line() -> None:
    """By least squares with an intercept and a slope for each session, and the correlation of residuals."""
    rng = np.random.default_rng(3)
    sessions, times = 6, np.array([30.0, 60.0, 95.0, 150.0, 200.0])
    group = np.repeat(np.arange(sessions), len(times))
    time_s = np.tile(times, sessions)
    shared = rng.normal(0, 1, len(group))
    x, y = (shared + time_s / 50 * rng.normal(1, 0.2) + rng.normal(0, 0.6, len(group)) for _ in range(2))
    member = (group[:, None] == np.arange(sessions)).astype(float)
    lines = np.hstack([member, member * time_s[:, None]])
    rest = [v - lines @ np.linalg.lstsq(lines, v, rcond=None)[0] for v in (x, y)]
    design = resampling_of([str(g) for g in group], [str(n) for n in range(len(group))])
    trajectories = Trajectories(x, y, time_s, group.astype(np.intp), design)

    found = trajectories.r(np.ones((sessions, 1)), None)[1][0]
    left = trajectories.without_trend()

    assert found == pytest.approx(np.corrcoef(*rest)[0, 1])
    assert np.allclose(left[0], rest[0])
    assert np.allclose(left[1], rest[1])


def test_a_person_with_one_pair_changes_nothing() -> None:
    table = np.array(BLAND.split(), dtype=float).reshape(-1, 3)
    group = np.append(table[:, 0].astype(np.intp) - 1, 8)

    found = repeated_correlation(np.append(table[:, 1], 0.0), np.append(table[:, 2], 99.0), group)

    assert found.r == pytest.approx(-0.5067697, abs=5e-8)
    assert found.df == 38


def test_what_does_not_vary_within_people_has_no_correlation_there() -> None:
    with pytest.raises(NotEstimable, match="does not vary within people"):
        repeated_correlation(np.repeat([1.0, 2.0, 3.0], 4), np.arange(12.0), np.repeat(np.arange(3), 4))
