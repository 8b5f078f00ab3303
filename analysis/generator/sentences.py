"""What an evaluation says, in sentences: every claim with its numbers, every mark with its reason."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from analysis.generator.claims import (
    LEAST_R,
    Claim,
    Measurability,
    PartHeld,
    Verdict,
    is_manipulation_check,
    told,
)
from analysis.generator.comparisons import Difference
from analysis.generator.evaluation import Evaluation
from analysis.generator.measures import AXES, MEASURE
from analysis.generator.scores import Score
from analysis.result_row import CI_LEVEL, CIRCUMPLEX_UNIT
from analysis.wording import limits, number
from generation.clip_grid import Role

TOOK_PART, SHARES_CUES = "†", "‡"

_CLAUSES: Mapping[tuple[str, Verdict], str] = {
    ("distance", Verdict.BETTER): "nearer to the places asked",
    ("distance", Verdict.WORSE): "farther from the places asked",
    ("distance", Verdict.UNDECIDED): "not shown to be nearer to the places asked, nor farther",
    ("r", Verdict.BETTER): "{axis} follows what was asked more closely",
    ("r", Verdict.WORSE): "{axis} follows what was asked less closely",
    ("r", Verdict.UNDECIDED): "{axis} is not shown to follow more or less closely",
    ("mae", Verdict.BETTER): "{axis} is nearer",
    ("mae", Verdict.WORSE): "{axis} is farther",
    ("mae", Verdict.UNDECIDED): "{axis} is not shown to be nearer or farther",
}


@dataclass(frozen=True)
class Said:
    """What one predictor's comparison of a system with a base comes to.

    Args:
        head: what is compared, and who hears it.
        summary: ``better in 3 of 5 measures``.
        text: every claim with its interval, or why there is none.
        kind: ``better``, ``worse``, ``mixed``, ``undecided`` or ``no claim``: which of them there are.
    """

    head: str
    summary: str
    text: str
    kind: str


def mark_of(parts: tuple[PartHeld, ...]) -> str:
    """``‡`` where the predictor shares the system's cues and had no other part, ``†`` for other parts."""
    if not parts:
        return ""
    return SHARES_CUES if is_manipulation_check(parts) else TOOK_PART


def value(score: Score | Difference, signed: bool = False) -> str:
    """``.62 [.50, .71]``; without an interval the number alone; a dash where there is none."""
    if score.estimate is None:
        return number(None)
    bounded = not signed and MEASURE[score.measure].unit != CIRCUMPLEX_UNIT and abs(score.estimate) <= 1
    text = number(score.estimate, 2, bounded)
    if signed and score.estimate > 0 and float(f"{score.estimate:.2f}"):
        text = f"+{text}"
    if score.ci_low is None:
        return text
    # Lines break before an interval, never inside.
    return f"{text} {limits(score.ci_low, score.ci_high, 2, bounded)}".replace(", ", ",\u00a0")


def title(evaluation: Evaluation, system: str) -> str:
    """A system's title."""
    return evaluation.systems[system].title


def asked_words(evaluation: Evaluation) -> str:
    """Targets, seeds, systems and who heard, in one paragraph."""
    grid, heard = evaluation.heard.grid, evaluation.heard
    made = [one for one in grid.systems if one.role is not Role.CEILING]
    names = {one.name for one in made}
    clips = [clip for clip in grid.clips if clip.system in names]
    targets = {clip.target_id for clip in clips}
    # A seed belongs to its target: what counts is how many each has.
    seeds = max((len({clip.seed for clip in clips if clip.target_id == one}) for one in targets), default=0)
    lengths = sorted({round(clip.duration_s, 1) for clip in clips}) or [0.0]
    length = f"{lengths[0]:g} s" if len(lengths) == 1 else f"{lengths[0]:g} to {lengths[-1]:g} s"
    lost = len(heard.faults)
    sentences = [
        f"{_count(len(made), 'system')} made {_count(len(clips), 'clip')} of {length}: "
        f"{_count(len(targets), 'target')} in the plane of valence and arousal, "
        f"{_count(seeds, 'seed')} each.",
        f"{' and '.join(evaluation.predictors)} heard them. What a predictor hears is the emotion that music "
        "expresses (perceived), not what anyone felt.",
    ]
    if lost:
        sentences.append(f"{_count(lost, 'clip')} could not be heard and are in no score (see Faults).")
    return " ".join(sentences)


def ceiling_words(evaluation: Evaluation, one: Measurability) -> str:
    """One ceiling, one predictor, one axis."""
    music = title(evaluation, one.ceiling)
    r = f"r {value(one.r)}, {_count(one.r.n_clips, 'clip')}"
    if one.measurable is None:
        return f"Whether {one.predictor} hears {one.axis} in {music} is not known: {one.reason} ({r})."
    if one.measurable:
        return f"{one.predictor} hears {one.axis} in {music}: {r}."
    return (
        f"{one.axis.capitalize()} is not measurable for {one.predictor} in {music}: {r}, under "
        f"{number(LEAST_R, 1, True)}. Nothing is claimed of it, neither success nor failure."
    )


def claim_sentences(evaluation: Evaluation) -> list[Said]:
    """One for each system, base and predictor, in the evaluation's order."""

    def whose(one: Claim) -> tuple[str, str, str]:
        return one.system, one.base, one.predictor

    return [_said(evaluation, list(claims)) for _, claims in itertools.groupby(evaluation.claims, key=whose)]


def counted_words(evaluation: Evaluation) -> str:
    """How many comparisons could have been claimed, and how many of them chance alone would show."""
    n = evaluation.n_claims
    n_shown = sum(one.verdict in {Verdict.BETTER, Verdict.WORSE} for one in evaluation.claims)
    by_chance = n * (1 - CI_LEVEL)
    return (
        f"{_count(n, 'comparison')} could have been claimed either way, and {n_shown} are. No interval is "
        f"adjusted for their number: if nothing differed anywhere, about {by_chance:.1f} would be claimed by "
        "chance."
    )


def mark_words(evaluation: Evaluation) -> list[str]:
    """Why systems are marked at some predictors, a sentence each."""
    found = []
    for one in evaluation.scores:
        if not one.parts:
            continue
        name = title(evaluation, one.system)
        if is_manipulation_check(one.parts):
            words = f"{one.predictor} shares its cues with it: a manipulation check, no claim."
        else:
            words = (
                f"{one.predictor} took part ({told(one.parts, one.predictor)}) and carries no claim about it."
            )
        found.append(f"{mark_of(one.parts)} {name}: {words}")
    return found


def _said(evaluation: Evaluation, claims: list[Claim]) -> Said:
    first = claims[0]
    compared = next(
        found
        for found in evaluation.compared
        if (found.system, found.base, found.predictor) == (first.system, first.base, first.predictor)
    )
    made = [one for one in claims if one.verdict is not Verdict.NO_CLAIM]
    silent = [one for one in claims if one.verdict is Verdict.NO_CLAIM]
    head = (
        f"{title(evaluation, first.system)} against {title(evaluation, first.base)}, heard by "
        f"{first.predictor} at {_count(compared.differences[first.measure].n_targets, 'target')}"
    )
    sentences = []
    if made:
        clauses = "; ".join(_clause(one, compared.differences[one.measure]) for one in made)
        sentences.append(f"{clauses[0].upper()}{clauses[1:]}.")
    for reasons in dict.fromkeys(one.reasons for one in silent):
        alike = [_measure_words(one.measure) for one in silent if one.reasons == reasons]
        about = f"No claim on {_list(alike)}: " if len(alike) < len(claims) else "Because "
        sentences.append(f"{about}{'; '.join(reasons)}.")
    sentences += [f"But {caveat}." for caveat in dict.fromkeys(c for one in made for c in one.caveats)]
    summary, kind = _summary(claims)
    return Said(head, summary, " ".join(sentences), kind)


def _clause(one: Claim, difference: Difference) -> str:
    measure = MEASURE[one.measure]
    words = _CLAUSES[measure.measure_id.removeprefix(f"{measure.axis}_"), one.verdict]
    return f"{words.format(axis=measure.axis)} ({measure.title} {value(difference, signed=True)})"


def _summary(claims: list[Claim]) -> tuple[str, str]:
    n = {verdict: sum(one.verdict is verdict for one in claims) for verdict in Verdict}
    if n[Verdict.NO_CLAIM] == len(claims):
        return "no claim", "no claim"
    told = {
        Verdict.BETTER: "better in",
        Verdict.WORSE: "worse in",
        Verdict.UNDECIDED: "not shown in",
        Verdict.NO_CLAIM: "no claim in",
    }
    summary = ", ".join(f"{words} {n[verdict]}" for verdict, words in told.items() if n[verdict])
    if n[Verdict.BETTER] and n[Verdict.WORSE]:
        kind = "mixed"
    elif n[Verdict.BETTER] or n[Verdict.WORSE]:
        kind = "better" if n[Verdict.BETTER] else "worse"
    else:
        kind = "undecided"
    return f"{summary} of {len(claims)} measures", kind


def _measure_words(measure_id: str) -> str:
    measure = MEASURE[measure_id]
    return f"{measure.title} of {measure.axis}" if measure.axis in AXES else measure.title


def _list(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
