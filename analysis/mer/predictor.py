"""What a music emotion predictor is, and what it says.

Every predictor estimates *perceived* emotion: what the music expresses to a
listener, not what anyone felt. Keep the two apart in names and sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from study.errors import UnknownName

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


ENTRY_POINTS = "isopath.predictors"


def load_predictor(name: str = "musicnn") -> AffectPredictor:
    """The predictor of that name: the embedded one, or one plugged in.

    Others join through the entry-point group ``isopath.predictors``: a callable
    without arguments that returns an `AffectPredictor`.

    Raises:
        UnknownName: no such predictor is installed.
    """
    if name == "musicnn":
        from analysis.mer.musicnn import MusicnnPredictor

        return MusicnnPredictor()
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name == name:
            predictor: AffectPredictor = entry.load()()
            return predictor
    known = "write one of " + ", ".join(predictor_names())
    if name == "essentia":
        raise UnknownName(
            "predictor",
            "'essentia' is not built in (its library is AGPL-3.0, its models CC BY-NC-SA 4.0)",
            "pip install 'isopath[essentia]', fetch the models yourself and install a package that"
            f" registers a predictor under {ENTRY_POINTS}; or {known}",
        )
    raise UnknownName("predictor", f"{name!r} is not a predictor", known)


def predictor_names() -> tuple[str, ...]:
    """The embedded predictor and every plugged-in one."""
    return ("musicnn", *sorted(entry.name for entry in entry_points(group=ENTRY_POINTS)))
