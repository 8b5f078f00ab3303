"""musicnn's predictions together with what its network saw, from one hearing.

The embedding is the network's dense layer of 200 (`analysis.mer.musicnn.network`); it says which music a
sound is like, whatever its valence and arousal: distances between collections of sound are taken in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.mer.musicnn.network import NetworkOutput
from analysis.mer.musicnn.predictor import MusicnnPredictor
from analysis.mer.predictor import AffectPredictor, AffectSeries

EMBEDDED_BY = "musicnn"


class EmbeddingMusicnn(MusicnnPredictor):
    """The predictor `musicnn`, whose network's embeddings of the last sound can be asked for."""

    _last: NetworkOutput | None = None

    def embedding_of(self, series: AffectSeries) -> NDArray[np.float32]:
        """Embeddings of the windows of a series, which must be that of the last sound heard.

        Returns:
            float32, shape [n_windows, 200]; a window that was left out of the series as silent is left out.

        Raises:
            ValueError: nothing was heard yet.
        """
        if self._last is None:
            raise ValueError("nothing was heard yet")
        return self._last.embedding[np.isin(self._last.onset_s, series.onset_s)]

    def _series(self, output: NetworkOutput) -> AffectSeries:
        self._last = output
        return super()._series(output)


def with_embedding(
    predictors: Sequence[AffectPredictor],
) -> tuple[tuple[AffectPredictor, ...], EmbeddingMusicnn | None]:
    """The same predictors, `musicnn` made to keep its embeddings; and that one, None where there is none."""
    embedding = next(
        (EmbeddingMusicnn() for one in predictors if type(one) is MusicnnPredictor),
        next((one for one in predictors if isinstance(one, EmbeddingMusicnn)), None),
    )
    if embedding is None:
        return tuple(predictors), None
    return tuple(embedding if isinstance(one, MusicnnPredictor) else one for one in predictors), embedding
