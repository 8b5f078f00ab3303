"""What a part of a session is meant to express: the mean of its path."""

from __future__ import annotations

import numpy as np

from study.affect import Affect
from study.path import AffectPath

_STEP_S = 0.1


def planned_mean(path: AffectPath, onset_s: float, end_s: float) -> Affect:
    """Mean of the continuous path over a part of the session, read at least every 0.1 s.

    Args:
        path: with planned affect.
        onset_s, end_s: of the part, seconds from the session's start.

    Returns:
        Rounded to six decimals, so that the last bits of a sum decide nothing.

    Raises:
        OutOfRange: the path has no planned affect.
    """
    count = max(round((end_s - onset_s) / _STEP_S), 1)
    times = onset_s + (np.arange(count) + 0.5) * (end_s - onset_s) / count
    valence, arousal = path.affect_at(times).mean(axis=0)
    # Adding zero makes -0.0 a plain 0.0.
    return Affect(round(float(valence), 6) + 0.0, round(float(arousal), 6) + 0.0)
