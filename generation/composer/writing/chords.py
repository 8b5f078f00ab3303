"""Harmonies before they have a place in time: triads of the modes, dominants, applied and borrowed chords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from generation.composer.score import Chord
from generation.composer.writing.chord_names import roman_name
from generation.composer.writing.modes import (
    AEOLIAN,
    DORIAN,
    IONIAN,
    MIXOLYDIAN,
    PHRYGIAN,
    scale_of,
    scale_with,
    triad_of,
)

TONIC, SUPERTONIC, MEDIANT, SUBDOMINANT, DOMINANT, SUBMEDIANT, LEADING = range(7)

#: Diminished triads without a use of their own, and the degree that does their work instead.
_INSTEAD: Mapping[tuple[int, int], int] = {
    (MIXOLYDIAN, MEDIANT): TONIC,
    (DORIAN, SUBMEDIANT): SUBDOMINANT,
    (PHRYGIAN, DOMINANT): SUPERTONIC,
}
#: Diminished triads that sound in first inversion only (Kostka & Payne, Tonal Harmony, chapter 8).
_IN_FIRST_INVERSION = {(AEOLIAN, SUPERTONIC), (IONIAN, LEADING)}


@dataclass(frozen=True)
class Harmony:
    """One chord of a progression.

    Args:
        tonic, mode, degree, pitch_classes, scale, is_dominant: as in `Chord`.
        bass: pitch class of the lowest note where the progression asks for one.
        resolves_to: of an applied chord, the chord it leads to.
        is_goal: the chord that a phrase comes to rest on.
    """

    tonic: int
    mode: int
    degree: int
    pitch_classes: tuple[int, ...]
    scale: tuple[int, ...]
    bass: int | None = None
    is_dominant: bool = False
    resolves_to: Harmony | None = None
    is_goal: bool = False

    @property
    def root(self) -> int:
        """Pitch class of the root."""
        return self.pitch_classes[0]

    @property
    def is_major(self) -> bool:
        """Whether its third is major."""
        return (self.pitch_classes[1] - self.root) % 12 == 4

    @property
    def is_suspended(self) -> bool:
        """Whether a fourth stands in for its third."""
        return (self.pitch_classes[1] - self.root) % 12 == 5

    @property
    def is_diminished(self) -> bool:
        """Whether its fifth is diminished."""
        return (self.pitch_classes[2] - self.root) % 12 == 6

    def over(self, bass: int) -> Harmony:
        """The same chord over another bass."""
        return replace(self, bass=bass)

    def at(self, onset_beat: float, beats: float) -> Chord:
        """The chord in its place; without a bass of its own, on its root."""
        bass = self.root if self.bass is None else self.bass
        if self.resolves_to is None:
            roman = roman_name(self.pitch_classes, bass, self.tonic)
        else:
            goal = self.resolves_to
            of = roman_name(goal.pitch_classes[:3], goal.root, goal.tonic)
            roman = roman_name(self.pitch_classes, bass, goal.root, of)
        return Chord(
            onset_beat=onset_beat,
            beats=beats,
            tonic=self.tonic,
            mode=self.mode,
            degree=self.degree,
            pitch_classes=self.pitch_classes,
            scale=self.scale,
            bass=bass,
            is_dominant=self.is_dominant,
            roman=roman,
        )


@lru_cache(maxsize=1024)
def triad(tonic: int, mode: int, degree: int) -> Harmony:
    """The triad on a degree, or the one that does its work where it is diminished and of no use."""
    degree = _INSTEAD.get((mode, degree % 7), degree % 7)
    pitches = triad_of(tonic, mode, degree)
    bass = pitches[1] if (mode, degree) in _IN_FIRST_INVERSION else None
    return Harmony(tonic, mode, degree, pitches, scale_of(tonic, mode), bass)


@lru_cache(maxsize=128)
def dominant(tonic: int, mode: int) -> Harmony:
    """The major triad on the fifth degree: without a leading tone there is no authentic cadence."""
    pitches = tuple((tonic + step) % 12 for step in (7, 11, 2))
    scale = scale_with(scale_of(tonic, mode), pitches)
    return Harmony(tonic, mode, DOMINANT, pitches, scale, is_dominant=True)


@lru_cache(maxsize=128)
def cadential(tonic: int, mode: int) -> Harmony:
    """The tonic over the fifth degree that delays the dominant, "I6/4"."""
    chord = triad(tonic, mode, TONIC)
    return chord.over((tonic + 7) % 12)


@lru_cache(maxsize=128)
def suspended_dominant(tonic: int, mode: int) -> Harmony:
    """The dominant whose third is still held back by the tonic above it, "Vsus4"."""
    pitches = tuple((tonic + step) % 12 for step in (7, 0, 2))
    scale = scale_with(scale_of(tonic, mode), pitches)
    return Harmony(tonic, mode, DOMINANT, pitches, scale, bass=(tonic + 7) % 12)


@lru_cache(maxsize=128)
def neapolitan(tonic: int, mode: int) -> Harmony:
    """The major triad on the lowered second degree, over the fourth: "bII6"."""
    pitches = tuple((tonic + step) % 12 for step in (1, 5, 8))
    scale = scale_with(scale_of(tonic, mode), pitches)
    return Harmony(tonic, mode, SUPERTONIC, pitches, scale, bass=pitches[1])


@lru_cache(maxsize=1024)
def applied(goal: Harmony) -> Harmony:
    """The dominant seventh of a chord other than the tonic."""
    root = (goal.root + 7) % 12
    pitches = (root, (root + 4) % 12, (root + 7) % 12, (root + 10) % 12)
    degree = (goal.degree + 4) % 7
    plain = replace(goal, bass=None, is_goal=False)
    return Harmony(goal.tonic, goal.mode, degree, pitches, scale_with(goal.scale, pitches), resolves_to=plain)


def can_be_applied_to(goal: Harmony) -> bool:
    """Whether a chord may be approached by its own dominant: a consonant triad that is no tonic."""
    return goal.degree != TONIC and not goal.is_diminished and goal.resolves_to is None
