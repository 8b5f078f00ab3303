"""Who may claim what: parts taken, ceilings, and intervals that exclude 0."""

from __future__ import annotations

import pytest

from analysis.generator.claims import Measurability, PartHeld, Verdict, claim, measurability, parts_of
from analysis.generator.comparisons import Difference
from analysis.generator.scores import Score
from analysis.mer.registry import ingredients
from generation.clip_grid import GridSystem, Part, Role
from tests.analysis.generator.made_grids import system

BASE = system("base", Role.BASE, title="base, words")
LORA = system("lora", title="LoRA")


def difference(measure: str, low: float | None, high: float | None) -> Difference:
    middle = None if low is None or high is None else (low + high) / 2
    return Difference(measure, middle, low, high, 16, 48, 48, None if middle is not None else "too few")


def heard_at_ceiling(r: float | None, axis: str, ceiling: GridSystem | None = None) -> Measurability:
    music = ceiling or system("game-music", Role.CEILING)
    score = Score(f"{axis}_r", r, None, None, 16, 48, "why not")
    return measurability(music, "musicnn", axis, score, ingredients)


BOTH = [heard_at_ceiling(0.7, "valence"), heard_at_ceiling(0.8, "arousal")]


def verdict(measure: str, low: float, high: float) -> Verdict:
    return claim(LORA, BASE, "musicnn", difference(measure, low, high), BOTH, ingredients).verdict


@pytest.mark.parametrize(
    ("measure", "low", "high", "expected"),
    [
        ("distance", -0.3, -0.1, Verdict.BETTER),
        ("distance", 0.1, 0.3, Verdict.WORSE),
        ("distance", -0.3, 0.1, Verdict.UNDECIDED),
        ("arousal_mae", -0.3, -0.1, Verdict.BETTER),
        ("arousal_r", 0.1, 0.3, Verdict.BETTER),
        ("arousal_r", -0.3, -0.1, Verdict.WORSE),
        ("valence_r", 0.0, 0.3, Verdict.UNDECIDED),
    ],
)
def test_a_claim_needs_an_interval_that_excludes_zero(
    measure: str, low: float, high: float, expected: Verdict
) -> None:
    assert verdict(measure, low, high) is expected


@pytest.mark.parametrize("part", [Part.LABELS, Part.SELECTION, Part.CHOICE])
@pytest.mark.parametrize("where", ["system", "base"])
def test_who_took_part_in_either_of_the_two_makes_no_claim(part: Part, where: str) -> None:
    taken = {"musicnn": (part,)}
    one = system("lora", took_part=taken, title="LoRA") if where == "system" else LORA
    base = system("base", Role.BASE, taken, "base, words") if where == "base" else BASE

    found = claim(one, base, "musicnn", difference("distance", -0.3, -0.1), BOTH, ingredients)

    named = "LoRA" if where == "system" else "base, words"
    assert found.verdict is Verdict.NO_CLAIM
    assert found.reasons == (f"musicnn took part in {named} ({part})",)


def test_who_hears_with_the_same_ingredient_took_part_too() -> None:
    one = system("lora", took_part={"cues": (Part.LABELS,)}, title="LoRA")

    assert parts_of(one, "cues", ingredients) == (PartHeld(Part.LABELS, "cues"),)
    assert parts_of(one, "musicnn-cues", ingredients) == (PartHeld(Part.LABELS, "cues"),)
    assert parts_of(one, "musicnn", ingredients) == ()
    found = claim(one, BASE, "musicnn-cues", difference("distance", -0.3, -0.1), [], ingredients)
    assert found.reasons == ("musicnn-cues took part in LoRA (labels, by what it shares with cues)",)


def test_shared_cues_are_a_manipulation_check() -> None:
    composer = system("composer", took_part={"cues": (Part.SHARED_CUES,)}, title="the composer")

    found = claim(composer, BASE, "cues", difference("distance", -0.3, -0.1), [], ingredients)

    assert found.verdict is Verdict.NO_CLAIM
    assert found.reasons == ("cues shares its cues with the composer: a manipulation check",)


def test_an_axis_under_r_one_half_at_the_ceiling_bears_no_claim_either_way() -> None:
    ceilings = [heard_at_ceiling(0.49, "valence"), heard_at_ceiling(0.8, "arousal")]

    silent = [
        claim(LORA, BASE, "musicnn", difference(measure, -0.3, -0.1), ceilings, ingredients)
        for measure in ("distance", "valence_r", "valence_mae")
    ]
    spoken = claim(LORA, BASE, "musicnn", difference("arousal_r", 0.1, 0.3), ceilings, ingredients)

    assert [one.verdict for one in silent] == [Verdict.NO_CLAIM] * 3
    assert silent[0].reasons == ("valence is not measurable for musicnn: r is .49 in game-music",)
    assert spoken.verdict is Verdict.BETTER


def test_every_ceiling_that_applies_must_pass() -> None:
    composed = system("composed", Role.CEILING)
    ceilings = [*BOTH, heard_at_ceiling(0.3, "arousal", composed)]

    found = claim(LORA, BASE, "musicnn", difference("arousal_r", 0.1, 0.3), ceilings, ingredients)

    assert found.reasons == ("arousal is not measurable for musicnn: r is .30 in composed",)


def test_places_that_a_predictor_gave_itself_say_nothing_of_it() -> None:
    own = system("game-music", Role.CEILING, {"musicnn": (Part.LABELS,)})
    one = heard_at_ceiling(1.0, "arousal", own)

    found = claim(LORA, BASE, "musicnn", difference("arousal_r", 0.1, 0.3), [one], ingredients)

    assert one.measurable is None
    assert one.reason == "musicnn took part in these places (labels)"
    assert found.verdict is Verdict.BETTER
    assert found.caveats == ("whether musicnn hears arousal in such music is not known",)


def test_half_is_enough_and_no_correlation_is_not_known() -> None:
    assert heard_at_ceiling(0.5, "arousal").measurable is True
    unknown = heard_at_ceiling(None, "arousal")
    assert (unknown.measurable, unknown.reason) == (None, "why not")


def test_no_interval_is_no_claim() -> None:
    found = claim(LORA, BASE, "musicnn", difference("distance", None, None), BOTH, ingredients)

    assert found.verdict is Verdict.NO_CLAIM
    assert found.reasons == ("no difference: too few",)
