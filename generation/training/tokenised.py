"""The windows of one split as examples: tokens from the cache, words and place from the labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generation.training.crops import LabelledCrop
from generation.training.learning.examples import Example
from generation.training.tokens.cache import TokenCache


class TokenisedCrops:
    """`Examples` that read their tokens when they are asked for.

    Args:
        cache: holds the tokens of every window's track.
        crops: of one split.
    """

    def __init__(self, cache: TokenCache, crops: Sequence[LabelledCrop]) -> None:
        self._cache, self._crops = cache, tuple(crops)

    def __len__(self) -> int:
        return len(self._crops)

    def __getitem__(self, number: int) -> Example:
        labelled = self._crops[number]
        return Example(self._cache.crop(labelled.crop), labelled.words, labelled.affect)

    @property
    def affects(self) -> NDArray[np.float64] | None:
        """Valence and arousal of each, shape [n, 2], NaN where unknown; None where none has any."""
        if all(labelled.affect is None for labelled in self._crops):
            return None
        unknown = (np.nan, np.nan)
        places = [
            unknown if labelled.affect is None else (labelled.affect.valence, labelled.affect.arousal)
            for labelled in self._crops
        ]
        return np.array(places, dtype=np.float64)
