"""From musicnn's 50 tags to valence and arousal: a map anyone can read and dispute.

The map is data (``weights/tag_affect.json``, version and sources inside). Each
tag has a place on the circumplex, set by the authors and not fitted. Its
``calibration``, written by ``scripts/calibrate_tag_affect.py``, holds each tag's
mean strength and spread over the music named there, the mixing that makes the
two axes uncorrelated over it, and the gain and offset that give the predictions
the mean and spread of published ratings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TagAffect:
    """The map, ready to apply.

    Args:
        version: of the data file.
        tags: names, in the network's order.
        places: shape [50, 2], weight × (valence, arousal) of each tag; 0 where a tag says nothing.
        strength_mean, strength_sd: shape [50], of √probability over the calibration music.
        mix: shape [2, 2], from weighted sums to uncorrelated axes of unit spread.
        gain, offset: shape [2], to the spread and mean of published ratings.
    """

    version: str
    tags: tuple[str, ...]
    places: Floats
    strength_mean: Floats
    strength_sd: Floats
    mix: Floats
    gain: Floats
    offset: Floats

    @classmethod
    def from_json(cls, text: str) -> TagAffect:
        """Read the data file's text."""
        content: Mapping[str, Any] = json.loads(text)
        entries, calibration = content["tags"], content["calibration"]
        weight = np.array([entry["weight"] for entry in entries])
        places = np.array([(entry["valence"], entry["arousal"]) for entry in entries])
        return cls(
            version=content["version"],
            tags=tuple(entry["tag"] for entry in entries),
            places=places * weight[:, None],
            strength_mean=np.array(calibration["strength_mean"]),
            strength_sd=np.array(calibration["strength_sd"]),
            mix=np.array(calibration["mix"]),
            gain=np.array(calibration["gain"]),
            offset=np.array(calibration["offset"]),
        )

    def scores(self, tags: NDArray[np.float32]) -> Floats:
        """Weighted sums of standardised tag strengths, shape [n, 2].

        The square root gives rare and common tags comparable spreads (the
        variance-stabilising transform of a proportion).
        """
        strength = np.sqrt(tags.astype(np.float64))
        return np.asarray((strength - self.strength_mean) / self.strength_sd @ self.places)

    def affect(self, tags: NDArray[np.float32]) -> Floats:
        """Valence and arousal in (-1, 1).

        Args:
            tags: shape [n, 50], probabilities.

        Returns:
            Shape [n, 2]: tanh(offset + gain × mix × scores), smooth, so that nothing is clipped.
        """
        return np.asarray(np.tanh(self.offset + self.gain * (self.scores(tags) @ self.mix.T)))
