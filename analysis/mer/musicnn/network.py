"""The network of musicnn: mel frames in; tags, logits and embeddings out, for every patch of 187 frames.

The network is MSD_musicnn (Pons & Serra, 2019; ISC licence), the backbone of
Essentia's msd-musicnn-1; its outputs equal that pipeline's.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from analysis.mer.musicnn.mel import BANDS, PATCH_FRAMES, PATCH_HOP_FRAMES, PATCH_HOP_S, MelFrames
from study.errors import AudioError

NETWORK = "msd_musicnn.onnx"

Float32 = NDArray[np.float32]
_Outputs = tuple[Float32, Float32, Float32]


@dataclass(frozen=True)
class NetworkOutput:
    """What the network says of every patch of 2.992 s.

    Args:
        onset_s: shape [n_patches], start of each patch in the sound.
        tags: float32, shape [n_patches, 50], probabilities.
        logits: float32, shape [n_patches, 50], before the sigmoid.
        embedding: float32, shape [n_patches, 200], the dense layer before its ReLU and batch norm
            (Essentia's ``model/dense/BiasAdd``).
    """

    onset_s: NDArray[np.float64]
    tags: Float32
    logits: Float32
    embedding: Float32


class MusicnnNetwork:
    """The network, ready to hear any number of sounds.

    Args:
        threads: patches heard at the same time; None takes what the machine offers, four at most.
    """

    def __init__(self, threads: int | None = None) -> None:
        graph = (files("analysis.mer.musicnn") / "weights" / NETWORK).read_bytes()
        self._sha256 = {NETWORK: hashlib.sha256(graph).hexdigest()}
        options = onnxruntime.SessionOptions()
        # Whole patches side by side, not parts of one: a busy neighbour then delays one patch, not all.
        options.intra_op_num_threads = 1
        self.threads = threads or min(os.cpu_count() or 1, 4)
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._pool = ThreadPoolExecutor(self.threads)

    @property
    def sha256(self) -> Mapping[str, str]:
        """File name to SHA-256 of the weights."""
        return self._sha256

    def listen(self, sample_rate_hz: int) -> NetworkListener:
        """A new listener for one sound of that rate."""
        return NetworkListener(self, sample_rate_hz)

    def of_mel(self, mel: Float32) -> NetworkOutput:
        """What it says of mel frames already made.

        Args:
            mel: float32, shape [n_frames, 96], as `analysis.mer.musicnn.mel.MelFrames` makes them.

        Raises:
            AudioError: fewer than 187 frames.
        """
        patches = _Patches(self)
        patches.hear(mel)
        return patches.finish()

    def submit(self, patch: Float32) -> Future[_Outputs]:
        """Tags, logits and embedding of one patch, shape [187, 96], to be had later."""
        return self._pool.submit(self._run, patch)

    def _run(self, patch: Float32) -> _Outputs:
        tags, logits, embedding = self._session.run(["tags", "logits", "embedding"], {"mel": patch[None]})
        return tags, logits, embedding


class NetworkListener:
    """Hears one sound piece by piece; its memory does not grow with the sound."""

    def __init__(self, network: MusicnnNetwork, sample_rate_hz: int) -> None:
        self._frames = MelFrames(sample_rate_hz)
        self._patches = _Patches(network)

    def hear(self, block: Float32) -> None:
        """The next piece: float32, shape [n, n_channels], full scale 1.

        Raises:
            AudioError: NaN, infinity, or samples that are not on a full scale of 1.
        """
        self._patches.hear(self._frames.hear(block))

    def finish(self) -> NetworkOutput:
        """What was heard, when the last piece has been.

        Raises:
            AudioError: all of it together is shorter than 2.96 s.
        """
        self._patches.hear(self._frames.finish())
        return self._patches.finish()


class _Patches:
    """Patches of 187 frames every 93, through the network, in order."""

    def __init__(self, network: MusicnnNetwork) -> None:
        self._network = network
        self._frames: Float32 = np.empty((0, BANDS), dtype=np.float32)
        self._waiting: deque[Future[_Outputs]] = deque()
        self._outputs: list[_Outputs] = []

    def hear(self, frames: Float32) -> None:
        heard = np.concatenate([self._frames, frames])
        while len(heard) >= PATCH_FRAMES:
            self._waiting.append(self._network.submit(heard[:PATCH_FRAMES]))
            heard = heard[PATCH_HOP_FRAMES:]
            if len(self._waiting) > 4 * self._network.threads:
                self._outputs.append(self._waiting.popleft().result())
        self._frames = heard

    def finish(self) -> NetworkOutput:
        self._outputs.extend(future.result() for future in self._waiting)
        if not self._outputs:
            raise AudioError(
                "sound",
                "it is shorter than the 2.96 s that one prediction needs",
                "use three seconds of sound or more",
            )
        tags, logits, embedding = (np.concatenate(parts) for parts in zip(*self._outputs, strict=True))
        onset_s = np.arange(len(tags), dtype=np.float64) * PATCH_HOP_S
        return NetworkOutput(onset_s, tags, logits, embedding)
