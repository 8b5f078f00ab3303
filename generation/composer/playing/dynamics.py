"""How loud each note is, in decibels around the touch that the cue asks for.

Source of the rules: the KTH rule system (Friberg, Bresin & Sundberg, 2006, Overview of the KTH rule system
for musical performance, Advances in Cognitive Psychology 2, 145-161; Friberg, 1991, Generative rules for
music performance, Computer Music Journal 15(2), 56-71).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generation.composer.score import Chord, Part, Phrase

Curve = NDArray[np.float64]

#: By semitones above the tonic or root: how remote a tone is, by fifths, flat side before sharp side.
_CHARGE = np.array([0.0, 6.5, 2.0, 4.5, 4.0, 2.5, 6.0, 1.0, 5.5, 3.0, 3.5, 5.0])
_CHARGES: tuple[float, ...] = tuple(_CHARGE.tolist())
_CHARGE_DB = 0.2
_HARMONY_DB = 0.7
_HIGH_LOUD_DB = 3.0 / 12.0
_MOST_HIGH_LOUD_DB = 2.5
_ACCENT_DB = 3.2
_NEUTRAL_ACCENT = 0.6
_CONTRAST_DB = 1.5
_ARCH_DB = 1.6
_HALF_ARCH = 0.35
_TURN = 0.6
#: How much of the phrase's arch and of the pitch rule each part takes: the theme leads, the rest follows.
_ARCHES = {Part.MELODY: 1.0, Part.COUNTER: 0.8, Part.FIGURE: 0.6, Part.PAD: 0.7, Part.BASS: 0.5}
_HIGH_LOUD = {Part.MELODY: 1.0, Part.COUNTER: 0.6, Part.FIGURE: 0.4}
_MELODIC = (Part.MELODY, Part.COUNTER)


def phrase_arch_db(beats: Curve, phrase: Phrase, part: Part, amount: Curve) -> Curve:
    """Swell to the phrase's turning point and fall from it, ±1.6 dB for the theme where `amount` is 1.

    A smaller arch lies over each half of a phrase of four bars or more.
    """
    share = np.clip((beats - phrase.onset_beat) / max(phrase.beats, 1), 0.0, 1.0)
    arch = _arch(share, _TURN)
    if phrase.bars >= 4:
        arch = (1.0 - _HALF_ARCH) * arch + _HALF_ARCH * _arch(2.0 * share % 1.0, 0.5)
    return np.asarray(_ARCH_DB * _ARCHES.get(part, 0.0) * amount * arch)


def high_loud_db(keys: Curve, part: Part) -> Curve:
    """The higher, the louder: 3 dB an octave around the phrase's own middle; no register is louder."""
    louder = np.clip(_HIGH_LOUD_DB * (keys - keys.mean()), -_MOST_HIGH_LOUD_DB, _MOST_HIGH_LOUD_DB)
    return np.asarray(_HIGH_LOUD.get(part, 0.0) * louder)


def charge_db(beats: Curve, keys: Curve, chords: Sequence[Chord], part: Part) -> Curve:
    """Melodic charge (tones remote from the chord) and harmonic charge (chords remote from the key).

    The way to a charged chord is a crescendo, the way from it a diminuendo.
    """
    if not chords:
        return np.zeros(len(beats))
    onsets = np.array([chord.onset_beat for chord in chords])
    told = np.interp(beats, onsets, np.array([harmonic_charge(chord) for chord in chords]))
    decibels = _HARMONY_DB * told
    if part in _MELODIC:
        under = np.clip(np.searchsorted(onsets, beats + 1e-6, side="right") - 1, 0, len(chords) - 1)
        roots = np.array([chord.pitch_classes[0] for chord in chords])[under]
        melodic = _CHARGE[(keys.astype(np.int64) - roots) % 12]
        decibels = decibels + _CHARGE_DB * (melodic - melodic.mean())
    return np.asarray(decibels)


def harmonic_charge(chord: Chord) -> float:
    """How remote a chord is from its key, 0 for the tonic's own triad: its tones' mean charge above that."""
    triad = [(tone - chord.tonic) % 12 for tone in chord.pitch_classes[:3]]
    at_home = [(tone - chord.pitch_classes[0]) % 12 for tone in chord.pitch_classes[:3]]
    # Three numbers are summed faster one by one than as an array.
    return sum(_CHARGES[tone] for tone in triad) / 3.0 - sum(_CHARGES[tone] for tone in at_home) / 3.0


def accent_db(accents: Curve) -> Curve:
    """Metrical weight: 0 dB at 0.6, +1.3 dB on a downbeat."""
    return np.asarray(_ACCENT_DB * (accents - _NEUTRAL_ACCENT))


def contrast_db(lengths: Curve, amount: Curve) -> Curve:
    """Short notes softer and long ones louder where `amount` is positive, else the other way."""
    relative = np.clip(np.log2(lengths / np.median(lengths)), -1.0, 1.0)
    return np.asarray(_CONTRAST_DB * amount * relative)


def _arch(share: Curve, turn: float) -> Curve:
    """-1 at both ends, 1 at the turning point, parabolas between."""
    way = np.where(share < turn, share / turn, (1.0 - share) / (1.0 - turn))
    return np.asarray(1.0 - 2.0 * (1.0 - way) ** 2)
