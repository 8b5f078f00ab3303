"""A predictor as the judge that chooses among an engine's clips.

The judge that chooses must not be the predictor that reports: picking the best
of N by a measure makes that very measure look better than the music is.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.mer.predictor import AffectPredictor
from analysis.mer.registry import load_predictor
from study.canonical import canonical_sha256
from study.errors import UnknownName
from study.plugins import PREDICTORS, installed_names
from study.protocol_file.text import did_you_mean, shown


class PredictorJudge:
    """Any installed predictor, by its name; satisfies generation's `AffectJudge`.

    It loads at its first clip, and travels to other processes by name.

    Args:
        name: of the predictor.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __reduce__(self) -> tuple[type[PredictorJudge], tuple[str]]:
        return (type(self), (self._name,))

    @property
    def name(self) -> str:
        """The predictor's name."""
        return self._name

    @cached_property
    def version(self) -> str:
        """The predictor's version, and a digest of its weights: what it heard is kept under it.

        Raises:
            ModelError: its weights are not here.
        """
        card = self._predictor.card
        return f"{card.version} {canonical_sha256(card.weights_sha256)[:16]}"

    @cached_property
    def _predictor(self) -> AffectPredictor:
        return load_predictor(self._name)

    def judge(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[float, float]:
        """Mean valence and arousal over the windows of one clip.

        Args:
            samples: float32, shape [n_samples, n_channels].

        Raises:
            AudioError: the clip is shorter than one of the predictor's windows.
        """
        series = self._predictor.predict(samples, sample_rate_hz)
        return float(series.valence_pred.mean()), float(series.arousal_pred.mean())


def load_judge(name: str) -> PredictorJudge:
    """The judge a protocol names; nothing heavy is loaded yet.

    Raises:
        UnknownName: no such predictor is installed.
    """
    names = installed_names(PREDICTORS)
    if name not in names:
        raise UnknownName(
            "engine.options.judge",
            f"{shown(name)} is not a predictor that is installed here",
            did_you_mean(name, names) + "write one of " + ", ".join(names),
        )
    return PredictorJudge(name)
