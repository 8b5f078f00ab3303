"""The embedded predictor that can be audited: what is heard of a dozen cues, read by published numbers.

It hears mode, which musicnn does not, and it does not know what an instrument is,
which musicnn knows best: where the two agree, they agree for different reasons.
`CuesPredictor.cues_of` gives every cue of every window in physical units, so that
a prediction can be taken apart.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from analysis.mer.cues.frames import CueFrames, CueWindow
from analysis.mer.cues.transfer import CueTransfer, features_of
from analysis.mer.cues.window_cues import WindowCues, hear_cues
from analysis.mer.domain import ReferenceDomain
from analysis.mer.predictor import AffectSeries, PredictorCard

CUE_MAP = "cue_affect.json"
DOMAIN = "cue_domain.npz"
VERSION = "1"

LIMITS = (
    "It estimates the emotion that music expresses (perceived), not what anyone feels.",
    "It adds up a few cues; what instruments, words, style and memory express it does not know.",
    "Its coefficients come from ratings of 200 variants of four melodies; with whole music their transfer is "
    "what stands to be tested.",
    "Mode is heard on one window of 12 s: without a clear key, or with drums alone, it says little.",
    "Notes that begin softly (held strings, pads, blown legato) are counted as fewer than they are.",
    "Loudness is the file's: mastering to one level hides much of what sets calm and lively music apart.",
    "The composer uses the same published cues: of composed music it is a check, not a second opinion.",
    "Of game music new to it, it put 72 % of pairs in the order of valence that their names suggest, but "
    "only 59 % in that of arousal: calm ambient pieces are heard as lively (docs/mer.md).",
)


class CuesPredictor:
    """Valence and arousal every 3 s, from windows of 12 s.

    Args:
        threads: windows heard at the same time; None takes what the machine offers, two at most.
    """

    def __init__(self, threads: int | None = None) -> None:
        weights = {
            name: (files("analysis.mer.cues") / "weights" / name).read_bytes() for name in (CUE_MAP, DOMAIN)
        }
        self._sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in weights.items()}
        self.transfer = CueTransfer.from_json(weights[CUE_MAP].decode())
        self._domain = ReferenceDomain.from_npz(weights[DOMAIN])
        self._threads = threads or min(os.cpu_count() or 1, 2)

    @cached_property
    def card(self) -> PredictorCard:
        """Name, version, weights, licences, limits."""
        return PredictorCard(
            name="cues",
            version=f"{VERSION}.{self.transfer.version}",
            weights_sha256=self._sha256,
            licences={
                CUE_MAP: "Apache-2.0; its coefficients are published numbers, cited beside each",
                DOMAIN: "Apache-2.0; means and covariances of cues, no sound",
            },
            limits=LIMITS,
            domain=self._domain.description,
        )

    def listen(self, sample_rate_hz: int) -> CuesListener:
        """A new listener for one sound of that rate.

        Raises:
            AudioError: a rate outside 8 to 192 kHz.
        """
        return CuesListener(self, sample_rate_hz, self._threads)

    def predict(self, samples: NDArray[np.float32], sample_rate_hz: int) -> AffectSeries:
        """Windowed valence and arousal; see `AffectPredictor.predict`.

        Raises:
            AudioError: shorter than 3 s, NaN in the samples, or samples that are not on a full scale of 1.
        """
        listener = self.listen(sample_rate_hz)
        listener.hear(samples)
        return listener.finish()

    def cues_of(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[WindowCues, ...]:
        """Every cue of every window; arguments and errors as `predict`."""
        listener = self.listen(sample_rate_hz)
        listener.hear(samples)
        listener.finish()
        return listener.cues

    def series_of(self, cues: tuple[WindowCues, ...], window_s: float) -> AffectSeries:
        """What the map makes of cues that were heard already."""
        features = features_of(cues)
        affect = self.transfer.affect(features)
        return AffectSeries(
            onset_s=np.array([one.onset_s for one in cues]),
            window_s=window_s,
            valence_pred=affect[:, 0],
            arousal_pred=affect[:, 1],
            card=self.card,
            domain_distance=self._domain.distance(self.transfer.standardised(features)),
        )


class CuesListener:
    """Hears one sound piece by piece; what it keeps of it are a dozen numbers every three seconds."""

    def __init__(self, predictor: CuesPredictor, sample_rate_hz: int, threads: int) -> None:
        self._predictor = predictor
        self._frames = CueFrames(sample_rate_hz)
        self._pool = ThreadPoolExecutor(threads)
        self._most_waiting = 2 * threads
        self._waiting: deque[Future[WindowCues]] = deque()
        self._cues: list[WindowCues] = []
        self._window_s = 0.0

    @property
    def cues(self) -> tuple[WindowCues, ...]:
        """Every cue of the windows heard so far; of all of them after `finish`."""
        return tuple(self._cues)

    def hear(self, block: NDArray[np.float32]) -> None:
        """The next piece; see `Listener.hear`."""
        self._take(self._frames.hear(block))

    def finish(self) -> AffectSeries:
        """What was heard.

        Raises:
            AudioError: all of it together is shorter than 3 s.
        """
        with self._pool:
            self._take(self._frames.finish())
            self._wait_for(0)
        return self._predictor.series_of(self.cues, self._window_s)

    def _take(self, windows: list[CueWindow]) -> None:
        for window in windows:
            self._window_s = window.duration_s
            self._waiting.append(self._pool.submit(hear_cues, window))
            # Windows wait with their spectra: a few of them, not the whole sound.
            self._wait_for(self._most_waiting)

    def _wait_for(self, most: int) -> None:
        while len(self._waiting) > most:
            self._cues.append(self._waiting.popleft().result())
