"""From musicnn's 50 tags to valence and arousal: a map anyone can read and dispute.

The map is data (``weights/tag_affect.json``, version, sources and licences inside).
A tag that has a published place on the circumplex enters with that place; every
other tag weighs 0. The places are read as loadings of the tags on the two axes,
and a window's scores are the factor scores they imply: generalised least squares
(Bartlett 1937, British Journal of Psychology 28, 97-104) under the correlation of
the tags over the calibration music, pulled half way to the identity. Tags that
come together (chill, chillout) so share what they have to say, without anyone
deciding it, and what they share with tags of another place is discounted.

The file's ``calibration``, written by ``scripts/calibrate_tag_affect.py``, holds
what that needs, all of it found without a label: each tag's mean strength and
spread over the music named there, the correlations, the resulting coefficients,
and the gain and offset that give the predictions the mean and spread of
published ratings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CORRELATION_PULL = 0.5
"""Share of the identity in the correlation of tags: 0 trusts it to 200 pieces, 1 takes tags as unrelated."""


@dataclass(frozen=True)
class TagAffect:
    """The map, ready to apply.

    Args:
        version: of the data file.
        tags: names, in the network's order.
        places: shape [50, 2], (valence, arousal) of each tag in [-1, 1]; 0 where there is no published one.
        strength_mean, strength_sd: shape [50], of √probability over the calibration music.
        coefficients: shape [50, 2], from standardised strengths to uncorrelated axes of unit spread.
        gain, offset: shape [2], to the spread and mean of published ratings.
    """

    version: str
    tags: tuple[str, ...]
    places: Floats
    strength_mean: Floats
    strength_sd: Floats
    coefficients: Floats
    gain: Floats
    offset: Floats

    @classmethod
    def from_json(cls, text: str) -> TagAffect:
        """Read the data file's text."""
        content: Mapping[str, Any] = json.loads(text)
        calibration = content["calibration"]
        tags = tuple(entry["tag"] for entry in content["tags"])
        coefficients = np.zeros((len(tags), 2))
        for tag, coefficient in calibration["coefficients"].items():
            coefficients[tags.index(tag)] = coefficient
        return cls(
            version=content["version"],
            tags=tags,
            places=places_of(content["tags"]),
            strength_mean=np.array(calibration["strength_mean"]),
            strength_sd=np.array(calibration["strength_sd"]),
            coefficients=coefficients,
            gain=np.array(calibration["gain"]),
            offset=np.array(calibration["offset"]),
        )

    def scores(self, tags: NDArray[np.float32]) -> Floats:
        """Factor scores (valence, arousal), shape [n, 2], uncorrelated over the calibration music.

        The square root gives rare and common tags comparable spreads (the
        variance-stabilising transform of a proportion), and keeps a tag that is
        absent from becoming ever more absent, as its logit would.
        """
        strength = np.sqrt(tags.astype(np.float64))
        return np.asarray((strength - self.strength_mean) / self.strength_sd @ self.coefficients)

    def affect(self, tags: NDArray[np.float32]) -> Floats:
        """Valence and arousal in (-1, 1).

        Args:
            tags: shape [n, 50], probabilities.

        Returns:
            Shape [n, 2]: tanh(offset + gain × scores), smooth, so that nothing is clipped.
        """
        return np.asarray(np.tanh(self.offset + self.gain * self.scores(tags)))


def places_of(entries: list[Mapping[str, Any]]) -> Floats:
    """Shape [n, 2]: weight × (valence, arousal) of the data file's tags."""
    return np.array(
        [(entry["weight"] * entry["valence"], entry["weight"] * entry["arousal"]) for entry in entries]
    )


def factor_coefficients(places: Floats, correlation: Floats, pull: float = CORRELATION_PULL) -> Floats:
    """Coefficients of standardised strengths, shape [n, 2], whose scores are uncorrelated and of unit spread.

    With loadings L and the pulled correlation R, Bartlett's scores have the
    coefficients R⁻¹L (L' R⁻¹ L)⁻¹. They are then made uncorrelated over the
    calibration music symmetrically, so that neither axis gives way to the other
    (Löwdin 1950, Journal of Chemical Physics 18, 365-375: the orthogonal axes
    that lie nearest to the given ones).

    Args:
        places: shape [n, 2], the loadings.
        correlation: shape [n, n], of the strengths over the calibration music.
        pull: share of the identity, from 0 to 1.
    """
    pulled = (1.0 - pull) * correlation + pull * np.eye(len(correlation))
    solved = np.linalg.solve(pulled, places)
    bartlett = solved @ np.linalg.inv(places.T @ solved)
    scores = bartlett.T @ correlation @ bartlett
    unit = bartlett / np.sqrt(np.diag(scores))
    values, vectors = np.linalg.eigh(unit.T @ correlation @ unit)
    return np.asarray(unit @ vectors @ np.diag(values**-0.5) @ vectors.T)
