"""The network of musicnn: mel frames in; tags, logits and embeddings out, for every patch of 187 frames.

The network is MSD_musicnn (Pons & Serra, 2019; ISC licence), the backbone of
Essentia's msd-musicnn-1; its outputs equal that pipeline's. What the two patches
that overlap in a hop of 93 frames would compute alike is computed once, by a
graph of its own; how, `scripts/musicnn_timbral.py` says.
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

HOP_GRAPH = "musicnn_hop.onnx"
PATCH_GRAPH = "musicnn_patch.onnx"
#: Frames the hop graph sees: a hop, and three beyond the next patch's third.
_HOP_FRAMES = PATCH_HOP_FRAMES + 6
_SEEN_FRAMES = PATCH_HOP_FRAMES + _HOP_FRAMES

Float32 = NDArray[np.float32]


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
        threads: hops and patches computed at the same time; None takes what the machine offers, four at most.
    """

    def __init__(self, threads: int | None = None) -> None:
        weights = files("analysis.mer.musicnn") / "weights"
        graphs = {name: (weights / name).read_bytes() for name in (HOP_GRAPH, PATCH_GRAPH)}
        self._sha256 = {name: hashlib.sha256(graph).hexdigest() for name, graph in graphs.items()}
        options = onnxruntime.SessionOptions()
        # Whole patches side by side, not parts of one: a busy neighbour then delays one patch, not all.
        options.intra_op_num_threads = 1
        self._hop, self._patch = (
            onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
            for graph in graphs.values()
        )
        self.threads = threads or min(os.cpu_count() or 1, 4)
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

    def submit_hop(self, mel: Float32) -> Future[Float32]:
        """What both patches that hold a hop need of it, to be had later; mel of shape [99, 96]."""
        return self._pool.submit(self._run_hop, mel)

    def submit_patch(
        self, mel: Float32, first: Future[Float32], second: Future[Float32]
    ) -> Future[tuple[Float32, ...]]:
        """Tags, logits and embedding of a patch, to be had later.

        Args:
            mel: shape [187, 96].
            first, second: its hop and the next, submitted before (the pool begins in that order,
                so that no patch waits for a hop which nobody computes).
        """
        return self._pool.submit(self._run_patch, mel, first, second)

    def _run_hop(self, mel: Float32) -> Float32:
        (hop,) = self._hop.run(["hop"], {"mel": mel})
        return np.asarray(hop)

    def _run_patch(
        self, mel: Float32, first: Future[Float32], second: Future[Float32]
    ) -> tuple[Float32, ...]:
        hops = {"first": first.result(), "second": second.result()}
        return tuple(self._patch.run(["tags", "logits", "embedding"], {"mel": mel, **hops}))


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
        self._hop: Future[Float32] | None = None
        self._waiting: deque[Future[tuple[Float32, ...]]] = deque()
        self._outputs: list[tuple[Float32, ...]] = []

    def hear(self, frames: Float32) -> None:
        heard = np.concatenate([self._frames, frames])
        while len(heard) >= _SEEN_FRAMES:
            self._submit(heard[:_SEEN_FRAMES])
            heard = heard[PATCH_HOP_FRAMES:]
            if len(self._waiting) > 4 * self._network.threads:
                self._outputs.append(self._waiting.popleft().result())
        self._frames = heard

    def finish(self) -> NetworkOutput:
        n_missing = _SEEN_FRAMES - len(self._frames)
        if n_missing <= _SEEN_FRAMES - PATCH_FRAMES:
            # What lies beyond the last patch is never looked at.
            self._submit(np.pad(self._frames, [(0, n_missing), (0, 0)]))
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

    def _submit(self, frames: Float32) -> None:
        first = self._hop or self._network.submit_hop(frames[:_HOP_FRAMES])
        second = self._hop = self._network.submit_hop(frames[PATCH_HOP_FRAMES:])
        self._waiting.append(self._network.submit_patch(frames[:PATCH_FRAMES], first, second))
