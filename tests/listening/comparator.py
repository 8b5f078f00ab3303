"""The field's usual head, heard for comparison only, where somebody has given its weights.

Essentia's emomusic head is CC BY-NC-SA 4.0: no map, threshold or weight of isopath is fitted to what it
says, and nothing of it is committed but areas, correlations and effects.
"""

from __future__ import annotations

import os
from pathlib import Path

from analysis.mer.essentia.predictor import load_head_predictor
from analysis.mer.essentia.store import FOLDER_VARIABLE
from analysis.mer.predictor import AffectPredictor
from study.errors import ModelError

NAME = "essentia"
_TEST_DATA = "ISOPATH_TEST_DATA"


def comparator() -> tuple[AffectPredictor | None, str]:
    """The predictor, or None and why it is not here.

    Its weights are looked for where isopath looks, then in the folder of test data.
    """
    given = os.environ.get(_TEST_DATA)
    if given and FOLDER_VARIABLE not in os.environ:
        os.environ[FOLDER_VARIABLE] = str(Path(given) / "essentia_nc")
    try:
        return load_head_predictor(NAME, "emomusic", "msd-musicnn"), ""
    except ModelError as refusal:
        return None, f"{refusal.problem}; {FOLDER_VARIABLE} may name the folder of its weights"
