"""Sessions planned and harmonised, without parts: form and chords as the composer makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from generation.composer.cues import CueCurves
from generation.composer.pulse import Pulse
from generation.composer.score import Chord, Phrase, Section
from generation.composer.streams import stream
from generation.composer.writing.form import plan_form
from generation.composer.writing.harmony import harmonise
from tests.generation.composer.plans import Point, make_plan

_RING_S = 7.5


@dataclass(frozen=True)
class Planned:
    """One session's form and harmony; `chords` by phrase."""

    curves: CueCurves
    pulse: Pulse
    sections: list[Section]
    chords: list[list[Chord]]

    @property
    def phrases(self) -> list[Phrase]:
        return [phrase for section in self.sections for phrase in section.phrases]

    @property
    def all_chords(self) -> list[Chord]:
        return [chord for group in self.chords for chord in group]


def planned(points: list[Point], duration_s: float, seed: int) -> Planned:
    """What the composer plans for a path through `points`, each held equally long."""
    curves = CueCurves(make_plan(points, duration_s, seed).path)
    final_s = duration_s - min(_RING_S, 0.45 * duration_s)
    pulse = Pulse(curves, min(0.15, 0.03 * duration_s), final_s)
    sections = plan_form(curves, pulse, stream(seed, "form"))

    def cue(name: str) -> Callable[[float], float]:
        return lambda beat: curves.one(name, pulse.second(beat))

    chords = [
        harmonise(
            phrase,
            cue("mode"),
            cue("harmonic_rate"),
            cue("dissonance"),
            float(phrase.beats_per_bar) if phrase.is_last else 0.0,
            stream(seed, "harmony", phrase.theme),
            stream(seed, "chords", index),
        )
        for index, phrase in enumerate(phrase for section in sections for phrase in section.phrases)
    ]
    return Planned(curves, pulse, sections, chords)
