"""Whether reports follow predictions, tested by dealing the predictions anew among the clips.

The clip is what was sampled from the music there could be, so it is the clip whose prediction is dealt:
everyone who heard it keeps hearing the same sound, and what people share in it stays in the reports. The
test keeps its level where participants, drawn as units, do not (57 % against 4 % at .05). It needs
predictions that are exchangeable between clips if nothing is shared, so a course over time that reports
and predictions both follow counts as a relation; hence also the test after taking out each session's line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.agreement.resampling import FEWEST_UNITS, generator
from analysis.result_row import NotEstimable

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

PERMUTATIONS = 1999
_LARGEST_ARRAY = 1_000_000


@dataclass(frozen=True)
class Permuted:
    """A correlation of reports with the predictions of their clips.

    Args:
        r: over all pairs, each with its clip's mean prediction.
        p_value: two-sided, (1 + permutations at least as far from 0) / (1 + permutations).
        n_clips: distinct clips.
    """

    r: float
    p_value: float
    n_clips: int


def clip_permutation(x: Floats, y: Floats, clip: Indices, seed_text: str) -> Permuted:
    """Test r = 0 by permuting clips.

    Args:
        x, y: shape [n], report and prediction.
        clip: shape [n], 0 to n_clips − 1.
        seed_text: fixes the permutations.

    Raises:
        NotEstimable: too few clips, or one of the two does not vary.
    """
    counts = np.bincount(clip).astype(float)
    n_clips = len(counts)
    if n_clips < FEWEST_UNITS:
        raise NotEstimable(f"{n_clips} distinct clip(s): a permutation needs {FEWEST_UNITS} or more")
    predicted = np.bincount(clip, y) / counts
    reported = np.bincount(clip, x - x.mean())
    spread = float(np.sqrt(((x - x.mean()) ** 2).sum()))
    if spread <= 1e-12 or float(predicted.std()) <= 1e-12:
        raise NotEstimable("one of the two measurements does not vary")

    def r_of(dealt: Floats) -> Floats:
        """For predictions of shape [n_deals, n_clips]."""
        syy = dealt**2 @ counts - (dealt @ counts) ** 2 / len(x)
        return np.asarray(dealt @ reported / (spread * np.sqrt(np.maximum(syy, 1e-15))), dtype=float)

    r = float(r_of(predicted[None])[0])
    rng, hits = generator(seed_text), 0
    size = max(1, _LARGEST_ARRAY // n_clips)
    for start in range(0, PERMUTATIONS, size):
        deals = min(size, PERMUTATIONS - start)
        dealt = rng.permuted(np.tile(predicted, (deals, 1)), axis=1)
        hits += int((np.abs(r_of(dealt)) >= abs(r) - 1e-12).sum())
    return Permuted(r, (1 + hits) / (1 + PERMUTATIONS), n_clips)
