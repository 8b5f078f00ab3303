"""The next place by the protocol's method, and a place worked out again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from study.allocation.biased_coin import coin_chances, simple_chances
from study.allocation.draws import AllocationSource, DrawnNow, Seeded, pick
from study.allocation.minimisation import minimisation_chances
from study.allocation.permuted_blocks import block_chances, block_of, drawn_place, seeded_place
from study.allocation.place import Place, Taken
from study.allocation.stratum import list_of
from study.protocol import AllocationMethod, AllocationSpec


def next_place(
    spec: AllocationSpec,
    source: AllocationSource,
    taken: Sequence[Taken],
    stratum: Mapping[str, str],
    skipped: int = 0,
) -> Place:
    """The place for a person of that stratum.

    Args:
        taken: every place given so far, of all lists, in order.
        stratum: factor to level, as `check_stratum` returns it.
        skipped: places of this list passed over: somebody may have had them whose row was erased.
    """
    here = of_list(spec, taken, stratum)
    if spec.method is not AllocationMethod.PERMUTED_BLOCKS:
        position = (here[-1].position + 1 if here else 0) + skipped
        key = source.key() if isinstance(source, DrawnNow) else _seeded_key(spec, source, stratum, position)
        return _marked(_picked(spec, here, stratum, position, key), source, key)
    if isinstance(source, Seeded):
        return seeded_place(spec, source.seed, stratum, here, skipped)
    key = source.key()
    return _marked(drawn_place(spec, here, key), source, key)


def place_again(
    spec: AllocationSpec,
    source: Seeded | None,
    taken: Sequence[Taken],
    stratum: Mapping[str, str],
    given: Place,
) -> Place | None:
    """The place that the rule gives where `given` was recorded; None where nobody can say any more.

    Args:
        source: the seed; None where it is not at hand. A place drawn on the fly needs none.
        taken: every place given before it, of all lists, in order.
        given: as it stands in the record.
    """
    here = of_list(spec, taken, stratum)
    is_block = spec.method is AllocationMethod.PERMUTED_BLOCKS
    if given.drawn is not None:
        key = bytes.fromhex(given.drawn)
        place = (
            drawn_place(spec, here, key) if is_block else _picked(spec, here, stratum, given.position, key)
        )
        return replace(place, drawn=given.drawn)
    if source is None:
        return None
    if not is_block:
        return _picked(
            spec, here, stratum, given.position, _seeded_key(spec, source, stratum, given.position)
        )
    groups = block_of(spec, source.seed, stratum, given.block)
    if not 0 <= given.position < len(groups):
        return seeded_place(spec, source.seed, stratum, here)
    group = groups[given.position]
    arm_ids = next(g.arm_ids for g in spec.groups if g.group_id == group)
    return Place(group, arm_ids, given.block, given.position, float(block_chances(spec, here)[group]))


def chances(spec: AllocationSpec, taken: Sequence[Taken], stratum: Mapping[str, str]) -> dict[str, Fraction]:
    """How likely each group is next for whoever knows the protocol and every place given, but no seed.

    This is what the best possible guess rests on (Blackwell & Hodges 1957, Design for the control
    of selection bias, Annals of Mathematical Statistics 28, 449-460).

    Args:
        taken: every place given so far, of all lists, in order.
    """
    here = of_list(spec, taken, stratum)
    match spec.method:
        case AllocationMethod.PERMUTED_BLOCKS:
            return block_chances(spec, here)
        case AllocationMethod.SIMPLE:
            return simple_chances(spec)
        case AllocationMethod.BIASED_COIN:
            return coin_chances(spec, here)
        case AllocationMethod.MINIMISATION:
            return minimisation_chances(spec, here, stratum)


def of_list(spec: AllocationSpec, taken: Sequence[Taken], stratum: Mapping[str, str]) -> list[Taken]:
    """The places among those taken that stand in the same list as a person of that stratum."""
    mine = list_of(spec, stratum)
    return [one for one in taken if list_of(spec, one.stratum) == mine]


def _seeded_key(spec: AllocationSpec, source: Seeded, stratum: Mapping[str, str], position: int) -> bytes:
    return source.key(spec.method, list_of(spec, stratum), position)


def _picked(
    spec: AllocationSpec, here: Sequence[Taken], stratum: Mapping[str, str], position: int, key: bytes
) -> Place:
    likely = chances(spec, here, stratum)
    group = pick(likely, key)
    arm_ids = next(g.arm_ids for g in spec.groups if g.group_id == group)
    return Place(group, arm_ids, 0, position, float(likely[group]))


def _marked(place: Place, source: AllocationSource, key: bytes) -> Place:
    return replace(place, drawn=key.hex()) if isinstance(source, DrawnNow) else place
