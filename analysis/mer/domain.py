"""How far sound lies from the music a predictor was calibrated on.

A reference is the mean and covariance of feature vectors of windows of music;
the distance of a window is Mahalanobis's from that mean (as Lee, Lee, Lee &
Shin 2018, NeurIPS 31, do in a network's feature space). Its unit is the edge:
the distance under which 95 % of the windows of *held-out* pieces stay, each
measured from a reference that was fitted without its piece.

A large distance says that nothing like this was in the calibration; a small
one does not say that a prediction is right.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from study.errors import OutOfRange

Floats = NDArray[np.float64]
Features = NDArray[np.float32] | Floats

EDGE_QUANTILE = 0.95
FOLDS = 10


@dataclass(frozen=True)
class ReferenceDomain:
    """Distance of feature vectors from reference music, scaled so that 1 is the edge.

    Args:
        mean: shape [d], of the reference's feature vectors.
        whitening: shape [d, d], lower triangular; turns differences from the mean into
            uncorrelated ones of unit variance.
        edge: Mahalanobis distance that the unit stands for.
        description: what music it is and how the edge was set, for `PredictorCard.domain`.
    """

    mean: Floats
    whitening: Floats
    edge: float
    description: str

    def distance(self, features: Features) -> Floats:
        """Distance of each feature vector, shape [n, d] → [n]; above 1 is foreign to the reference."""
        return _mahalanobis(features, self.mean, self.whitening) / self.edge

    @classmethod
    def fitted(
        cls,
        features: Features,
        pieces: Sequence[str],
        music: str,
        edge_quantile: float = EDGE_QUANTILE,
    ) -> ReferenceDomain:
        """The reference of some windows of music.

        Args:
            features: shape [n, d], finite.
            pieces: n names: the piece each window is of.
            music: what music it is, for the description: "240 pieces of …".
            edge_quantile: share of held-out windows within the edge.

        Raises:
            OutOfRange: fewer pieces than `FOLDS`.
        """
        edge = float(np.quantile(held_out_distance(features, pieces), edge_quantile))
        mean, whitening = _mean_and_whitening(features)
        return cls(
            mean,
            whitening,
            edge,
            f"Mahalanobis distance of {features.shape[1]} features from {len(features)} windows of {music}; "
            f"correlations shrunk after Ledoit & Wolf (2004); 1 is the distance within which "
            f"{edge_quantile:.0%} of the windows of pieces left out of the reference lie "
            f"({FOLDS} folds by piece).",
        )

    @classmethod
    def from_npz(cls, content: bytes) -> ReferenceDomain:
        """Read the bytes of a file that `to_npz` made."""
        with np.load(io.BytesIO(content), allow_pickle=False) as kept:
            mean = kept["mean"].astype(np.float64)
            whitening = np.zeros((len(mean), len(mean)))
            whitening[np.tril_indices(len(mean))] = kept["whitening"]
            return cls(mean, whitening, float(kept["edge"]), str(kept["description"]))

    def to_npz(self) -> bytes:
        """The reference as bytes: float32, the whitening's lower triangle only (80 KB for 200 features)."""
        file = io.BytesIO()
        np.savez(
            file,
            mean=self.mean.astype(np.float32),
            whitening=self.whitening[np.tril_indices(len(self.mean))].astype(np.float32),
            edge=np.float64(self.edge),
            description=np.array(self.description),
        )
        return file.getvalue()


def held_out_distance(features: Features, pieces: Sequence[str], folds: int = FOLDS) -> Floats:
    """Mahalanobis distance of each window from a reference fitted without its piece, shape [n].

    Pieces are dealt to the folds in the order of their first window; windows of one
    piece stay together, since they resemble each other more than they do other music.

    Raises:
        OutOfRange: fewer pieces than folds.
    """
    names = list(dict.fromkeys(pieces))
    if len(names) < folds:
        raise OutOfRange(
            "pieces", f"{len(names)} cannot be dealt to {folds} folds", f"take {folds} pieces or more"
        )
    fold_of = {name: index % folds for index, name in enumerate(names)}
    fold = np.array([fold_of[piece] for piece in pieces])
    distance = np.empty(len(features))
    for index in range(folds):
        left_out = fold == index
        distance[left_out] = _mahalanobis(features[left_out], *_mean_and_whitening(features[~left_out]))
    return distance


def shrunk_covariance(features: Features) -> tuple[Floats, float]:
    """Covariance of rows, shape [d, d], pulled towards a multiple of the identity, and by how much.

    Ledoit & Wolf (2004), Journal of Multivariate Analysis 88, 365-411, lemmas 3.2-3.5:
    with S the sample covariance (divided by n), m = tr S / d, δ² = |S - m I|² and
    β² = min(δ², mean over rows of |x x' - S|² / n), the result is
    (β²/δ²) m I + (1 - β²/δ²) S. The shrinkage β²/δ² is the second thing returned.
    """
    centred = np.asarray(features, dtype=np.float64) - np.mean(features, axis=0, dtype=np.float64)
    n, d = centred.shape
    sample = centred.T @ centred / n
    m = np.trace(sample) / d
    delta = float(np.sum((sample - m * np.eye(d)) ** 2))
    # The mean of |x x' - S|² is the mean of |x|⁴ less |S|².
    beta = float((np.mean(np.sum(centred**2, axis=1) ** 2) - np.sum(sample**2)) / n)
    shrinkage = min(beta / delta, 1.0) if delta > 0.0 else 1.0
    return shrinkage * m * np.eye(d) + (1.0 - shrinkage) * sample, shrinkage


def _mean_and_whitening(features: Features) -> tuple[Floats, Floats]:
    exact = np.asarray(features, dtype=np.float64)
    mean, sd = exact.mean(axis=0), exact.std(axis=0)
    # Shrunk in units of each feature's spread, so that hertz and shares can stand side by side.
    unit = np.where(sd > 0.0, sd, 1.0)
    covariance, _ = shrunk_covariance((exact - mean) / unit)
    return mean, np.linalg.inv(np.linalg.cholesky(covariance)) / unit


def _mahalanobis(features: Features, mean: Floats, whitening: Floats) -> Floats:
    return np.asarray(np.linalg.norm((features - mean) @ whitening.T, axis=1))
