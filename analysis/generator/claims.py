"""Which comparison may be claimed, by whom, and what it says.

The rule, once:

1. A claim is about a system and a base, as one predictor hears both, in one measure: the mean distance in the
   plane, and on each axis the correlation with the target and the mean absolute error.
2. The predictor took part in neither of the two. Whoever gave labels, chose the checkpoint, chose among
   candidates, or reads the very cues that the music was made by, has shaped what it now judges; so has
   whoever hears with the same ingredient (`analysis.mer.registry.ingredients`). Its figures are shown and
   marked. With shared cues they are a manipulation check: they say that cues came out as they were set.
3. What the measure needs can be heard at all. Where music with known places is in the grid (a ceiling) and
   the predictor, having no part in those places, hears it with a correlation under .5 on an axis, that
   axis is not measurable: nothing is claimed of it, neither success nor failure. The estimate decides; its
   interval is shown. A distance in the plane needs both axes. Of several ceilings each that applies to the
   system must pass. Without such a ceiling the claim says that nobody knows.
4. The interval of the paired difference excludes 0. Which side of 0 decides between better and worse;
   otherwise nothing is shown, which is not the same as no difference.

No interval is adjusted for how many there are; how many were looked at is counted and printed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from analysis.generator.comparisons import Difference
from analysis.generator.measures import AXES, MEASURE
from analysis.generator.scores import Score
from analysis.wording import number
from generation.clip_grid import GridSystem, Part

Ingredients = Callable[[str], frozenset[str]]
"""A predictor's name to what it hears with."""

CLAIMED = ("distance", "valence_r", "valence_mae", "arousal_r", "arousal_mae")
"""Measures of which claims are made."""

LEAST_R = 0.5
"""At a ceiling; under it an axis is not measurable."""


class Verdict(StrEnum):
    """What a comparison says."""

    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "undecided"
    NO_CLAIM = "no claim"


@dataclass(frozen=True)
class PartHeld:
    """How a predictor took part in a system.

    Args:
        part: what was done.
        by: the predictor that did it: itself, or one that it shares an ingredient with.
    """

    part: Part
    by: str


@dataclass(frozen=True)
class Measurability:
    """Whether a predictor hears an axis in music with known places.

    Args:
        predictor, ceiling, axis: who, in which music, what.
        title: the ceiling's.
        r: correlation of the known places with what it hears.
        parts: the predictor's own in those places; then they say nothing of it.
        measurable: None where that cannot be known.
        reason: in words, where it is None.
    """

    predictor: str
    ceiling: str
    title: str
    axis: str
    r: Score
    parts: tuple[PartHeld, ...]
    measurable: bool | None
    reason: str | None = None


@dataclass(frozen=True)
class Claim:
    """A comparison's verdict.

    Args:
        system, base, predictor, measure: what is compared, as who hears it, in what.
        verdict: `Verdict.NO_CLAIM` where the rule allows none.
        reasons: why there is no claim, each in words.
        caveats: what weakens a claim that is made.
    """

    system: str
    base: str
    predictor: str
    measure: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()


def parts_of(system: GridSystem, predictor: str, ingredients: Ingredients) -> tuple[PartHeld, ...]:
    """How a predictor, or one that hears with the same, took part in a system; empty: not at all."""
    mine = ingredients(predictor)
    return tuple(
        PartHeld(part, by)
        for by, parts in system.took_part.items()
        if by == predictor or ingredients(by) & mine
        for part in parts
    )


def measurability(
    ceiling: GridSystem, predictor: str, axis: str, r: Score, ingredients: Ingredients
) -> Measurability:
    """Whether a ceiling shows that a predictor hears an axis.

    Args:
        r: the predictor's ``<axis>_r`` there.
    """
    parts = parts_of(ceiling, predictor, ingredients)
    if parts:
        why = f"{predictor} took part in these places ({told(parts, predictor)})"
        return Measurability(predictor, ceiling.name, ceiling.title, axis, r, parts, None, why)
    if r.estimate is None:
        return Measurability(predictor, ceiling.name, ceiling.title, axis, r, parts, None, r.reason)
    return Measurability(predictor, ceiling.name, ceiling.title, axis, r, parts, r.estimate >= LEAST_R)


def claim(
    system: GridSystem,
    base: GridSystem,
    predictor: str,
    difference: Difference,
    ceilings: Sequence[Measurability],
    ingredients: Ingredients,
) -> Claim:
    """What a difference may be said to show.

    Args:
        difference: of one of `CLAIMED`, system less base.
        ceilings: the predictor's, of all ceilings that apply to the system.
    """
    measure = MEASURE[difference.measure]
    names = (system.name, base.name, predictor, difference.measure)
    reasons = [
        _why_silent(one, predictor, parts)
        for one in (system, base)
        if (parts := parts_of(one, predictor, ingredients))
    ]
    caveats = []
    for axis in (measure.axis,) if measure.axis else AXES:
        mine = [one for one in ceilings if one.axis == axis]
        reasons += [
            f"{axis} is not measurable for {predictor}: r is {number(one.r.estimate, 2, True)} in {one.title}"
            for one in mine
            if one.measurable is False
        ]
        if not any(one.measurable is not None for one in mine):
            caveats.append(f"whether {predictor} hears {axis} in such music is not known")
    if difference.estimate is None:
        reasons.append(f"no difference: {difference.reason}")
    elif difference.ci_low is None:
        reasons.append(f"no interval: {difference.reason}")
    if reasons or difference.estimate is None:
        return Claim(*names, Verdict.NO_CLAIM, tuple(reasons))
    verdict = Verdict.UNDECIDED
    if difference.excludes_zero:
        verdict = Verdict.BETTER if (difference.estimate > 0) is measure.higher else Verdict.WORSE
    return Claim(*names, verdict, (), tuple(caveats))


def applying(system: GridSystem, ceilings: Sequence[Measurability]) -> list[Measurability]:
    """The ceilings that a system is held against: those it names, or all."""
    return [one for one in ceilings if not system.ceilings or one.ceiling in system.ceilings]


def is_manipulation_check(parts: Sequence[PartHeld]) -> bool:
    """Whether a predictor's only part in a system is that it reads the cues which the music is made by."""
    return bool(parts) and all(one.part is Part.SHARED_CUES for one in parts)


def _why_silent(system: GridSystem, predictor: str, parts: Sequence[PartHeld]) -> str:
    if is_manipulation_check(parts):
        return f"{predictor} shares its cues with {system.title}: a manipulation check"
    return f"{predictor} took part in {system.title} ({told(parts, predictor)})"


def told(parts: Sequence[PartHeld], predictor: str) -> str:
    """Parts in words: ``labels, by what it shares with cues``."""
    return "; ".join(
        f"{one.part}{'' if one.by == predictor else f', by what it shares with {one.by}'}" for one in parts
    )
