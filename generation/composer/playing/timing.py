"""When each note begins: swing, who leads, and what is human.

Every deviation is small, none adds up: beats stay where the pulse has them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from generation.composer.score import Part

Curve = NDArray[np.float64]

#: Standard deviation of the onset around the pulse: ensembles of good players stay within 10 ms.
_SPREAD_S = {
    Part.MELODY: 0.008,
    Part.COUNTER: 0.009,
    Part.FIGURE: 0.006,
    Part.PAD: 0.011,
    Part.BASS: 0.005,
    Part.PERCUSSION: 0.0035,
}
_LARGEST = 2.0
_LEAD_S = {Part.MELODY: 0.02, Part.COUNTER: 0.006}
_REFERENCE_GAP_S, _LEAST_GROWTH, _MOST_GROWTH = 0.5, 0.6, 1.5
_HAND = 0.35
#: Poles of three processes whose sum falls by about 3 dB an octave over the notes of a phrase.
_POLES = (0.97, 0.8, 0.3)


def swung(beats: Curve, swing: Curve) -> Curve:
    """Beats with the second eighth of each late by `swing` of a beat, everything between in proportion.

    0 is even, 0.17 would be triplets. Source: the inégales rule of the KTH system; near even in fast music
    (Friberg & Sundström, 2002, Swing ratios and ensemble timing, Music Perception 19, 333-349).
    """
    place = beats % 1.0
    return np.asarray(beats + swing * (1.0 - np.abs(2.0 * place - 1.0)))


def lead_s(part: Part) -> float:
    """How much earlier than the accompaniment a part begins: the theme by 20 ms.

    Source: Palmer (1996, On the assignment of structure in music performance, Music Perception 14, 23-56).
    """
    return _LEAD_S.get(part, 0.0)


def human_s(onsets_s: Curve, part: Part, rng: np.random.Generator) -> Curve:
    """Deviations of one player's onsets, shape [n], at most twice their spread.

    A drifting part with a spectrum near 1/f, which the notes of one moment share, and a small part of each
    finger's own; slow notes are placed less exactly than quick ones. Source: Gilden, Thornton & Mallon
    (1995, 1/f noise in human cognition, Science 267, 1837-1839), as in the KTH noise rule.

    Args:
        onsets_s: by the pulse, rising; equal where notes begin together.
    """
    moments, which = np.unique(onsets_s, return_inverse=True)
    drift = pink(rng, len(moments))[which]
    hand = rng.standard_normal(len(onsets_s))
    gaps = np.diff(moments, append=moments[-1] + _REFERENCE_GAP_S)[which]
    growth = np.clip(np.sqrt(gaps / _REFERENCE_GAP_S), _LEAST_GROWTH, _MOST_GROWTH)
    mixed = np.sqrt(1.0 - _HAND**2) * drift + _HAND * hand
    return np.asarray(_SPREAD_S[part] * np.clip(growth * mixed, -_LARGEST, _LARGEST))


def pink(rng: np.random.Generator, n_samples: int) -> Curve:
    """Noise of unit variance whose spectrum falls by about 3 dB an octave, shape [n_samples]."""
    total = np.zeros(n_samples)
    for pole in _POLES:
        white = rng.standard_normal(n_samples) * np.sqrt(1.0 - pole**2)
        # From its first value on the process is stationary.
        start = rng.standard_normal(1) * pole
        total += lfilter([1.0], [1.0, -pole], white, zi=start)[0]
    return np.asarray(total / np.sqrt(len(_POLES)))
