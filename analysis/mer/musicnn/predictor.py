"""The embedded predictor: musicnn's tags, read as valence and arousal.

The network is MSD_musicnn (Pons & Serra, 2019; ISC licence), the backbone of
Essentia's msd-musicnn-1; its tags equal that pipeline's to 1e-5 on real music.
What turns tags into affect is ours and can be read: `analysis.mer.musicnn.tag_affect`.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from importlib.resources import files

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from analysis.mer.musicnn.mel import PATCH_HOP_S, PATCH_S, blocks_of, mel_patches
from analysis.mer.musicnn.tag_affect import TagAffect
from analysis.mer.predictor import AffectSeries, PredictorCard
from study.errors import AudioError

NETWORK = "msd_musicnn.onnx"
TAG_MAP = "tag_affect.json"
VERSION = "1"

LIMITS = (
    "It estimates the emotion that music expresses (perceived), not what anyone feels.",
    "It does not hear mode: major or minor hardly moves it; instruments, percussion and brightness do.",
    "It takes busy, percussive sound for pleasant: tense music can be predicted as pleasant.",
    "Electronic timbre raises its arousal in every mood.",
    "Its map from tags to affect is set by reasoning, not fitted to listeners.",
    "It was trained on recorded songs: composed and generated audio lies outside what it has heard.",
)


class MusicnnPredictor:
    """Valence and arousal every 1.488 s, from windows of 2.992 s.

    Args:
        threads: patches heard at the same time; None takes what the machine offers, four at most.
    """

    def __init__(self, threads: int | None = None) -> None:
        weights = {
            name: (files("analysis.mer.musicnn") / "weights" / name).read_bytes()
            for name in (NETWORK, TAG_MAP)
        }
        self._sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in weights.items()}
        self._map = TagAffect.from_json(weights[TAG_MAP].decode())
        options = onnxruntime.SessionOptions()
        # Whole patches side by side, not parts of one: a busy neighbour then delays one patch, not all.
        options.intra_op_num_threads = 1
        self._threads = threads or min(os.cpu_count() or 1, 4)
        self._network = onnxruntime.InferenceSession(
            weights[NETWORK], options, providers=["CPUExecutionProvider"]
        )

    @cached_property
    def card(self) -> PredictorCard:
        """Name, version, weights, licences, limits."""
        return PredictorCard(
            name="musicnn",
            version=f"{VERSION}.{self._map.version}",
            weights_sha256=self._sha256,
            licences={NETWORK: "ISC, © 2019 Music Technology Group, UPF", TAG_MAP: "Apache-2.0"},
            limits=LIMITS,
        )

    @property
    def name(self) -> str:
        """The predictor's name."""
        return self.card.name

    def predict(self, samples: NDArray[np.float32], sample_rate_hz: int) -> AffectSeries:
        """Windowed valence and arousal; see `AffectPredictor.predict`.

        Raises:
            AudioError: shorter than 2.96 s, NaN in the samples, or samples
                that are not on a full scale of 1.
        """
        return self.predict_blocks(blocks_of(samples, sample_rate_hz), sample_rate_hz)

    def predict_blocks(self, blocks: Iterable[NDArray[np.float32]], sample_rate_hz: int) -> AffectSeries:
        """The same for sound that arrives piece by piece, shape [n, n_channels] each."""
        affect = self._map.affect(self.predict_tags(blocks, sample_rate_hz))
        return AffectSeries(
            onset_s=np.arange(len(affect), dtype=np.float64) * PATCH_HOP_S,
            window_s=PATCH_S,
            valence_pred=affect[:, 0],
            arousal_pred=affect[:, 1],
            card=self.card,
        )

    def predict_tags(self, blocks: Iterable[NDArray[np.float32]], sample_rate_hz: int) -> NDArray[np.float32]:
        """Probabilities of the 50 tags, shape [n_windows, 50].

        Raises:
            AudioError: as `predict`.
        """
        tags: list[NDArray[np.float32]] = []
        waiting: deque[Future[NDArray[np.float32]]] = deque()
        with ThreadPoolExecutor(self._threads) as pool:
            for patch in mel_patches(blocks, sample_rate_hz):
                waiting.append(pool.submit(self._tags_of, patch))
                if len(waiting) > 4 * self._threads:
                    tags.append(waiting.popleft().result())
            tags.extend(future.result() for future in waiting)
        if not tags:
            raise AudioError(
                "sound",
                "it is shorter than the 2.96 s that one prediction needs",
                "use three seconds of sound or more",
            )
        return np.concatenate(tags)

    def _tags_of(self, patch: NDArray[np.float32]) -> NDArray[np.float32]:
        # One patch a run: its images (9 MB) stay in the cache; larger batches measured slower.
        tags: NDArray[np.float32] = self._network.run(["tags"], {"mel": patch[None]})[0]
        return tags

    def judge(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[float, float]:
        """Mean valence and arousal in [-1, 1] of one clip; satisfies generation's `AffectJudge`."""
        series = self.predict(samples, sample_rate_hz)
        return float(series.valence_pred.mean()), float(series.arousal_pred.mean())
