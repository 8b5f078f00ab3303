"""An example of a study's list: from a test seed that everybody may know, never the live list."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from study.allocation.draws import Seeded
from study.allocation.next_place import next_place
from study.allocation.place import Place, Taken
from study.protocol import AllocationMethod, AllocationSpec, StudyProtocol


@dataclass(frozen=True)
class ExamplePlace:
    """One line of an example list.

    Args:
        number: from 1, within its stratum; under minimisation in the order of arrival.
    """

    number: int
    stratum: Mapping[str, str]
    place: Place


def example_list(protocol: StudyProtocol, people: int) -> list[ExamplePlace]:
    """What the protocol's method gives from the test seed.

    Lists first, each for itself: `people` places of each. Under minimisation a place depends on who
    arrives: `people` arrive altogether, each level of each factor equally likely.

    Args:
        people: from 1.
    """
    spec = protocol.allocation
    seed = hashlib.sha256(f"test list/{protocol.sha256}".encode()).digest()
    taken: list[Taken] = []
    found = []
    for number, stratum in _arrivals(spec, people, random.Random(seed)):
        place = next_place(spec, Seeded(seed), taken, stratum)
        taken.append(Taken(place.group_id, stratum, place.block, place.position))
        found.append(ExamplePlace(number, stratum, place))
    return found


def _arrivals(spec: AllocationSpec, people: int, rng: random.Random) -> Iterator[tuple[int, dict[str, str]]]:
    names = [factor.factor for factor in spec.strata]
    if spec.method is AllocationMethod.MINIMISATION:
        for number in range(1, people + 1):
            yield number, {factor.factor: rng.choice(factor.levels) for factor in spec.strata}
        return
    for levels in itertools.product(*(factor.levels for factor in spec.strata)):
        for number in range(1, people + 1):
            yield number, dict(zip(names, levels, strict=True))
