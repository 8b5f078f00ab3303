"""Predictors side by side: rows of time, and how far apart they are."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.mer.comparison import disagreement, rows_of, whole_of
from analysis.mer.predictor import AffectSeries, PredictorCard


def series(
    name: str,
    onset_s: list[float],
    window_s: float,
    valence: list[float],
    distance: list[float] | None = None,
) -> AffectSeries:
    return AffectSeries(
        np.array(onset_s),
        window_s,
        np.array(valence),
        -np.array(valence),
        PredictorCard(name, "1", {}, {}, ()),
        domain_distance=None if distance is None else np.array(distance),
    )


FAST = series("fast", [0.0, 2.0, 4.0, 6.0], 2.0, [0.1, 0.3, 0.5, 0.7], [0.5, 1.5, 0.5, 2.0])
SLOW = series("slow", [0.0, 4.0], 4.0, [-0.2, 0.2])


def test_disagreement_is_the_largest_minus_the_smallest() -> None:
    assert disagreement([0.3, -0.2, 0.1]) == pytest.approx(0.5)
    assert disagreement([0.3, 0.3]) == 0.0


def test_one_alone_does_not_disagree() -> None:
    assert disagreement([0.3]) is None
    assert disagreement([]) is None


def test_rows_hold_each_predictors_mean_and_never_one_of_both() -> None:
    first, second = rows_of({"fast": FAST, "slow": SLOW}, 8.0, 4.0)

    assert first.by["fast"].valence_pred == pytest.approx(0.2)
    assert first.by["slow"].valence_pred == pytest.approx(-0.2)
    assert first.valence_disagreement == pytest.approx(0.4)
    assert first.arousal_disagreement == pytest.approx(0.4)
    assert second.by["fast"].arousal_pred == pytest.approx(-0.6)
    assert second.valence_disagreement == pytest.approx(0.4)


def test_a_window_longer_than_the_row_counts_where_it_covers_half_of_it() -> None:
    rows = rows_of({"slow": SLOW}, 8.0, 3.0)

    # [0, 4) covers all of 0-3 and 1 s of 3-6; [4, 8) 2 s of 3-6 and all of 6-8.
    assert [row.by["slow"].valence_pred for row in rows] == [-0.2, 0.2, 0.2]
    assert [row.by["slow"].n_windows for row in rows] == [1, 1, 1]
    assert rows[-1].duration_s == 2.0


def test_a_row_without_a_window_of_one_predictor_says_nothing_of_how_they_differ() -> None:
    gap = series("gap", [0.0], 2.0, [0.9])

    second = rows_of({"fast": FAST, "gap": gap}, 8.0, 4.0)[1]

    assert set(second.by) == {"fast"}
    assert second.valence_disagreement is None


def test_a_row_in_which_nobody_has_a_window_is_left_out() -> None:
    rows = rows_of({"gap": series("gap", [0.0, 8.0], 2.0, [0.1, 0.2])}, 12.0, 4.0)

    assert [row.onset_s for row in rows] == [0.0, 8.0]


def test_foreign_windows_are_counted_where_a_predictor_can_tell() -> None:
    whole = whole_of({"fast": FAST, "slow": SLOW}, 8.0)

    assert whole.by["fast"].foreign_share == 0.5
    assert whole.by["slow"].foreign_share is None
    assert (whole.onset_s, whole.duration_s) == (0.0, 8.0)


def test_the_spread_of_a_row_is_the_mean_of_its_windows() -> None:
    overlapping = series("over", [0.0, 1.0], 2.0, [0.0, 0.4])

    # Each window's spread is the standard deviation of the two that overlap: 0.2.
    assert whole_of({"over": overlapping}, 3.0).by["over"].valence_spread == pytest.approx(0.2)
