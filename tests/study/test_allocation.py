"""Permuted blocks: balanced, reproducible from the seed, and unforeseeable without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.allocation import check_stratum, place_at
from study.errors import ConductError
from study.events import ParticipantAllocated
from study.founding import Study
from study.protocol import AllocationGroup, AllocationSpec, Stratum
from tests.study.walking import allocated

SITE = Stratum("site", ("north", "south"))


def spec_of(weights: Mapping[str, int], repeats: tuple[int, ...]) -> AllocationSpec:
    total = sum(weights.values())
    groups = tuple(AllocationGroup(name, (name,), weight) for name, weight in weights.items())
    return AllocationSpec(groups, (SITE,), tuple(total * repeat for repeat in repeats))


ratios = st.dictionaries(st.sampled_from("ABC"), st.integers(1, 3), min_size=2, max_size=3)


@given(weights=ratios, repeats=st.sets(st.integers(1, 4), min_size=1).map(tuple), seed=st.binary(min_size=16))
def test_every_block_holds_each_arm_in_its_ratio(
    weights: dict[str, int], repeats: tuple[int, ...], seed: bytes
) -> None:
    spec = spec_of(weights, repeats)

    places = [place_at(spec, seed, {"site": "north"}, i) for i in range(60)]

    blocks: dict[int, list[str]] = {}
    for place in places:
        assert place.position == len(blocks.setdefault(place.block, []))
        blocks[place.block].append(place.group_id)
    for block in list(blocks.values())[:-1]:
        assert len(block) in spec.block_sizes
        share = len(block) // sum(weights.values())
        assert Counter(block) == {name: weight * share for name, weight in weights.items()}


def test_block_sizes_vary_when_several_are_allowed() -> None:
    spec = spec_of({"A": 1, "B": 1}, (1, 2, 3))
    places = [place_at(spec, b"0123456789abcdef", {"site": "north"}, i) for i in range(200)]

    sizes = Counter(Counter(place.block for place in places[:190]).values())

    assert {2, 4, 6} <= set(sizes)


def test_strata_and_seeds_have_lists_of_their_own() -> None:
    spec = spec_of({"A": 1, "B": 1}, (2, 3))

    def first(seed: bytes, site: str) -> str:
        return "".join(place_at(spec, seed, {"site": site}, i).group_id for i in range(60))

    lists = {first(seed, site) for seed in (b"a" * 16, b"b" * 16) for site in SITE.levels}

    assert len(lists) == 4
    assert first(b"a" * 16, "north") == first(b"a" * 16, "north")


def test_orders_within_a_block_are_equally_likely() -> None:
    spec = AllocationSpec((AllocationGroup("A", ("A",), 1), AllocationGroup("B", ("B",), 1)), (), (4,))
    orders = Counter(
        "".join(place_at(spec, seed.to_bytes(16, "big"), {}, i).group_id for i in range(4))
        for seed in range(3000)
    )

    # Six orders of AABB; each has 500 expected, standard deviation 20.4.
    assert len(orders) == 6
    assert all(abs(count - 500) < 5 * 20.4 for count in orders.values())


@pytest.mark.parametrize(
    ("stratum", "problem"),
    [
        ({}, "stratum site: is missing; give site=north|south"),
        ({"site": "east"}, "stratum site: 'east' is not a level; give north or south"),
        ({"site": "north", "sex": "f"}, "stratum sex: is not in the protocol; the protocol has site"),
    ],
)
def test_a_stratum_that_is_not_the_protocols_is_refused(stratum: dict[str, str], problem: str) -> None:
    with pytest.raises(ConductError) as refusal:
        check_stratum(spec_of({"A": 1, "B": 1}, (2,)), stratum)

    assert str(refusal.value) == problem


def test_the_study_allocates_the_seeds_list_in_order_of_the_pre_reports(study: Study) -> None:
    for _ in range(9):
        allocated(study)

    given_ = [r.event for r in study.record.events(kinds=[ParticipantAllocated])]

    spec, seed = study.protocol.allocation, study.folder.allocation_seed.read_bytes()
    stratum = {"site": "north", "baseline_arousal": "high"}
    assert [e.group_id for e in given_ if isinstance(e, ParticipantAllocated)] == [
        place_at(spec, seed, stratum, i).group_id for i in range(9)
    ]


def test_the_seed_is_readable_by_its_owner_alone_and_never_in_the_record(study: Study) -> None:
    seed = study.folder.allocation_seed.read_bytes()

    assert study.folder.allocation_seed.stat().st_mode & 0o777 == 0o600
    assert seed.hex().encode() not in study.folder.record.read_bytes()
    assert seed not in study.folder.record.read_bytes()


def test_a_swapped_seed_is_refused(study: Study) -> None:
    study.folder.allocation_seed.write_bytes(b"0" * 32)

    with pytest.raises(Exception, match="is not the seed this study was begun with"):
        allocated(study)
