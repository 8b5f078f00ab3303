"""Every method of allocation against its published rule, worked examples and exact expectations."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.allocation import DrawnNow, Seeded, Taken, chances, next_place, place_again
from study.allocation.minimisation import imbalance_scores, minimisation_chances
from study.allocation.permuted_blocks import block_chances, block_law
from study.protocol import AllocationGroup, AllocationMethod, AllocationSpec, ImbalanceMeasure, Stratum
from study.williams import williams_sequences

NOBODY: Mapping[str, str] = {}


def spec_of(
    method: AllocationMethod,
    weights: Mapping[str, int],
    strata: Sequence[Stratum] = (),
    sizes: tuple[int, ...] = (),
    probability: float | None = None,
    imbalance: ImbalanceMeasure = ImbalanceMeasure.RANGE,
    factor_weights: Mapping[str, float] | None = None,
    list_factors: tuple[str, ...] = (),
) -> AllocationSpec:
    groups = tuple(AllocationGroup(name, (name,), weight) for name, weight in weights.items())
    return AllocationSpec(
        groups,
        tuple(strata),
        sizes,
        method,
        probability,
        imbalance,
        factor_weights or {},
        list_factors,
    )


def counted(factor: str, level: str, counts: Mapping[str, int], factors: Sequence[str]) -> list[Taken]:
    """People who share one level and differ from the next person in every other factor."""
    stratum = {name: level if name == factor else "other" for name in factors}
    return [Taken(group, stratum, 0, 0) for group, count in counts.items() for _ in range(count)]


# Pocock & Simon (1975), §3.4 with Table 1: three treatments, the next patient at level 1 of factor 1
# (weight 2), level 2 of factor 2 and level 2 of factor 3, range, p = 2/3. The counts below are the
# table's columns at these levels; smallerize 0.4.0 (MPL 2.0), which is checked against the article,
# gives the same: G = 6, 10, 5, probabilities 1/6, 1/6, 2/3.
POCOCK_SIMON = {
    "first": {"t1": 9, "t2": 10, "t3": 9},
    "second": {"t1": 9, "t2": 11, "t3": 9},
    "third": {"t1": 4, "t2": 5, "t3": 3},
}


def test_minimisation_gives_pocock_and_simons_own_example() -> None:
    factors = [Stratum(name, ("here", "other")) for name in POCOCK_SIMON]
    spec = spec_of(
        AllocationMethod.MINIMISATION,
        {"t1": 1, "t2": 1, "t3": 1},
        factors,
        probability=2 / 3,
        factor_weights={"first": 2.0},
    )
    taken = [
        one
        for name, counts in POCOCK_SIMON.items()
        for one in counted(name, "here", counts, list(POCOCK_SIMON))
    ]
    here = dict.fromkeys(POCOCK_SIMON, "here")

    scores = imbalance_scores(spec, taken, here)
    likely = minimisation_chances(spec, taken, here)

    assert scores == {"t1": 6, "t2": 10, "t3": 5}
    assert {name: float(chance) for name, chance in likely.items()} == pytest.approx(
        {"t1": 1 / 6, "t2": 1 / 6, "t3": 2 / 3}
    )


# Pocock (1983), Clinical Trials, ch. 5, table 5.7: 80 patients with advanced breast cancer; the next
# is ambulatory, younger than 50, free of disease for 2 years or more, with a visceral lesion.
# A 30 + 18 + 9 + 19 = 76, B 31 + 17 + 8 + 21 = 77: A is preferred.
POCOCK = {
    "status": {"a": 30, "b": 31},
    "age": {"a": 18, "b": 17},
    "interval": {"a": 9, "b": 8},
    "lesion": {"a": 19, "b": 21},
}


def test_marginal_totals_give_pococks_textbook_example() -> None:
    factors = [Stratum(name, ("here", "other")) for name in POCOCK]
    spec = spec_of(
        AllocationMethod.MINIMISATION,
        {"a": 1, "b": 1},
        factors,
        probability=0.75,
        imbalance=ImbalanceMeasure.MARGINAL_TOTALS,
    )
    taken = [one for name, counts in POCOCK.items() for one in counted(name, "here", counts, list(POCOCK))]
    here = dict.fromkeys(POCOCK, "here")

    scores = imbalance_scores(spec, taken, here)

    # The person themselves counts once for each of the four factors.
    assert scores == {"a": 76 + 4, "b": 77 + 4}
    assert minimisation_chances(spec, taken, here) == {"a": Fraction(3, 4), "b": Fraction(1, 4)}


# Lim & In (2019), Randomization in clinical studies, Korean Journal of Anesthesiology 72, 221-232,
# table 4: the 15th patient (site 2, female, 65 or older) makes a total imbalance of 3 in the control
# group and of 5 in the treatment group.
LIM_IN = {"site": {"c": 3, "t": 5}, "sex": {"c": 3, "t": 3}, "age": {"c": 3, "t": 3}}


def test_the_range_gives_a_published_fifteenth_patient() -> None:
    factors = [Stratum(name, ("here", "other")) for name in LIM_IN]
    spec = spec_of(AllocationMethod.MINIMISATION, {"c": 1, "t": 1}, factors, probability=0.8)
    taken = [one for name, counts in LIM_IN.items() for one in counted(name, "here", counts, list(LIM_IN))]

    assert imbalance_scores(spec, taken, dict.fromkeys(LIM_IN, "here")) == {"c": 3, "t": 5}


def test_the_variance_is_that_of_the_counts_with_the_person_in_each_group() -> None:
    factor = [Stratum("sex", ("here", "other"))]
    spec = spec_of(
        AllocationMethod.MINIMISATION,
        {"a": 1, "b": 1, "c": 1},
        factor,
        probability=0.8,
        imbalance=ImbalanceMeasure.VARIANCE,
    )
    taken = counted("sex", "here", {"a": 4, "b": 2, "c": 3}, ["sex"])

    # statistics.variance of (5, 2, 3), (4, 3, 3) and (4, 2, 4).
    assert imbalance_scores(spec, taken, {"sex": "here"}) == {
        "a": Fraction(7, 3),
        "b": Fraction(1, 3),
        "c": Fraction(4, 3),
    }


def test_unequal_ratios_give_the_probabilities_of_han_and_colleagues() -> None:
    # Han et al. (2009): 1:2:3, p = 0.8 of the smallest when preferred. smallerize 0.4.0,
    # probability_method "biased_coin", gives 0.8/0.84/0.88 to a preferred arm of weight 1, 2, 3.
    factor = [Stratum("sex", ("here", "other"))]
    spec = spec_of(AllocationMethod.MINIMISATION, {"a": 1, "b": 2, "c": 3}, factor, probability=0.8)
    ahead = {"a": {"b": 8, "c": 12}, "b": {"a": 4, "c": 12}, "c": {"a": 4, "b": 8}}

    found = {
        best: minimisation_chances(spec, counted("sex", "here", counts, ["sex"]), {"sex": "here"})
        for best, counts in ahead.items()
    }

    assert [float(found[best][best]) for best in "abc"] == pytest.approx([0.8, 0.84, 0.88])
    assert float(found["a"]["b"]) == pytest.approx(0.08)
    assert float(found["a"]["c"]) == pytest.approx(0.12)
    # Preferred in its ratio, each group comes in its ratio.
    share = sum(Fraction(weight, 6) * found[best]["c"] for best, weight in {"a": 1, "b": 2, "c": 3}.items())
    assert float(share) == pytest.approx(0.5)


def test_ties_of_minimisation_are_broken_in_the_ratio() -> None:
    spec = spec_of(
        AllocationMethod.MINIMISATION, {"a": 1, "b": 1}, [Stratum("sex", ("f", "m"))], probability=0.9
    )

    assert minimisation_chances(spec, [], {"sex": "f"}) == {"a": Fraction(1, 2), "b": Fraction(1, 2)}


def test_each_site_is_minimised_by_itself_where_it_has_its_own_list() -> None:
    strata = [Stratum("site", ("north", "south")), Stratum("sex", ("f", "m"))]
    apart = spec_of(
        AllocationMethod.MINIMISATION, {"a": 1, "b": 1}, strata, probability=0.8, list_factors=("site",)
    )
    taken = [Taken("a", {"site": "north", "sex": "f"}, 0, index) for index in range(3)]

    assert chances(apart, taken, {"site": "south", "sex": "f"}) == {"a": Fraction(1, 2), "b": Fraction(1, 2)}
    assert float(chances(apart, taken, {"site": "north", "sex": "f"})["b"]) == pytest.approx(0.8)


def test_the_biased_coin_favours_who_lags_behind_by_efrons_two_thirds() -> None:
    spec = spec_of(AllocationMethod.BIASED_COIN, {"a": 1, "b": 1})

    def after(groups: str) -> Fraction:
        return chances(spec, [Taken(g, NOBODY, 0, i) for i, g in enumerate(groups)], NOBODY)["a"]

    assert [after(""), after("a"), after("b"), after("ab"), after("abb")] == [
        Fraction(1, 2),
        Fraction(1, 3),
        Fraction(2, 3),
        Fraction(1, 2),
        Fraction(2, 3),
    ]


def test_simple_randomisation_knows_no_past() -> None:
    spec = spec_of(AllocationMethod.SIMPLE, {"a": 1, "b": 2})

    assert chances(spec, [Taken("a", NOBODY, 0, i) for i in range(9)], NOBODY) == {
        "a": Fraction(1, 3),
        "b": Fraction(2, 3),
    }


def expected_correct(spec: AllocationSpec, people: int) -> Fraction:
    """Expected correct guesses of whoever always guesses the likeliest group, exactly, block by block."""

    def from_here(taken: tuple[Taken, ...]) -> Fraction:
        if len(taken) == people:
            return Fraction(0)
        likely = chances(spec, taken, NOBODY)
        following = {
            g: from_here((*taken, Taken(g, NOBODY, 0, len(taken)))) for g, chance in likely.items() if chance
        }
        return max(likely.values()) + sum((likely[g] * rest for g, rest in following.items()), Fraction(0))

    return from_here(())


@pytest.mark.parametrize(
    ("size", "expected"), [(2, Fraction(3, 2)), (4, Fraction(17, 6)), (6, Fraction(41, 10))]
)
def test_blocks_are_guessed_as_blackwell_and_hodges_found(size: int, expected: Fraction) -> None:
    # Blackwell & Hodges (1957): m + 2^(2m-1) / C(2m, m) - 1/2 of 2m.
    assert expected_correct(
        spec_of(AllocationMethod.PERMUTED_BLOCKS, {"a": 1, "b": 1}, sizes=(size,)), size
    ) == (expected)


def efron_walk(spec: AllocationSpec, people: int) -> tuple[list[Fraction], list[Fraction]]:
    """Distribution of |D| after `people`, and the chance of a right guess for each of them, exactly."""
    imbalance = {0: Fraction(1)}
    right = []
    for _ in range(people):
        ahead: dict[int, Fraction] = {}
        guessed = Fraction(0)
        for lead, weight in imbalance.items():
            taken = [Taken("a" if lead > 0 else "b", NOBODY, 0, i) for i in range(abs(lead))]
            likely = chances(spec, taken, NOBODY)
            guessed += weight * max(likely.values())
            for step, group in ((1, "a"), (-1, "b")):
                ahead[lead + step] = ahead.get(lead + step, Fraction(0)) + weight * likely[group]
        imbalance = ahead
        right.append(guessed)
    found = [Fraction(0)] * (people + 1)
    for lead, weight in imbalance.items():
        found[abs(lead)] += weight
    return found, right


def test_the_biased_coins_imbalance_settles_where_efron_said() -> None:
    # Efron (1971), with r = p/q = 2: after an even number of people P(|D| = 0) tends to 1 - 1/r = 1/2
    # and P(|D| = j) to (r² - 1)/r^(j+1) for even j; after an odd number P(|D| = 1) tends to 1 - 1/r² = 3/4.
    spec = spec_of(AllocationMethod.BIASED_COIN, {"a": 1, "b": 1})

    even, right = efron_walk(spec, 60)
    odd, _ = efron_walk(spec, 61)

    assert float(even[0]) == pytest.approx(1 / 2, abs=2e-3)
    assert [float(even[j]) for j in (2, 4, 6)] == pytest.approx([3 / 8, 3 / 32, 3 / 128], abs=2e-3)
    assert float(odd[1]) == pytest.approx(3 / 4, abs=2e-3)
    # Right guesses: 1/2 + (r - 1)/4r = 5/8 of all.
    assert float(sum(right[40:60])) / 20 == pytest.approx(5 / 8, abs=2e-3)


PlaceList = tuple[tuple[int, str], ...]
"""(block, group) of each place."""


def test_blocks_drawn_place_by_place_have_the_law_of_blocks_drawn_whole() -> None:
    spec = spec_of(AllocationMethod.PERMUTED_BLOCKS, {"a": 1, "b": 2}, sizes=(3, 6))

    def lists_of(people: int) -> dict[PlaceList, Fraction]:
        """Every list with its probability, from the rule that draws place by place."""
        from_here: dict[PlaceList, Fraction] = {(): Fraction(1)}
        for _ in range(people):
            ahead: dict[PlaceList, Fraction] = {}
            for before, weight in from_here.items():
                taken = [Taken(g, NOBODY, block, i) for i, (block, g) in enumerate(before)]
                for (block, group), chance in block_law(spec, taken).items():
                    key = (*before, (block, group))
                    ahead[key] = ahead.get(key, Fraction(0)) + weight * chance
            from_here = ahead
        return from_here

    found = lists_of(4)

    whole: dict[PlaceList, Fraction] = {}
    short, long = set(itertools.permutations("abb")), set(itertools.permutations("aabbbb"))
    for first in short:
        for second, share in [(x, Fraction(1, 2 * len(short))) for x in short] + [
            (x, Fraction(1, 2 * len(long))) for x in long
        ]:
            key = (*((0, g) for g in first), (1, second[0]))
            whole[key] = whole.get(key, Fraction(0)) + Fraction(1, 2 * len(short)) * share
    for first in long:
        key = tuple((0, g) for g in first[:4])
        whole[key] = whole.get(key, Fraction(0)) + Fraction(1, 2 * len(long))
    assert {places: chance for places, chance in found.items() if chance} == whole


methods = st.sampled_from(list(AllocationMethod))


@given(method=methods, seed=st.binary(min_size=16, max_size=32), is_drawn=st.booleans(), data=st.data())
def test_every_place_is_given_again_by_the_seed_or_by_what_was_drawn(
    method: AllocationMethod, seed: bytes, is_drawn: bool, data: st.DataObject
) -> None:
    sex = Stratum("sex", ("f", "m"))
    sizes = (2, 4) if method is AllocationMethod.PERMUTED_BLOCKS else ()
    p = 0.8 if method in (AllocationMethod.MINIMISATION, AllocationMethod.BIASED_COIN) else None
    spec = spec_of(method, {"a": 1, "b": 1}, [sex], sizes, p)
    source = DrawnNow() if is_drawn else Seeded(seed)
    taken: list[Taken] = []
    for _ in range(12):
        stratum = {"sex": data.draw(st.sampled_from(sex.levels))}
        place = next_place(spec, source, taken, stratum)

        assert place_again(spec, None if is_drawn else Seeded(seed), taken, stratum, place) == place
        assert place.probability == float(chances(spec, taken, stratum)[place.group_id])
        assert (place.drawn is not None) == is_drawn
        taken.append(Taken(place.group_id, stratum, place.block, place.position))


def test_no_place_of_a_list_is_given_twice_after_a_row_was_erased() -> None:
    spec = spec_of(AllocationMethod.PERMUTED_BLOCKS, {"a": 1, "b": 1}, sizes=(4,))
    source = Seeded(b"0123456789abcdef")
    places = []
    taken: list[Taken] = []
    for _ in range(8):
        places.append(next_place(spec, source, taken, NOBODY))
        taken.append(Taken(places[-1].group_id, NOBODY, places[-1].block, places[-1].position))

    # The sixth place's row is gone, and it was the last then.
    after = next_place(spec, source, taken[:5], NOBODY, skipped=1)

    assert (after.block, after.position) == (places[6].block, places[6].position) == (1, 2)
    assert after.group_id == places[6].group_id


def test_the_probability_noted_with_a_place_tells_no_block_size() -> None:
    spec = spec_of(AllocationMethod.PERMUTED_BLOCKS, {"a": 1, "b": 1}, sizes=(4, 6))
    taken = [Taken("a", NOBODY, 0, 0)]

    # Of 4: 1/3; of 6: 2/5; each size equally likely still.
    assert block_chances(spec, taken)["a"] == (Fraction(1, 3) + Fraction(2, 5)) / 2


@pytest.mark.parametrize("arms", range(2, 8))
def test_in_williams_squares_every_arm_follows_every_other_equally_often(arms: int) -> None:
    names = "abcdefg"[:arms]

    sequences = list(williams_sequences(names).values())

    follows = Counter(pair for order in sequences for pair in itertools.pairwise(order))
    stands = Counter(place for order in sequences for place in enumerate(order))
    assert len(sequences) == (arms if arms % 2 == 0 else 2 * arms)
    assert all(sorted(order) == sorted(names) for order in sequences)
    assert len(follows) == arms * (arms - 1)
    assert len(set(follows.values())) == 1
    assert len(stands) == arms * arms
    assert len(set(stands.values())) == 1


def test_the_square_of_four_is_williamss_own() -> None:
    # Williams (1949) and Jones & Kenward (2014), ch. 4: the first row 1 2 4 3, then one added to each.
    assert list(williams_sequences("1234").values()) == [
        ("1", "2", "4", "3"),
        ("2", "3", "1", "4"),
        ("3", "4", "2", "1"),
        ("4", "1", "3", "2"),
    ]
