"""Shared clips: the permutation of clips, and sums over draws of people and clips."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from analysis.agreement.clip_permutation import PERMUTATIONS, clip_permutation
from analysis.agreement.group_sums import GroupSums
from analysis.agreement.pair_sets import pair_sets
from analysis.agreement.pair_statistics import Pairs, pair_statistics
from analysis.agreement.resampling import PARTICIPANT_AND_CLIP, draw_weights, resampling_of
from analysis.agreement.rows import agreement_rows, estimate_set
from analysis.result_row import NotEstimable
from analysis.tables.build import build_tables
from tests.benchmarks.analysis_study import large_study


def test_with_six_clips_the_p_value_is_near_that_of_all_720_orders() -> None:
    rng = np.random.default_rng(5)
    clip = np.tile(np.arange(6), 4)
    predicted = np.array([-0.5, -0.2, 0.0, 0.1, 0.4, 0.6])
    x = 0.5 * predicted[clip] + rng.normal(0, 0.4, len(clip))
    r = abs(np.corrcoef(x, predicted[clip])[0, 1])
    every = [abs(np.corrcoef(x, np.array(order)[clip])[0, 1]) for order in permutations(predicted)]
    exact = float(np.mean(np.array(every) >= r - 1e-12))

    found = clip_permutation(x, predicted[clip], clip, "seed")

    assert found.r == pytest.approx(np.corrcoef(x, predicted[clip])[0, 1])
    assert found.p_value == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / PERMUTATIONS) + 1e-3)


def test_a_relation_is_found_and_the_smallest_p_is_one_in_two_thousand() -> None:
    rng = np.random.default_rng(1)
    clip = np.tile(np.arange(30), 20)
    predicted = rng.normal(0, 0.5, 30)
    x = 0.6 * predicted[clip] + rng.normal(0, 0.2, len(clip))

    assert clip_permutation(x, predicted[clip], clip, "seed").p_value == pytest.approx(1 / 2000)


def test_too_few_clips_are_not_permuted() -> None:
    with pytest.raises(NotEstimable, match=r"4 distinct clip\(s\)"):
        clip_permutation(np.arange(8.0), np.arange(8.0), np.tile(np.arange(4), 2), "seed")


@pytest.mark.parametrize("clips", [3, 40])
def test_sums_over_draws_are_those_of_the_pairs_drawn(clips: int) -> None:
    rng = np.random.default_rng(clips)
    n, people = 60, 12
    person, clip = rng.integers(0, people, n), rng.integers(0, clips, n)
    person[:people], clip[:clips] = np.arange(people), np.arange(clips)
    values = rng.normal(0, 1, n)
    drawn = rng.multinomial(clips, np.full(clips, 1 / clips), size=5).T.astype(float)

    found = GroupSums(person, clip, (np.ones(n), values)).weighted(drawn)

    for draw in range(5):
        weights = drawn[clip, draw]
        assert np.allclose(found[0, :, draw], np.bincount(person, weights, people))
        assert np.allclose(found[1, :, draw], np.bincount(person, weights * values, people))


def test_a_draw_of_people_and_clips_is_the_statistic_of_the_pairs_repeated() -> None:
    """Each pair as often as its participant and its clip together."""
    rng = np.random.default_rng(9)
    person = np.repeat(np.arange(10), 12)
    clip = np.concatenate([rng.permutation(12) for _ in range(10)])
    x, y = rng.normal(0, 1, 120), rng.normal(0, 1, 120)
    design = resampling_of([str(p) for p in person], [str(c) for c in clip])
    people, clips = next(draw_weights(design, "seed"))
    assert clips is not None
    assert design.clip is not None

    found = pair_statistics(Pairs(x, y, design), people, clips)

    for draw in (0, 7):
        often = (people[design.person, draw] * clips[design.clip, draw]).astype(int)
        u, v = np.repeat(x, often), np.repeat(y, often)
        ccc = 2 * np.cov(u, v, ddof=0)[0, 1] / (u.var() + v.var() + (u.mean() - v.mean()) ** 2)
        assert found["ccc"][draw] == pytest.approx(ccc)
        assert found["mae"][draw] == pytest.approx(np.abs(u - v).mean())
        assert found["slope"][draw] == pytest.approx(np.polyfit(v, u, 1)[0])


def test_shared_clips_have_both_alternatives_and_no_parametric_interval() -> None:
    study = large_study(20, 10)
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    one = next(s for s in pair_sets(tables) if s.set_id == "felt_vs_generated:probe:slider")

    rows = {
        row.extra["statistic"]: row
        for row in agreement_rows(study.protocol, one, estimate_set(study.protocol, one))
        if row.extra["axis"] == "valence"
    }

    assert one.design.unit == PARTICIPANT_AND_CLIP
    assert rows["within_r_detrended"].ci_low is not None
    assert rows["clip_permutation_r"].p_value is not None
    assert rows["clip_permutation_r_detrended"].p_value is not None
    assert rows["r_repeated"].estimate == pytest.approx(rows["within_r"].estimate)
    assert rows["r_repeated"].p_value is rows["r_repeated"].ci_low is None
    assert "not independent" in (rows["r_repeated"].reason or "")
    assert all(row.extra["analytic_ci"] is None for row in rows.values())
    assert all(row.extra["window_heard_s"] == pytest.approx(30.0) for row in rows.values())


def test_few_shared_clips_are_named_in_the_method() -> None:
    study = large_study(12, 6)
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    one = next(s for s in pair_sets(tables) if s.set_id == "felt_vs_planned:post:slider")

    row = next(agreement_rows(study.protocol, one, estimate_set(study.protocol, one)))

    assert "somewhat too narrow" in row.method


@pytest.mark.parametrize("units", [30, 2500])
def test_every_draw_draws_as_many_clips_as_there_are_each_alike_often(units: int) -> None:
    design = resampling_of([str(n % 8) for n in range(units)] + ["9"], [str(n) for n in range(units)] + ["0"])

    _, clips = next(draw_weights(design, "seed"))

    assert clips is not None
    assert clips.shape == (units, 250)
    assert (clips.sum(axis=0) == units).all()
    assert clips.mean(axis=1).max() < 1 + 5 / np.sqrt(250)
    assert clips.var() == pytest.approx(1 - 1 / units, abs=0.05)
