"""Lists as a study draws them, against the theory of each method: balance, guessing, and randomness."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from study.allocation import DrawnNow, Seeded
from study.allocation.draws import uniform
from study.protocol import AllocationMethod, AllocationSpec
from tests.benchmarks.allocation_properties import PUBLISHED, SPECS, TWO, draw_lists
from tests.study.test_allocation_methods import efron_walk

LEAST_P = 1e-3
"""Seeds are fixed, so that a test of chance is decided once."""


def chi_square_p(observed: Counter[int], expected: dict[int, float], lists: int) -> float:
    """P of a chi-square test, cells of fewer than five expected put together."""
    rare = [cell for cell, share in expected.items() if share * lists < 5]
    cells = [cell for cell in expected if cell not in rare]
    counts = [observed[cell] for cell in cells] + [sum(observed[cell] for cell in rare)]
    shares = [expected[cell] * lists for cell in cells] + [sum(expected[cell] for cell in rare) * lists]
    assert sum(counts) == lists
    keep = slice(None, None if shares[-1] > 0 else -1)
    return float(stats.chisquare(counts[keep], shares[keep]).pvalue)


def test_the_imbalance_of_simple_randomisation_is_binomial() -> None:
    spec = AllocationSpec(TWO, (), (), AllocationMethod.SIMPLE)
    lead = draw_lists(spec, 500, 20, "binomial").lead[:, -1].astype(int)

    expected = {2 * k - 20: float(stats.binom.pmf(k, 20, 0.5)) for k in range(21)}

    assert chi_square_p(Counter(lead.tolist()), expected, 500) > LEAST_P


def test_the_imbalance_of_the_biased_coin_is_efrons() -> None:
    spec = AllocationSpec(TWO, (), (), AllocationMethod.BIASED_COIN)
    size = np.abs(draw_lists(spec, 500, 20, "efron").lead[:, -1]).astype(int)

    walk, _ = efron_walk(spec, 20)

    expected = {d: float(share) for d, share in enumerate(walk) if share}
    assert chi_square_p(Counter(size.tolist()), expected, 500) > LEAST_P


def test_blocks_never_differ_by_more_than_half_the_largest_and_end_even() -> None:
    spec = AllocationSpec(TWO, (), (4, 8))
    lead = draw_lists(spec, 100, 40, "blocks").lead
    one_size = draw_lists(AllocationSpec(TWO, (), (4,)), 50, 40, "blocks").lead

    assert np.abs(lead).max() == 4
    assert (one_size[:, 3::4] == 0).all()


@pytest.mark.parametrize("name", PUBLISHED)
def test_guesses_are_right_as_often_as_published(name: str) -> None:
    spec = AllocationSpec(TWO, (), SPECS[name].block_sizes, SPECS[name].method)
    shares = draw_lists(spec, 120, 40, name).behind.mean(axis=1)

    # Efron's value is that of the long run; the first of 40 people are guessed a little less well.
    error = shares.std(ddof=1) / np.sqrt(len(shares))
    assert abs(shares.mean() - PUBLISHED[name]) < 3 * error + 0.01


def test_minimisation_keeps_every_level_balanced_and_is_guessed_less_often_than_it_prefers() -> None:
    drawn = draw_lists(SPECS["minimisation, 0.8"], 40, 60, "minimised")
    simple = draw_lists(SPECS["simple"], 40, 60, "minimised")

    assert np.abs(drawn.lead_at_level[:, -1]).mean() < np.abs(simple.lead_at_level[:, -1]).mean() / 2
    assert drawn.best.mean() == pytest.approx(0.73, abs=0.03)


@pytest.mark.parametrize("source", ["seeded", "drawn"])
def test_the_numbers_that_decide_are_uniform_and_know_nothing_of_each_other(source: str) -> None:
    seeded = Seeded(hashlib.sha256(b"uniform").digest())
    fresh = DrawnNow()
    drawn = [
        float(uniform(seeded.key("simple", {}, i) if source == "seeded" else fresh.key()))
        for i in range(4000)
    ]
    least = LEAST_P if source == "seeded" else 1e-6

    signs = np.array(drawn) >= 0.5
    runs = 1 + int((signs[1:] != signs[:-1]).sum())
    ahead, behind = int(signs.sum()), int((~signs).sum())
    mean = 1 + 2 * ahead * behind / (ahead + behind)
    variance = (mean - 1) * (mean - 2) / (ahead + behind - 1)

    assert stats.kstest(drawn, "uniform").pvalue > least
    assert stats.pearsonr(drawn[:-1], drawn[1:]).pvalue > least
    # Wald & Wolfowitz' runs test.
    assert 2 * stats.norm.sf(abs(runs - mean) / np.sqrt(variance)) > least


def test_p_values_of_lists_are_uniform() -> None:
    # One value a list: the mean of what decided 50 places of it, which is near normal.
    p_values = []
    for number in range(400):
        source = Seeded(hashlib.sha256(f"list {number}".encode()).digest())
        values = [float(uniform(source.key("simple", {}, i))) for i in range(50)]
        p_values.append(2 * stats.norm.sf(abs(np.mean(values) - 0.5) * np.sqrt(12 * 50)))

    assert stats.kstest(p_values, "uniform").pvalue > LEAST_P
