"""One small score with seven knobs: sounds that differ in one musical property and in nothing else.

A hymn-like texture, so that each knob has one meaning: melody, two inner voices
and bass all strike together, `notes_per_s` times a second. Harmony is functional
(tonic, subdominant, supertonic, dominant); chord roots are the first, second, fourth
and fifth degree, whose notes major and minor share, so the bass is the same in
both. Minor lowers the third, sixth and seventh degree and keeps the leading note over
the dominant (harmonic minor). The composer's own instruments play, dry.

    slower       the same keys in the same order, further apart
    quieter      the same samples times one factor
    staccato     the same onsets and keys, shorter notes
    minor        the same onsets, lengths, contour and tonic; keys a semitone lower or equal
    transposed   every key moved by the same number of semitones
    clusters     the same notes, and semitone neighbours beside the inner voices
    instrument   the same notes, at the same level
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ
from generation.composer.palettes import INSTRUMENTS
from generation.composer.score import Note, Part
from generation.composer.sound.sampler import shared_sampler

PLAYERS = ("piano", "electric piano", "guitar", "harp", "strings", "warm pad")
"""Instruments whose range holds the score; `warm pad` is a synthesizer."""

_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_MINOR = (0, 2, 3, 5, 7, 8, 10)
_LEADING_NOTE = 6
_DOMINANT = 4
#: Roots as scale degrees from 0; each phrase begins on the tonic, the last one closes on it.
_PHRASES = ((0, 3, 4, 0), (0, 1, 4, 0), (0, 3, 0, 4), (0, 4, 0, 0), (0, 0, 3, 4), (0, 3, 1, 4), (0, 4, 3, 0))
_CLOSES = ((0, 3, 4, 0), (0, 1, 4, 0))
_STEPS_A_CHORD = 4
_PHRASES_A_PIECE = 4
_BASS_C, _INNER_C, _MELODY_C = 48, 60, 72
_LOWEST_DEGREE, _HIGHEST_DEGREE = -3, 4
_RMS = 10 ** (-24 / 20)


@dataclass(frozen=True)
class Knobs:
    """What a sound is made with; everything else is the same.

    Args:
        mode: which third, sixth and seventh.
        transpose_semitones: of every note.
        notes_per_s: chords struck a second.
        gain_db: of the finished sound.
        articulation: share of the time to the next note that a note is held.
        instrument: one of `PLAYERS`.
        tonic: pitch class, 0 is C; placed from five semitones under to six above middle C.
        seed: which melody and progression.
        duration_s: of the sound.
        dissonance: semitone neighbours added to each chord, 0 to 3.
    """

    mode: Literal["major", "minor"] = "major"
    transpose_semitones: int = 0
    notes_per_s: float = 2.0
    gain_db: float = 0.0
    articulation: float = 1.0
    instrument: str = "piano"
    tonic: int = 0
    seed: int = 0
    duration_s: float = 24.0
    dissonance: int = 0


@dataclass(frozen=True)
class _Step:
    """What is struck together, in scale degrees; 0 is the tonic, 7 the one above it."""

    root: int
    melody: int


def score_of(knobs: Knobs) -> list[Note]:
    """The notes, in order of onset.

    Raises:
        ValueError: the instrument has no such key, or there is no such instrument.
    """
    if knobs.instrument not in PLAYERS:
        raise ValueError(f"{knobs.instrument} does not play here; take one of {', '.join(PLAYERS)}")
    step_s = 1.0 / knobs.notes_per_s
    steps = _steps(knobs.seed)
    notes = [
        Note(
            onset_s=i * step_s,
            duration_s=step_s * knobs.articulation,
            key=key,
            velocity=velocity,
            part=part,
            instrument=knobs.instrument,
        )
        for i in range(int(np.ceil(knobs.duration_s / step_s - 1e-9)))
        for part, key, velocity in _struck(steps[i % len(steps)], knobs)
    ]
    player = INSTRUMENTS[knobs.instrument]
    keys = {note.key for note in notes}
    if min(keys) < player.low or max(keys) > player.high:
        raise ValueError(
            f"{knobs.instrument} plays keys {player.low} to {player.high}, not {min(keys)} to {max(keys)}"
        )
    return notes


def sound_of(knobs: Knobs) -> NDArray[np.float32]:
    """The sound, float32, shape [n_samples, 2], at 32 kHz; about -24 dBFS RMS when held and neutral."""
    gain = _level(knobs.instrument) * 10.0 ** (knobs.gain_db / 20.0)
    return _played(replace(knobs, gain_db=0.0)) * np.float32(gain)


@lru_cache(maxsize=16)
def _played(knobs: Knobs) -> NDArray[np.float32]:
    n_samples = round(knobs.duration_s * SAMPLE_RATE_HZ)
    mono = np.zeros(n_samples, dtype=np.float32)
    sampler = shared_sampler()
    instrument = INSTRUMENTS[knobs.instrument]
    for note in score_of(knobs):
        first = round(note.onset_s * SAMPLE_RATE_HZ)
        sound = sampler.note(instrument, note.key, note.duration_s, note.velocity)[: n_samples - first]
        mono[first : first + len(sound)] += sound
    return np.stack([mono, mono], axis=1)


@lru_cache(maxsize=len(PLAYERS))
def _level(instrument: str) -> float:
    # One factor an instrument, from its neutral sound: a knob must not move the level of its own sound.
    neutral = _played(Knobs(instrument=instrument, duration_s=8.0))
    return float(_RMS / np.sqrt(np.mean(np.square(neutral, dtype=np.float64))))


def _struck(step: _Step, knobs: Knobs) -> list[tuple[Part, int, float]]:
    third_and_fifth = (step.root + 2, step.root + 4)
    inner = sorted(_key(degree % 7, step.root, knobs) for degree in third_and_fifth)
    neighbours = (inner[0] - 1, inner[1] + 1, inner[0] + 1)[: knobs.dissonance]
    return [
        (Part.MELODY, _MELODY_C - 60 + _key(step.melody, step.root, knobs), 0.65),
        *((Part.PAD, _INNER_C - 60 + key, 0.45) for key in (*inner, *neighbours)),
        (Part.BASS, _BASS_C - 60 + _key(step.root, step.root, knobs), 0.55),
    ]


def _key(degree: int, root: int, knobs: Knobs) -> int:
    """The key of a degree over a chord, in the octave of middle C."""
    octave, step = divmod(degree, 7)
    scale = _MAJOR if knobs.mode == "major" else _MINOR
    raised = knobs.mode == "minor" and step == _LEADING_NOTE and root == _DOMINANT
    tonic = (knobs.tonic + 5) % 12 - 5
    return 60 + tonic + knobs.transpose_semitones + 12 * octave + scale[step] + raised


@lru_cache(maxsize=32)
def _steps(seed: int) -> tuple[_Step, ...]:
    """Four phrases of four chords of four steps: chord notes on the first and third, neighbours between."""
    rng = np.random.default_rng(seed)
    phrases = [_PHRASES[int(i)] for i in rng.permutation(len(_PHRASES))[: _PHRASES_A_PIECE - 1]]
    roots = [root for phrase in (*phrases, _CLOSES[int(rng.integers(2))]) for root in phrase]
    steps: list[_Step] = []
    melody = int(rng.choice([0, 2, 4]))
    for i, root in enumerate(np.repeat(roots, _STEPS_A_CHORD).tolist()):
        if i % 2 == 0:
            chord = [
                degree
                for degree in range(_LOWEST_DEGREE, _HIGHEST_DEGREE + 1)
                if (degree - root) % 7 in (0, 2, 4) and abs(degree - melody) <= 3
            ]
            melody = int(rng.choice(chord))
        else:
            melody = min(max(melody + int(rng.choice([-1, 0, 1])), _LOWEST_DEGREE), _HIGHEST_DEGREE)
        steps.append(_Step(root, melody))
    # The piece ends at rest, on the tonic.
    return (*steps[:-1], _Step(0, 0))
