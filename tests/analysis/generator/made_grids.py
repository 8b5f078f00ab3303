"""Grids as they would be heard, made of numbers: places known, no sound."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from analysis.generator.heard import HeardClip, HeardGrid
from analysis.mer.comparison import HeardMean
from analysis.mer.predictor import PredictorCard
from generation.clip_grid import ClipGrid, GridClip, GridSystem, Part, Role
from study.affect import Affect

Floats = NDArray[np.float64]
Hears = Callable[[Affect, np.random.Generator], tuple[float, float]]
"""Where a predictor hears a clip that was made for a place."""

CORNERS = (-0.75, -0.25, 0.25, 0.75)
SQUARE = tuple(
    (f"t{i:02d}", Affect(v, a)) for i, (v, a) in enumerate((v, a) for v in CORNERS for a in CORNERS)
)
"""Sixteen targets, four to a quadrant."""


def card(name: str) -> PredictorCard:
    return PredictorCard(
        name, "1", {f"{name}.bin": "0" * 64}, {f"{name}.bin": "ISC"}, (f"{name} is a test.",)
    )


def pull(valence: float, arousal: float, noise: float = 0.0, bias: float = 0.0) -> Hears:
    """A generator that responds by so much on each axis, with noise between clips."""

    def hears(target: Affect, rng: np.random.Generator) -> tuple[float, float]:
        found = np.array([valence * target.valence + bias, arousal * target.arousal])
        v, a = np.clip(found + noise * rng.standard_normal(2), -1, 1)
        return float(v), float(a)

    return hears


def system(
    name: str,
    role: Role = Role.SYSTEM,
    took_part: Mapping[str, tuple[Part, ...]] = MappingProxyType({}),
    title: str | None = None,
    ceilings: tuple[str, ...] = (),
) -> GridSystem:
    return GridSystem(name, title or name, "composer", {}, took_part, role, {}, {}, (), ceilings)


def heard(
    systems: Sequence[tuple[GridSystem, Mapping[str, Hears]]],
    targets: Sequence[tuple[str, Affect]] = SQUARE,
    n_seeds: int = 3,
    seed: int = 1,
    name: str = "Simulated",
) -> HeardGrid:
    """Every system at every target, as each predictor hears it."""
    rng = np.random.default_rng(seed)
    clips = []
    for one, hears in systems:
        for target_id, target in targets:
            for number in range(n_seeds):
                clip = GridClip(
                    one.name, target_id, target, number, f"{one.name}/{target_id}-{number}.wav",
                    hashlib.sha256(f"{one.name}/{target_id}/{number}".encode()).hexdigest(), 12.0, -23.0,
                )  # fmt: skip
                by = {who: _mean(*how(target, rng)) for who, how in hears.items()}
                clips.append(HeardClip(clip, by))
    grid = ClipGrid(
        name, tuple(one for one, _ in systems), tuple(one.clip for one in clips), {"isopath": "0"}
    )
    names = dict.fromkeys(who for _, hears in systems for who in hears)
    return HeardGrid(grid, tuple(card(who) for who in names), tuple(clips))


def _mean(valence: float, arousal: float) -> HeardMean:
    return HeardMean(valence, arousal, 0.05, 0.05, 0.25, 8)
