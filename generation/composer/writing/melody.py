"""Melodies from motifs: two bars of contour and rhythm, sequenced, turned and closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.composer.score import Cadence, Chord, Phrase, WrittenNote
from generation.composer.writing.meter import SLOTS_PER_BEAT, strength, thresholds

LOWEST_KEY, HIGHEST_KEY = 53, 86
_LARGEST_LEAP = 9
_BREATH_BEATS = 0.75


@dataclass(frozen=True)
class Motif:
    """One bar of a theme.

    Args:
        thresholds: density at which each sixteenth sounds.
        contour: scale steps from the bar's own level, per sixteenth.
    """

    thresholds: NDArray[np.float64]
    contour: NDArray[np.int64]


def make_motifs(rng: np.random.Generator, beats_per_bar: int) -> tuple[Motif, Motif]:
    """A theme's two motifs: a statement and its contrast."""
    return _motif(rng, beats_per_bar, rising=1), _motif(rng, beats_per_bar, rising=-1)


def write_melody(
    phrase: Phrase,
    chords: Sequence[Chord],
    motifs: tuple[Motif, Motif],
    density_at: Callable[[float], float],
    centre_at: Callable[[float], float],
    dissonance: float,
    previous_key: int | None,
    rng: np.random.Generator,
) -> list[WrittenNote]:
    """The melody of one phrase.

    Args:
        density_at: beat to density, 0 to 1.
        centre_at: beat to the melody's middle, as a MIDI key.
        dissonance: 0 to 1; share of strong beats that hold a suspension or lean on a neighbour.
        previous_key: last note before the phrase.

    Returns:
        Notes in time order, without overlap; the last is held at the cadence.
    """
    line = _Line(previous_key)
    cadence_beat = _cadence_beat(phrase, chords)
    variant = _variant(phrase, rng)
    onsets: list[tuple[float, int, float]] = []
    for bar in range(phrase.bars):
        motif, shift, turned = variant[bar % len(variant)]
        weights = strength(phrase.beats_per_bar)
        start = phrase.onset_beat + bar * phrase.beats_per_bar
        for slot, threshold in enumerate(motifs[motif].thresholds):
            beat = start + slot / SLOTS_PER_BEAT
            if beat >= cadence_beat - 0.24 or 0.03 + 0.78 * density_at(beat) < threshold:
                continue
            chord = _chord_at(chords, beat)
            step = shift + turned * int(motifs[motif].contour[slot])
            strong = weights[slot] >= 0.8
            key = line.next(chord, centre_at(beat), step, strong, dissonance, rng)
            onsets.append((beat, key, weights[slot]))
    closing = line.close(_chord_at(chords, cadence_beat), centre_at(cadence_beat), phrase.cadence)
    onsets.append((cadence_beat, closing, 0.8))
    end = phrase.end_beat - (_BREATH_BEATS if not phrase.is_last else 0.0)
    notes = []
    for index, (beat, key, accent) in enumerate(onsets):
        stop = onsets[index + 1][0] if index + 1 < len(onsets) else max(end, beat + 1.0)
        notes.append(WrittenNote(beat, min(stop - beat, 2.0 * phrase.beats_per_bar), key, accent))
    return notes


class _Line:
    """The melody so far: keeps steps small and leaps answered."""

    def __init__(self, previous_key: int | None) -> None:
        self._last = previous_key
        self._leap = 0
        self._repeats = 0

    def next(
        self,
        chord: Chord,
        centre: float,
        step: int,
        strong: bool,
        dissonance: float,
        rng: np.random.Generator,
    ) -> int:
        ladder = _ladder(chord.scale)
        middle = int(np.argmin(np.abs(ladder - centre)))
        wanted = int(np.clip(middle + step, 0, len(ladder) - 1))
        if self._last is not None:
            here = int(np.argmin(np.abs(ladder - self._last)))
            # The line walks to where the motif points; it does not fly there.
            reach = 2 if strong or rng.random() < 0.15 else 1
            wanted = here + int(np.clip(wanted - here, -reach, reach))
            if abs(self._leap) > 4:
                wanted = here - int(np.sign(self._leap))
            if wanted == here and self._repeats >= 1:
                wanted = here + (1 if ladder[here] < centre else -1)
            wanted = int(np.clip(wanted, 0, len(ladder) - 1))
        leans = rng.random() < 0.45 * dissonance
        key = int(ladder[wanted])
        if strong and not leans and abs(self._leap) <= 4:
            key = self._nearest_chord_tone(ladder, wanted, chord)
        return self._keep(_in_range(key))

    def close(self, chord: Chord, centre: float, cadence: Cadence) -> int:
        tones = {
            Cadence.AUTHENTIC: (0,),
            Cadence.HALF: (0, 1, 2),
            Cadence.DECEPTIVE: (0, 1),
            Cadence.MODAL: (0, 2),
            Cadence.PLAGAL: (0, 1),
        }[cadence]
        classes = {chord.pitch_classes[tone] for tone in tones}
        near = centre if self._last is None else 0.7 * self._last + 0.3 * centre
        keys = [key for key in range(LOWEST_KEY, HIGHEST_KEY + 1) if key % 12 in classes]
        return self._keep(min(keys, key=lambda key: (abs(key - near), key)))

    def _nearest_chord_tone(self, ladder: NDArray[np.int64], wanted: int, chord: Chord) -> int:
        triad = set(chord.pitch_classes[:3])
        here = wanted if self._last is None else int(np.argmin(np.abs(ladder - self._last)))
        # A step away first, then a repeat or a third, then whatever is near.
        places = sorted(
            range(wanted - 2, wanted + 3), key=lambda k: (abs(abs(k - here) - 1), abs(k - wanted), k)
        )
        for place in places:
            if not 0 <= place < len(ladder) or int(ladder[place]) % 12 not in triad:
                continue
            if int(ladder[place]) == self._last and self._repeats >= 1:
                continue
            return int(ladder[place])
        return int(ladder[wanted])

    def _keep(self, key: int) -> int:
        if self._last is not None:
            while key - self._last > _LARGEST_LEAP and key - 12 >= LOWEST_KEY:
                key -= 12
            while self._last - key > _LARGEST_LEAP and key + 12 <= HIGHEST_KEY:
                key += 12
            self._leap = key - self._last
            self._repeats = self._repeats + 1 if key == self._last else 0
        self._last = key
        return key


def _motif(rng: np.random.Generator, beats_per_bar: int, rising: int) -> Motif:
    slots = beats_per_bar * SLOTS_PER_BEAT
    steps = rng.choice([-2, -1, -1, 0, 1, 1, 2], size=slots)
    steps[::2] = rng.choice([-1, 0, 1], size=len(steps[::2]))
    arch = np.sin(np.linspace(0.0, np.pi, slots)) * rising * rng.uniform(1.0, 2.5)
    walk = np.cumsum(steps)
    contour = np.round(arch + np.clip(walk - walk.mean(), -3, 3)).astype(np.int64)
    return Motif(thresholds(beats_per_bar, rng, wander=0.22), contour)


def _variant(phrase: Phrase, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """Per bar: which motif, how many steps higher, 1 or -1 for inverted."""
    arch = int(rng.integers(1, 3))
    if phrase.is_answer:
        plans = [
            [(0, 0, 1), (0, arch, 1), (1, arch, 1), (1, -1, 1)],
            [(0, arch, 1), (0, 0, 1), (1, 1, -1), (0, -1, 1)],
        ]
    else:
        plans = [
            [(0, 0, 1), (1, 0, 1), (0, arch, 1), (1, 1, 1)],
            [(0, 0, 1), (0, arch, 1), (1, arch + 1, 1), (1, arch, -1)],
        ]
    return plans[phrase.texture % 2]


def _cadence_beat(phrase: Phrase, chords: Sequence[Chord]) -> float:
    if phrase.is_last:
        return phrase.end_beat
    return max((c.onset_beat for c in chords if c.onset_beat < phrase.end_beat), default=phrase.onset_beat)


def _chord_at(chords: Sequence[Chord], beat: float) -> Chord:
    current = chords[0]
    for chord in chords:
        if chord.onset_beat > beat + 1e-6:
            break
        current = chord
    return current


def _ladder(scale: tuple[int, ...]) -> NDArray[np.int64]:
    classes = set(scale)
    return np.array([key for key in range(LOWEST_KEY, HIGHEST_KEY + 1) if key % 12 in classes])


def _in_range(key: int) -> int:
    while key < LOWEST_KEY:
        key += 12
    while key > HIGHEST_KEY:
        key -= 12
    return key
