"""Everything an evaluation of generators found, as data; pages, tables and figures only show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.generator.claims import (
    CLAIMED,
    Claim,
    Ingredients,
    Measurability,
    PartHeld,
    Verdict,
    applying,
    claim,
    measurability,
    parts_of,
)
from analysis.generator.comparisons import Difference, compare
from analysis.generator.heard import HeardClip, HeardGrid
from analysis.generator.measures import AXES, MEASURES
from analysis.generator.quality import Quality, quality
from analysis.generator.resampled import draw_targets
from analysis.generator.scores import Points, Score, score_points
from analysis.generator.summaries import asked_of, point_of, system_summary
from analysis.mer.registry import ingredients as known_ingredients
from analysis.result_row import CI_LEVEL, json_ready
from generation.clip_grid import GridSystem, Role
from study.canonical import plain

EVALUATION_VERSION = 1

N_BOOTSTRAP = 2000

INTERVAL = (
    "95 % expanded percentile bootstrap (Hesterberg, 2014, arXiv:1411.5279): targets are drawn, each with "
    "all its clips; none for fewer than five targets, or where all draws are alike"
)


@dataclass(frozen=True)
class SystemScores:
    """A system as one predictor hears it.

    Args:
        system, predictor: which.
        parts: how the predictor, or one that hears with the same, took part in the system.
        scores: `Measure.measure_id` to score.
        foreign_share: mean share of windows unlike the predictor's reference music; None where it cannot
            tell.
    """

    system: str
    predictor: str
    parts: tuple[PartHeld, ...]
    scores: Mapping[str, Score]
    foreign_share: float | None


@dataclass(frozen=True)
class Compared:
    """A system against a base, as one predictor hears them."""

    system: str
    base: str
    predictor: str
    differences: Mapping[str, Difference]


@dataclass(frozen=True)
class Evaluation:
    """What was asked, what was heard and what may be said of it.

    Args:
        heard: grid, clips, faults, who heard.
        scores: by system and predictor, in the grid's and the predictors' order.
        ceilings: what each predictor hears of music with known places, by axis.
        compared: each system against each base, by predictor.
        claims: of each comparison, in the measures of `analysis.generator.claims.CLAIMED`.
        quality: each system's distances from each ceiling; empty where musicnn did not hear.
        n_bootstrap, seed: of the intervals.
    """

    heard: HeardGrid
    scores: tuple[SystemScores, ...]
    ceilings: tuple[Measurability, ...]
    compared: tuple[Compared, ...]
    claims: tuple[Claim, ...]
    quality: tuple[Quality, ...]
    n_bootstrap: int
    seed: int

    @property
    def predictors(self) -> tuple[str, ...]:
        """Names of who heard, in order."""
        return tuple(card.name for card in self.heard.predictors)

    @property
    def systems(self) -> Mapping[str, GridSystem]:
        """By name, in the grid's order."""
        return {system.name: system for system in self.heard.grid.systems}

    @property
    def n_claims(self) -> int:
        """How many comparisons could have been claimed either way."""
        return sum(one.verdict is not Verdict.NO_CLAIM for one in self.claims)

    def of(self, system: str, predictor: str) -> SystemScores:
        """The scores of a system as a predictor hears it."""
        return next(one for one in self.scores if (one.system, one.predictor) == (system, predictor))

    def points(self, system: str, predictor: str) -> Points:
        """The clips of a system as points."""
        return Points.heard_by(predictor, self.heard.of(system))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values after ``protocols/generator.schema.json``; no NaN, a reason beside each null."""
        grid = self.heard.grid
        found = {
            "evaluation_version": EVALUATION_VERSION,
            "name": grid.name,
            "asked": asked_of(self.heard),
            "method": {
                "n_bootstrap": self.n_bootstrap,
                "seed": self.seed,
                "ci_level": CI_LEVEL,
                "interval": INTERVAL,
                "measures": plain(MEASURES),
            },
            "predictors": [plain(card) for card in self.heard.predictors],
            "systems": [system_summary(system, self.heard) for system in grid.systems],
            "ceilings": [plain(one) for one in self.ceilings],
            "scores": [
                {**_named(one), "parts": plain(one.parts), **plain(score)}
                for one in self.scores
                for score in one.scores.values()
            ],
            "comparisons": [
                {**_named(one), "base": one.base, **plain(difference)}
                for one in self.compared
                for difference in one.differences.values()
            ],
            "claims": [plain(one) for one in self.claims],
            "counted": {
                "differences": sum(
                    difference.ci_low is not None
                    for one in self.compared
                    for difference in one.differences.values()
                ),
                "claims": self.n_claims,
                "by_chance": self.n_claims * (1 - CI_LEVEL),
            },
            "quality": [plain(one) for one in self.quality],
            "points": [point_of(one) for one in self.heard.clips],
            "faults": {"grid": list(grid.faults), "clips": [plain(one) for one in self.heard.faults]},
        }
        ready: dict[str, Any] = json_ready(found)
        return ready


def evaluate(
    heard: HeardGrid,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = 0,
    ingredients: Ingredients = known_ingredients,
) -> Evaluation:
    """Score, compare and claim.

    Args:
        heard: of `analysis.generator.heard.hear_grid`.
        n_bootstrap: draws of targets.
        seed: fixes them.
        ingredients: what each predictor hears with.
    """
    grid = heard.grid
    predictors = [card.name for card in heard.predictors]
    points = {
        (system.name, name): Points.heard_by(name, heard.of(system.name))
        for system in grid.systems
        for name in predictors
    }
    scores = {
        (system.name, name): SystemScores(
            system.name,
            name,
            parts_of(system, name, ingredients),
            score_points(one := points[system.name, name], draw_targets(one.target_ids, n_bootstrap, seed)),
            _foreign_share(heard.of(system.name), name),
        )
        for system in grid.systems
        for name in predictors
    }
    ceilings = tuple(
        measurability(system, name, axis, scores[system.name, name].scores[f"{axis}_r"], ingredients)
        for system in grid.systems
        if system.role is Role.CEILING
        for name in predictors
        for axis in AXES
    )
    compared, claims = [], []
    for system, base in _pairs(grid.systems):
        applies = applying(system, ceilings)
        for name in predictors:
            differences = compare(points[system.name, name], points[base.name, name], n_bootstrap, seed)
            compared.append(Compared(system.name, base.name, name, differences))
            mine = [one for one in applies if one.predictor == name]
            claims += [
                claim(system, base, name, differences[measure], mine, ingredients) for measure in CLAIMED
            ]
    return Evaluation(
        heard,
        tuple(scores.values()),
        ceilings,
        tuple(compared),
        tuple(claims),
        tuple(_qualities(heard)),
        n_bootstrap,
        seed,
    )


def _pairs(systems: Sequence[GridSystem]) -> list[tuple[GridSystem, GridSystem]]:
    return [
        (system, base)
        for system in systems
        if system.role is Role.SYSTEM
        for base in systems
        if base.role is Role.BASE
    ]


def _qualities(heard: HeardGrid) -> list[Quality]:
    found = []
    for ceiling in heard.grid.systems:
        if ceiling.role is not Role.CEILING:
            continue
        for system in heard.grid.systems:
            if system.role is not Role.CEILING and (not system.ceilings or ceiling.name in system.ceilings):
                one = quality(system.name, ceiling.name, heard.of(system.name), heard.of(ceiling.name))
                found += [] if one is None else [one]
    return found


def _foreign_share(clips: Sequence[HeardClip], predictor: str) -> float | None:
    shares = [one.by[predictor].foreign_share for one in clips if predictor in one.by]
    known = [share for share in shares if share is not None]
    return float(np.mean(known)) if known else None


def _named(one: SystemScores | Compared) -> dict[str, str]:
    return {"system": one.system, "predictor": one.predictor}
