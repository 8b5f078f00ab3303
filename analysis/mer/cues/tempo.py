"""Beats a minute, from the periods in which beginnings repeat.

A tempo is half of twice itself: what a listener taps to is a choice among
octaves of one period. So the choice is made in two steps, and the second is a
stated rule.

1. Which tempo class? The novelty curve's autocorrelation is summed over a comb
   of four multiples of a period (so that a period and not one accent counts);
   the combs of 0.5, 1, 2 and 4 times a tempo are added, and the class of tempi
   with the largest sum is taken.
2. Which octave? Of its tempi from 40 to 240 the one whose comb, weighted by the
   preference for tempi near 120 a minute, is largest. The preference is a normal
   curve over log2 tempo, one octave wide, as in Ellis (2007, Beat tracking by dynamic
   programming, Journal of New Music Research 36, 51-60) and librosa.feature.tempo;
   Moelants (2002, Preferred tempo reconsidered, Proc. ICMPC 7, 580-583) found the preferred
   tempo between 120 and 130.

So equal support at every octave gives the tempo nearest 120, between 85 and 170;
a wrong octave is off by a factor of two, never by a third.
`librosa.feature.tempo` has the same preference, but takes the largest weighted lag
at once: six even notes a second are 117 a minute to it, a third of their rate.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analysis.mer.cues.events import FRAME_RATE_HZ, Events

Floats = NDArray[np.float64]

PREFERRED_BPM = 120.0
SLOWEST_BPM, FASTEST_BPM = 40.0, 240.0
_OCTAVES = (0.5, 1.0, 2.0, 4.0)
_COMB = 4
_CLASSES_PER_OCTAVE = 120


def tempo_bpm(events: Events) -> float:
    """Beats a minute, 40 to 240; `PREFERRED_BPM` where nothing repeats.

    Steps of 0.6 %. It is reported beside the note rate and has no weight of its own in
    valence and arousal: the "tempo" of the published coefficients is notes a second.
    """
    curve = events.novelty - events.novelty.mean()
    padded = np.fft.rfft(curve, 2 * len(curve))
    correlation = np.fft.irfft(np.abs(padded) ** 2)[: len(curve)]
    # Longer lags have fewer pairs; beyond two thirds of the window there are too few to tell.
    pairs = np.arange(len(curve), 0, -1) / len(curve)
    usable = len(curve) * 2 // 3
    if correlation[0] <= 1e-12:
        return PREFERRED_BPM
    correlation = np.where(np.arange(len(curve)) < usable, correlation / (correlation[0] * pairs), 0.0)
    tempi = _classes()[:, None] * np.array(_OCTAVES)
    period = 60.0 * FRAME_RATE_HZ / tempi
    combs = np.mean(
        [np.interp(m * period, np.arange(len(curve)), correlation) for m in range(1, _COMB + 1)], axis=0
    )
    best = int(combs.sum(axis=1).argmax())
    weighted = combs[best] * np.exp(-0.5 * np.log2(tempi[best] / PREFERRED_BPM) ** 2)
    inside = (tempi[best] >= SLOWEST_BPM) & (tempi[best] <= FASTEST_BPM)
    return float(tempi[best][inside][weighted[inside].argmax()])


@lru_cache(maxsize=1)
def _classes() -> Floats:
    """One octave of tempi around the preferred one, in equal steps of a logarithmic scale."""
    steps = np.arange(_CLASSES_PER_OCTAVE) / _CLASSES_PER_OCTAVE - 0.5
    return np.asarray(PREFERRED_BPM * 2.0**steps)
