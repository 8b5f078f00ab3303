"""The field's own pipeline, in its own library.

essentia-tensorflow is AGPL-3.0 software and is imported only when a person asks for it. The
steps and their settings are those of Essentia's examples for these heads
(https://essentia.upf.edu/models.html): sound at 16 kHz resampled with quality 4, the backbone's
algorithm with its own patches, `TensorflowPredict2D`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType

import numpy as np
from numpy.typing import NDArray

from analysis.mer.essentia.head import Head
from analysis.mer.sound import checked_mono
from study.errors import AudioError, ModelError

PIP_LINE = "pip install 'isopath[essentia]'"
_RATE_HZ = 16_000
_RESAMPLE_QUALITY = 4


@dataclass(frozen=True)
class Backbone:
    """How Essentia runs a backbone: its algorithm, the node of its embeddings, its patches.

    Args:
        window_s, hop_s: of a patch: 187 frames of 256 samples every 93, or 96 frames of 160 every 93.
    """

    algorithm: str
    node: str
    window_s: float
    hop_s: float


BACKBONES: Mapping[str, Backbone] = MappingProxyType(
    {
        "msd-musicnn": Backbone(
            "TensorflowPredictMusiCNN", "model/dense/BiasAdd", 187 * 256 / _RATE_HZ, 93 * 256 / _RATE_HZ
        ),
        "audioset-vggish": Backbone(
            "TensorflowPredictVGGish", "model/vggish/embeddings", 96 * 160 / _RATE_HZ, 93 * 160 / _RATE_HZ
        ),
    }
)


class EssentiaPipeline:
    """A backbone and a head in essentia-tensorflow.

    Args:
        backbone: a name of `BACKBONES`.
        backbone_graph, head_graph: their ``.pb`` files.
        head: what was read of the second: its nodes and the order of what it says.

    Raises:
        ModelError: the library is not installed, lacks TensorFlow, or refuses a graph.
    """

    def __init__(self, backbone: str, backbone_graph: Path, head_graph: Path, head: Head) -> None:
        self._essentia = _loaded()
        self._head = head
        self.backbone = BACKBONES[backbone]
        algorithms = self._essentia.standard
        try:
            self._embed = getattr(algorithms, self.backbone.algorithm)(
                graphFilename=str(backbone_graph), output=self.backbone.node
            )
            self._rate = algorithms.TensorflowPredict2D(
                graphFilename=str(head_graph), input=head.input, output=head.output
            )
        except RuntimeError as problem:
            raise ModelError(
                f"{backbone_graph.name} and {head_graph.name}",
                f"essentia refuses them: {_first_line(problem)}",
                "fetch both again",
            ) from problem

    @property
    def version(self) -> str:
        """Of the library."""
        return str(self._essentia.__version__)

    def rate(
        self, samples: NDArray[np.float32], sample_rate_hz: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Ratings and embeddings of a sound's windows.

        Args:
            samples: float32, shape [n_samples, n_channels], range [-1, 1].

        Returns:
            Valence and arousal on the 1-9 scale, shape [n_windows, 2]; embeddings, [n_windows, width].

        Raises:
            AudioError: shorter than one window, NaN, or not on a full scale of 1.
            ModelError: the library fails on it.
        """
        mono = np.ascontiguousarray(checked_mono(samples), dtype=np.float32)
        try:
            if sample_rate_hz != _RATE_HZ and mono.size:
                mono = self._essentia.standard.Resample(
                    inputSampleRate=sample_rate_hz, outputSampleRate=_RATE_HZ, quality=_RESAMPLE_QUALITY
                )(mono)
            embedding = np.asarray(self._embed(mono) if mono.size else [], dtype=np.float32)
            if not embedding.size:
                raise AudioError(
                    "sound",
                    f"it is shorter than the {self.backbone.window_s:.2f} s that one prediction needs",
                    "use three seconds of sound or more",
                )
            said = np.asarray(self._rate(embedding), dtype=np.float64)
        except RuntimeError as problem:
            raise ModelError(
                "essentia", f"it failed: {_first_line(problem)}", "fetch both graphs again"
            ) from problem
        return self._head.in_order(said), embedding


def _loaded() -> ModuleType:
    # TensorFlow speaks on standard error and essentia on standard output unless told otherwise.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        import essentia

        essentia.log.infoActive = False
        essentia.log.warningActive = False
        import essentia.standard
    except ImportError as problem:
        raise ModelError(
            "essentia",
            f"the library essentia-tensorflow is not installed ({problem})",
            f"{PIP_LINE} (AGPL-3.0 software, 292 MB, for Linux on x86-64 and macOS)",
        ) from problem
    if not hasattr(essentia.standard, "TensorflowPredict2D"):
        raise ModelError(
            "essentia",
            "the library that is installed has no TensorFlow",
            f"pip uninstall essentia, then {PIP_LINE}",
        )
    module: ModuleType = essentia
    return module


def _first_line(problem: Exception) -> str:
    return str(problem).strip().partition("\n")[0]
