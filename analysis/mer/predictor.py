"""What a music emotion predictor is, and what it says.

Every predictor estimates *perceived* emotion: what the music expresses to a
listener, not what anyone felt. Keep the two apart in names and sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

PERSPECTIVE = "perceived"
OVERLAP_SPREAD = (
    "Standard deviation of the predictions of all windows that overlap this one, itself among them: "
    "how steady the prediction is here, not how wrong it may be."
)


@dataclass(frozen=True)
class PredictorCard:
    """Who made a prediction.

    Args:
        name, version: of the predictor.
        weights_sha256: file name to SHA-256 of every weight it used.
        licences: part to licence.
        limits: sentences to print wherever a prediction is shown.
        spread: what the spread of a window is.
        domain: what music the distances of `AffectSeries.domain_distance` are from, and how the edge was
            set; None where the predictor cannot tell familiar music from foreign.
        perspective: every predictor hears what music expresses.
    """

    name: str
    version: str
    weights_sha256: Mapping[str, str]
    licences: Mapping[str, str]
    limits: tuple[str, ...]
    spread: str = OVERLAP_SPREAD
    domain: str | None = None
    perspective: str = PERSPECTIVE


@dataclass(frozen=True)
class AffectSeries:
    """Predicted affect over time.

    Args:
        onset_s: shape [n_windows], start of each window in the file.
        window_s: length of every window.
        valence_pred: shape [n_windows], in [-1, 1].
        arousal_pred: shape [n_windows], in [-1, 1].
        card: the predictor's.
        stated_spread: shape [n_windows, 2] (valence, arousal), the predictor's own; None where it has none.
        domain_distance: shape [n_windows], how far each window is from the reference music of the card,
            in units of the edge: above 1 is foreign to it. None where the card names no reference music.
    """

    onset_s: NDArray[np.float64]
    window_s: float
    valence_pred: NDArray[np.float64]
    arousal_pred: NDArray[np.float64]
    card: PredictorCard
    stated_spread: NDArray[np.float64] | None = None
    domain_distance: NDArray[np.float64] | None = None

    @cached_property
    def spread(self) -> NDArray[np.float64]:
        """Shape [n_windows, 2], of valence and of arousal; what it is, the card says."""
        if self.stated_spread is not None:
            return self.stated_spread
        # A rounded hop must not make neighbours that only touch overlap.
        reach = self.window_s - 1e-6
        first = np.searchsorted(self.onset_s, self.onset_s - reach, side="right")
        after = np.searchsorted(self.onset_s, self.onset_s + reach, side="left")
        affect = np.stack([self.valence_pred, self.arousal_pred], axis=1)
        affect = affect - affect.mean(axis=0)
        sums = np.concatenate([np.zeros((1, 4)), np.cumsum(np.hstack([affect, affect**2]), axis=0)])
        means = (sums[after] - sums[first]) / (after - first)[:, None]
        return np.asarray(np.sqrt(np.maximum(means[:, 2:] - means[:, :2] ** 2, 0.0)))

    @property
    def is_foreign(self) -> NDArray[np.bool_] | None:
        """Shape [n_windows]: outside the reference music; None where the predictor cannot tell."""
        return None if self.domain_distance is None else self.domain_distance > 1.0

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


class Listener(Protocol):
    """Hears one sound piece by piece; its memory does not grow with the sound."""

    def hear(self, block: NDArray[np.float32]) -> None:
        """The next piece: float32, shape [n, n_channels], range [-1, 1].

        Raises:
            AudioError: NaN, infinity, or samples that are not on a full scale of 1.
        """

    def finish(self) -> AffectSeries:
        """What was heard, when the last piece has been.

        Raises:
            AudioError: all of it together is shorter than one window.
        """


@runtime_checkable
class StreamingPredictor(AffectPredictor, Protocol):
    """A predictor that hears sound piece by piece, several of them side by side from one reading."""

    def listen(self, sample_rate_hz: int) -> Listener:
        """A new listener for one sound of that rate."""
