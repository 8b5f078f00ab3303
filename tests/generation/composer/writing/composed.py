"""Sessions composed once for all tests of what carries the melody."""

from __future__ import annotations

from functools import lru_cache

from generation.composer.compose import Composition, PhraseMusic
from generation.composer.cues import CueCurves
from generation.composer.palettes import PALETTES
from generation.composer.score import Chord
from generation.composer.writing.seats import Seat
from tests.generation.composer.plans import Point, make_plan

JOURNEY: tuple[Point, ...] = ((-0.6, 0.5), (0.0, 0.0), (0.6, -0.4))
CALM: tuple[Point, ...] = ((0.5, -0.9),)
TENSE: tuple[Point, ...] = ((-0.8, 0.7),)
LIVELY: tuple[Point, ...] = ((0.7, 0.8),)


@lru_cache(maxsize=32)
def composition(
    points: tuple[Point, ...], duration_s: float = 240.0, seed: int = 1, palette: str = "chamber"
) -> Composition:
    """A session's plan."""
    return Composition(
        CueCurves(make_plan(list(points), duration_s).path), seed=seed, palette=PALETTES[palette]
    )


@lru_cache(maxsize=32)
def music(
    points: tuple[Point, ...], duration_s: float = 240.0, seed: int = 1, palette: str = "chamber"
) -> tuple[PhraseMusic, ...]:
    """A session's phrases."""
    return tuple(composition(points, duration_s, seed, palette).phrases())


def chords_of(phrases: tuple[PhraseMusic, ...]) -> list[Chord]:
    """The chords of a session, in time order."""
    return [chord for phrase in phrases for chord in phrase.chords]


def seats_by_phrase(one: Composition) -> list[list[Seat]]:
    """Who plays in each phrase."""
    return one.seats
