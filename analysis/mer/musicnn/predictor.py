"""The embedded predictor: musicnn's tags, read as valence and arousal.

The network is MSD_musicnn (Pons & Serra, 2019; ISC licence), the backbone of
Essentia's msd-musicnn-1; its outputs equal that pipeline's (`analysis.mer.musicnn.network`).
What turns tags into affect is ours and can be read: `analysis.mer.musicnn.tag_affect`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from analysis.mer.domain import ReferenceDomain
from analysis.mer.musicnn.mel import PATCH_S
from analysis.mer.musicnn.network import MusicnnNetwork, NetworkListener, NetworkOutput
from analysis.mer.musicnn.tag_affect import TagAffect
from analysis.mer.predictor import AffectSeries, PredictorCard

TAG_MAP = "tag_affect.json"
DOMAIN = "reference_domain.npz"
VERSION = "2"

LIMITS = (
    "It estimates the emotion that music expresses (perceived), not what anyone feels.",
    "It does not hear mode: major or minor hardly moves it; instruments and percussion do.",
    "A drum kit makes music more pleasant to it (by .5), a synthesiser pad less (by .3), whatever the mood.",
    "It follows the file's level: 12 dB more move its valence up by .3; compare sounds of equal loudness.",
    "Its map from tags to affect is made of published ratings of film music and of words; it is not fitted.",
    "It was trained on recorded songs; generated music was not among them.",
    "Of game music new to it, it put 79 % of pairs in the order of arousal that their names suggest, and "
    "73 % in that of valence (docs/mer.md).",
)


class MusicnnPredictor:
    """Valence and arousal every 1.488 s, from windows of 2.992 s.

    Args:
        threads: as of `MusicnnNetwork`.
    """

    def __init__(self, threads: int | None = None) -> None:
        weights = {
            name: (files("analysis.mer.musicnn") / "weights" / name).read_bytes()
            for name in (TAG_MAP, DOMAIN)
        }
        self._network = MusicnnNetwork(threads)
        ours = {name: hashlib.sha256(content).hexdigest() for name, content in weights.items()}
        self._sha256 = {**self._network.sha256, **ours}
        self._map = TagAffect.from_json(weights[TAG_MAP].decode())
        self._domain = ReferenceDomain.from_npz(weights[DOMAIN])

    @cached_property
    def card(self) -> PredictorCard:
        """Name, version, weights, licences, limits."""
        return PredictorCard(
            name="musicnn",
            version=f"{VERSION}.{self._map.version}",
            weights_sha256=self._sha256,
            licences={
                **dict.fromkeys(self._network.sha256, "ISC, © 2019 Music Technology Group, UPF"),
                TAG_MAP: "Apache-2.0; its places are published numbers, cited beside each",
                DOMAIN: "Apache-2.0; means and covariances of embeddings, no sound",
            },
            limits=LIMITS,
            domain=self._domain.description,
        )

    def listen(self, sample_rate_hz: int) -> MusicnnListener:
        """A new listener for one sound of that rate."""
        return MusicnnListener(self._network.listen(sample_rate_hz), self._series)

    def predict(self, samples: NDArray[np.float32], sample_rate_hz: int) -> AffectSeries:
        """Windowed valence and arousal; see `AffectPredictor.predict`.

        Raises:
            AudioError: shorter than 2.96 s, NaN in the samples, or samples
                that are not on a full scale of 1.
        """
        listener = self.listen(sample_rate_hz)
        listener.hear(samples)
        return listener.finish()

    def _series(self, output: NetworkOutput) -> AffectSeries:
        affect = self._map.affect(output.tags)
        return AffectSeries(
            onset_s=output.onset_s,
            window_s=PATCH_S,
            valence_pred=affect[:, 0],
            arousal_pred=affect[:, 1],
            card=self.card,
            domain_distance=self._domain.distance(output.embedding),
        )


class MusicnnListener:
    """Hears one sound piece by piece; see `analysis.mer.predictor.Listener`."""

    def __init__(self, listener: NetworkListener, series_of: Callable[[NetworkOutput], AffectSeries]) -> None:
        self._listener = listener
        self._series_of = series_of

    def hear(self, block: NDArray[np.float32]) -> None:
        """The next piece: float32, shape [n, n_channels], range [-1, 1].

        Raises:
            AudioError: NaN, infinity, or samples that are not on a full scale of 1.
        """
        self._listener.hear(block)

    def finish(self) -> AffectSeries:
        """What was heard, when the last piece has been.

        Raises:
            AudioError: all of it together is shorter than 2.96 s.
        """
        return self._series_of(self._listener.finish())
