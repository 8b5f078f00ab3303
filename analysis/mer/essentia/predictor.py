"""Predictors made of Essentia's heads: `essentia`, `essentia-emomusic`, `essentia-deam`, `essentia-muse`.

Two ways lead to the same figures. Without TensorFlow, the backbone is isopath's own musicnn
network and the head's graph is evaluated in numpy; that is the default. With
``ISOPATH_ESSENTIA_BACKEND=library``, essentia-tensorflow does both. Heads on VGGish
(`essentia-emomusic-vggish` and its sisters) have the second way only.
"""

from __future__ import annotations

import hashlib
import os
from functools import cached_property
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from analysis.mer.domain import ReferenceDomain
from analysis.mer.essentia.catalogue import AUTHORS, LICENCE, EssentiaModel, backbone_of, heads_of
from analysis.mer.essentia.head import HALF_SCALE, MIDDLE, Head, read_head
from analysis.mer.essentia.library import PIP_LINE, EssentiaPipeline
from analysis.mer.essentia.store import KeptModel, find_model, graph_here, how_to_get
from analysis.mer.musicnn.mel import PATCH_S
from analysis.mer.musicnn.network import MusicnnNetwork, NetworkListener
from analysis.mer.predictor import AffectSeries, PredictorCard
from study.errors import ModelError, UnknownName

BACKEND_VARIABLE = "ISOPATH_ESSENTIA_BACKEND"
BACKENDS = ("numpy", "library")
DOMAIN = "reference_domain.npz"

LIMITS = (
    "It estimates the emotion that music expresses (perceived), not what anyone feels.",
    "Its valence follows its arousal: one is no evidence beside the other.",
    "It does not hear mode: major or minor hardly moves it; instruments, percussion and brightness do.",
    "Its ratings are on a 1-9 scale, shown as (x - 5) / 4; one outside the scale is shown at its end, and "
    "the window is marked as foreign.",
    f"Its weights are {LICENCE}: they, and what is made from them, may not be used commercially.",
)
UNTRIED = "How it hears was looked at here for the emomusic head only."
UNHELD = "Its file is held to no known SHA-256: compare the one stated with that of whom you trust."
UNORDERED = "That valence comes before arousal was taken from the documentation: no metadata lies beside it."
BEYOND_SCALE = (
    "where a rating is outside the 1-9 scale, its distance from the middle, in half scales, if that is more"
)

Ratings = NDArray[np.float64]


class HeadPredictor:
    """What the two ways share: the card, and a series from ratings.

    Args:
        name: of the predictor.
        kept: the head's files.
    """

    def __init__(self, name: str, kept: KeptModel) -> None:
        self._name = name
        self._kept = kept
        metadata = kept.metadata.read_text(encoding="utf-8", errors="replace") if kept.metadata else None
        self.head: Head = read_head(kept.graph.read_bytes(), metadata, str(kept.graph))
        self._sha256 = dict(kept.sha256)
        self._licences = {kept.model.graph_file: f"{LICENCE}, {AUTHORS}"}
        self._way = "numpy"
        self._domain: ReferenceDomain | None = None
        if kept.model.backbone == "msd-musicnn":
            content = (files("analysis.mer.musicnn") / "weights" / DOMAIN).read_bytes()
            self._domain = ReferenceDomain.from_npz(content)
            self._sha256[DOMAIN] = hashlib.sha256(content).hexdigest()

    @cached_property
    def card(self) -> PredictorCard:
        """Name, version, weights, licences, limits."""
        said = {
            UNTRIED: self._kept.model.ratings != "emomusic",
            UNHELD: self._kept.held_to == "nothing",
            UNORDERED: self.head.order_from == "documentation",
        }
        return PredictorCard(
            name=self._name,
            version=f"{self._kept.model.stem}, {self._way}",
            weights_sha256=self._sha256,
            licences=self._licences,
            limits=(*LIMITS, *(sentence for sentence, applies in said.items() if applies)),
            domain=f"{self._domain.description} Or, {BEYOND_SCALE}."
            if self._domain
            else f"No reference music; 0, or, {BEYOND_SCALE}.",
        )

    @property
    def name(self) -> str:
        """The predictor's name."""
        return self._name

    def series_of(
        self, ratings: Ratings, embedding: NDArray[np.float32], onset_s: NDArray[np.float64], window_s: float
    ) -> AffectSeries:
        """What is shown of ratings on the 1-9 scale, shape [n_windows, 2]."""
        affect = (ratings - MIDDLE) / HALF_SCALE
        beyond = np.abs(affect).max(axis=1)
        distance = np.zeros(len(affect)) if self._domain is None else self._domain.distance(embedding)
        shown = np.clip(affect, -1.0, 1.0)
        return AffectSeries(
            onset_s=onset_s,
            window_s=window_s,
            valence_pred=shown[:, 0],
            arousal_pred=shown[:, 1],
            card=self.card,
            domain_distance=np.where(beyond > 1.0, np.maximum(distance, beyond), distance),
        )


class NumpyHeadPredictor(HeadPredictor):
    """A head on isopath's own musicnn network; valence and arousal every 1.488 s, from windows of 2.992 s.

    Args:
        threads: as of `MusicnnNetwork`.

    Raises:
        ModelError: the head is on another backbone, or cannot be read.
    """

    def __init__(self, name: str, kept: KeptModel, threads: int | None = None) -> None:
        super().__init__(name, kept)
        if kept.model.backbone != "msd-musicnn":
            raise ModelError(
                name,
                f"{kept.model.stem} needs VGGish, which only the library has",
                f"set {BACKEND_VARIABLE}=library; {PIP_LINE}",
            )
        self._network = MusicnnNetwork(threads)
        self._sha256.update(self._network.sha256)
        self._licences.update(dict.fromkeys(self._network.sha256, "ISC, © 2019 Music Technology Group, UPF"))

    def listen(self, sample_rate_hz: int) -> HeadListener:
        """A new listener for one sound of that rate."""
        return HeadListener(self, self._network.listen(sample_rate_hz))

    def predict(self, samples: NDArray[np.float32], sample_rate_hz: int) -> AffectSeries:
        """Windowed valence and arousal; see `AffectPredictor.predict`.

        Raises:
            AudioError: shorter than 2.96 s, NaN in the samples, or not on a full scale of 1.
        """
        listener = self.listen(sample_rate_hz)
        listener.hear(samples)
        return listener.finish()

    def rate(self, samples: NDArray[np.float32], sample_rate_hz: int) -> Ratings:
        """The head's own figures on the 1-9 scale, shape [n_windows, 2]; arguments as of `predict`."""
        listener = self._network.listen(sample_rate_hz)
        listener.hear(samples)
        return self.head.rate(listener.finish().embedding)


class HeadListener:
    """Hears one sound piece by piece; see `analysis.mer.predictor.Listener`."""

    def __init__(self, predictor: NumpyHeadPredictor, listener: NetworkListener) -> None:
        self._predictor = predictor
        self._listener = listener

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
        heard = self._listener.finish()
        ratings = self._predictor.head.rate(heard.embedding)
        return self._predictor.series_of(ratings, heard.embedding, heard.onset_s, PATCH_S)


class LibraryHeadPredictor(HeadPredictor):
    """A head in essentia-tensorflow. It hears a sound at once: its memory grows with it, 64 kB a second.

    Args:
        backbone: the backbone's files.

    Raises:
        ModelError: the library is not installed, or refuses a graph.
    """

    def __init__(self, name: str, kept: KeptModel, backbone: KeptModel) -> None:
        super().__init__(name, kept)
        self._pipeline = EssentiaPipeline(kept.model.backbone, backbone.graph, kept.graph, self.head)
        self._way = f"essentia {self._pipeline.version}"
        self._sha256[backbone.graph.name] = backbone.sha256[backbone.graph.name]
        self._licences[backbone.graph.name] = f"{LICENCE}, {AUTHORS}"
        self._licences["essentia-tensorflow"] = "AGPL-3.0"

    def predict(self, samples: NDArray[np.float32], sample_rate_hz: int) -> AffectSeries:
        """Windowed valence and arousal; see `AffectPredictor.predict`.

        Raises:
            AudioError: shorter than one window, NaN in the samples, or not on a full scale of 1.
            ModelError: the library fails.
        """
        ratings, embedding = self._pipeline.rate(samples, sample_rate_hz)
        backbone = self._pipeline.backbone
        onset_s = np.arange(len(ratings), dtype=np.float64) * backbone.hop_s
        return self.series_of(ratings, embedding, onset_s, backbone.window_s)

    def rate(self, samples: NDArray[np.float32], sample_rate_hz: int) -> Ratings:
        """The head's own figures on the 1-9 scale, shape [n_windows, 2]; arguments as of `predict`."""
        return self._pipeline.rate(samples, sample_rate_hz)[0]


def load_head_predictor(name: str, ratings: str, backbone: str) -> NumpyHeadPredictor | LibraryHeadPredictor:
    """The predictor of one head, of the latest generation that is on this machine.

    Raises:
        UnknownName: the variable names no way to run it.
        ModelError: weights or the library are missing: says which files to get from where, under which
            licences; or they are not what they must be.
    """
    way = os.environ.get(BACKEND_VARIABLE) or ("numpy" if backbone == "msd-musicnn" else "library")
    if way not in BACKENDS:
        raise UnknownName(
            BACKEND_VARIABLE, f"{way!r} is no way to run a head", "write " + " or ".join(BACKENDS)
        )
    heads = heads_of(ratings, backbone)
    here = [model for model in heads if graph_here(model)]
    missing: list[tuple[EssentiaModel, ...]] = [] if here else [heads]
    if way == "library" and not graph_here(backbone_of(backbone)):
        missing.append((backbone_of(backbone),))
    if missing:
        needed = "needed for this" if way == "library" else f"needed only with {BACKEND_VARIABLE}=library"
        raise ModelError(
            f"predictor {name}",
            " and ".join(models[0].graph_file for models in missing) + " is not on this machine",
            ". ".join(how_to_get(models) for models in missing)
            + f". The library essentia-tensorflow (AGPL-3.0) is {needed}: {PIP_LINE}",
        )
    kept = find_model(here[0].name)
    if way == "numpy":
        return NumpyHeadPredictor(name, kept)
    return LibraryHeadPredictor(name, kept, find_model(backbone_of(backbone).name))


def essentia() -> NumpyHeadPredictor | LibraryHeadPredictor:
    """The head its maintainers name best of all: emomusic on msd-musicnn."""
    return load_head_predictor("essentia", "emomusic", "msd-musicnn")


def emomusic() -> NumpyHeadPredictor | LibraryHeadPredictor:
    """`essentia-emomusic`: the same head under its own name."""
    return load_head_predictor("essentia-emomusic", "emomusic", "msd-musicnn")


def deam() -> NumpyHeadPredictor | LibraryHeadPredictor:
    """`essentia-deam`: of the other two, the better for arousal by its maintainers' word."""
    return load_head_predictor("essentia-deam", "deam", "msd-musicnn")


def muse() -> NumpyHeadPredictor | LibraryHeadPredictor:
    """`essentia-muse`: of the other two, the better for valence by its maintainers' word."""
    return load_head_predictor("essentia-muse", "muse", "msd-musicnn")


def emomusic_vggish() -> NumpyHeadPredictor | LibraryHeadPredictor:
    """`essentia-emomusic-vggish`: with the library only."""
    return load_head_predictor("essentia-emomusic-vggish", "emomusic", "audioset-vggish")


def deam_vggish() -> NumpyHeadPredictor | LibraryHeadPredictor:
    """`essentia-deam-vggish`: with the library only."""
    return load_head_predictor("essentia-deam-vggish", "deam", "audioset-vggish")


def muse_vggish() -> NumpyHeadPredictor | LibraryHeadPredictor:
    """`essentia-muse-vggish`: with the library only."""
    return load_head_predictor("essentia-muse-vggish", "muse", "audioset-vggish")
