"""What a music emotion predictor is, and what it says.

Every predictor estimates *perceived* emotion: what the music expresses to a
listener, not what anyone felt. Keep the two apart in names and sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

PERSPECTIVE = "perceived"


@dataclass(frozen=True)
class PredictorCard:
    """Who made a prediction.

    Args:
        name, version: of the predictor.
        weights_sha256: file name to SHA-256 of every weight it used.
        licences: part to licence.
        limits: sentences to print wherever a prediction is shown.
    """

    name: str
    version: str
    weights_sha256: Mapping[str, str]
    licences: Mapping[str, str]
    limits: tuple[str, ...]


@dataclass(frozen=True)
class AffectSeries:
    """Predicted affect over time.

    Args:
        onset_s: shape [n_windows], start of each window in the file.
        window_s: length of every window.
        valence_pred: shape [n_windows], in [-1, 1].
        arousal_pred: shape [n_windows], in [-1, 1].
        card: the predictor's.
    """

    onset_s: NDArray[np.float64]
    window_s: float
    valence_pred: NDArray[np.float64]
    arousal_pred: NDArray[np.float64]
    card: PredictorCard

    def mean_over(self, start_s: float, end_s: float) -> tuple[float, float] | None:
        """Mean valence and arousal of the windows whose centre lies in [start_s, end_s).

        None where no window does.
        """
        centres = self.onset_s + self.window_s / 2
        inside = (centres >= start_s) & (centres < end_s)
        if not inside.any():
            return None
        return float(self.valence_pred[inside].mean()), float(self.arousal_pred[inside].mean())


class AffectPredictor(Protocol):
    """Audio in, predicted affect over time out."""

    @property
    def card(self) -> PredictorCard:
        """Name, version, weights, licences, limits."""

    def predict(self, samples: NDArray[np.float32], sample_rate_hz: int) -> AffectSeries:
        """Windowed valence and arousal.

        Args:
            samples: float32, shape [n_samples, n_channels], range [-1, 1].
            sample_rate_hz: of the samples.

        Raises:
            AudioError: shorter than one window, or NaN in the samples.
        """


@runtime_checkable
class StreamingPredictor(AffectPredictor, Protocol):
    """A predictor that can hear sound piece by piece, so that its length costs no memory."""

    def predict_blocks(self, blocks: Iterable[NDArray[np.float32]], sample_rate_hz: int) -> AffectSeries:
        """As `predict`, for blocks of shape [n, n_channels] that follow one another."""
