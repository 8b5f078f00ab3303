"""The field's usual head, heard for comparison only, where somebody has given its weights.

Essentia's emomusic head (v1) is CC BY-NC-SA 4.0: no map, threshold or weight of isopath is fitted to what
it says, and nothing of it is committed but areas, correlations and effects.
"""

from __future__ import annotations

from analysis.mer.predictor import AffectPredictor


def comparator() -> tuple[AffectPredictor | None, str]:
    """The predictor, or None and why it is not here."""
    return None, "its weights were not given"
