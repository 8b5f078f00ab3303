"""Sounds heard by every predictor from one decoding, in several processes; what was heard is kept.

What is kept of a sound counts as long as the sound, the predictor's card and the text of its modules are
the same.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import stft

from analysis.mer.combined import NAME as COMBINED
from analysis.mer.combined import CombinedPredictor
from analysis.mer.files import hear_samples
from analysis.mer.predictor import AffectPredictor, AffectSeries, Listener, PredictorCard
from analysis.mer.registry import EMBEDDED
from study.errors import AudioError
from study.folder import write_whole
from tests.listening.comparator import comparator
from tests.listening.made_sounds import JoinedSound, Sound, source_mark

_SHARED = ("predictor", "sound", "files", "domain")
_LEANS_ON = {"analysis.mer.essentia": ("analysis.mer.musicnn",)}
_FACTS = "facts"
_HEARD_TO_HZ = 8_000.0
"""The centroid is taken of what the predictors hear, so that files of different rates compare."""

ATTEMPTS = 3
"""How often the rest is begun again when a process is killed."""

Advance = Callable[[], None]


@dataclass(frozen=True)
class HeardSound:
    """What was heard of a sound.

    Args:
        series: predictor's name to its series; one that refused the sound is missing.
        refused: predictor's name to why.
        centroid_hz: spectral centroid.
        seams_s: where clips meet in it.
    """

    series: Mapping[str, AffectSeries]
    refused: Mapping[str, str]
    centroid_hz: float
    seams_s: Sequence[float] = ()

    def mean(self, predictor: str) -> tuple[float, float] | None:
        """Mean valence and arousal over its windows; None where it refused."""
        series = self.series.get(predictor)
        if series is None:
            return None
        return float(series.valence_pred.mean()), float(series.arousal_pred.mean())


def predictors_here() -> tuple[tuple[AffectPredictor, ...], str]:
    """The embedded predictors and, where its weights are, the one to compare with; and why it is not."""
    embedded, (compared, reason) = _embedded(), comparator()
    return (*embedded, *([] if compared is None else [compared])), reason


def combined_card() -> PredictorCard:
    """Of the combination."""
    return CombinedPredictor(*_embedded()).card


def hear_all(
    sounds: Sequence[Sound], kept_in: Path, jobs: int, advance: Advance, compared: bool = True
) -> dict[str, HeardSound]:
    """Every sound by its id, heard by each predictor and by the combination.

    Args:
        kept_in: folder of what was heard before.
        jobs: processes.
        advance: called once for each sound.
        compared: whether the predictor to compare with hears them too.
    """
    cards = {one.card.name: one.card for one in predictors_here()[0]}
    names = tuple(cards) if compared else EMBEDDED
    found: dict[str, HeardSound] = {}
    if jobs <= 1:
        for sound in sounds:
            found[sound.sound_id] = _heard(hear_one(sound, kept_in, names), cards)
            advance()
        return found
    left = {sound.sound_id: sound for sound in sounds}
    for attempt in range(ATTEMPTS):
        try:
            with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
                running = {pool.submit(hear_one, sound, kept_in, names): name for name, sound in left.items()}
                for future in as_completed(running):
                    found[running[future]] = _heard(future.result(), cards)
                    del left[running[future]]
                    advance()
            break
        except BrokenProcessPool:
            # A process that the system killed, for want of memory mostly; what was heard is kept.
            if attempt == ATTEMPTS - 1:
                raise
    return {sound.sound_id: found[sound.sound_id] for sound in sounds}


def hear_one(sound: Sound, kept_in: Path, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What each predictor says of one sound, as JSON values, and facts of the sound beside them."""
    mark = sound.mark()
    marks = {name: f"{mark}/{_predictor_mark(name)}" for name in names}
    marks[_FACTS] = f"{mark}/{_HEARD_TO_HZ:g}"
    found = {name: _kept(_file(kept_in, name, sound.sound_id), own) for name, own in marks.items()}
    waiting = [name for name, kept in found.items() if kept is None]
    if waiting:
        samples, rate_hz = sound.sound()
        for name in waiting:
            said = (
                _facts(sound, samples, rate_hz)
                if name == _FACTS
                else _said(_by_name()[name], samples, rate_hz)
            )
            found[name] = said
            content = {"sound": sound.sound_id, "mark": marks[name], **said}
            write_whole(_file(kept_in, name, sound.sound_id), json.dumps(content).encode())
    return {name: kept for name, kept in found.items() if kept is not None}


def centroid_hz(samples: NDArray[np.float32], rate_hz: int) -> float:
    """Spectral centroid up to 8 kHz: the mean frequency of the magnitude spectrum, mean over frames.

    Source: Peeters (2004), A large set of audio features, IRCAM, section 6.1.1.
    """
    mono = samples.mean(axis=1)
    frequencies, _, spectrum = stft(mono, rate_hz, nperseg=2048)
    heard = frequencies <= _HEARD_TO_HZ
    magnitude = np.abs(spectrum[heard])
    total = magnitude.sum(axis=0)
    sounding = total > 1e-3 * total.max(initial=0.0)
    if not sounding.any():
        return 0.0
    return float((frequencies[heard] @ magnitude[:, sounding] / total[sounding]).mean())


def combined(members: Sequence[AffectSeries]) -> AffectSeries:
    """The combination of what both embedded predictors have said already."""
    first, second = (_Told(series) for series in members)
    return CombinedPredictor(first, second).predict(np.zeros((0, 1), dtype=np.float32), 16_000)


@dataclass(frozen=True)
class _Told:
    """A predictor that repeats what was heard before."""

    series: AffectSeries

    @property
    def card(self) -> PredictorCard:
        return self.series.card

    def predict(self, samples: NDArray[np.float32], sample_rate_hz: int) -> AffectSeries:
        return self.series

    def listen(self, sample_rate_hz: int) -> Listener:
        return self

    def hear(self, block: NDArray[np.float32]) -> None:
        pass

    def finish(self) -> AffectSeries:
        return self.series


def _facts(sound: Sound, samples: NDArray[np.float32], rate_hz: int) -> dict[str, Any]:
    seams = sound.joined()[1] if isinstance(sound, JoinedSound) else ()
    return {"centroid_hz": centroid_hz(samples, rate_hz), "seams_s": [seam.at_s for seam in seams]}


def _said(predictor: AffectPredictor, samples: NDArray[np.float32], rate_hz: int) -> dict[str, Any]:
    try:
        (series,) = hear_samples([predictor], samples, rate_hz).values()
    except AudioError as refusal:
        return {"refused": refusal.problem}
    distance = series.domain_distance
    return {
        "onset_s": _rounded(series.onset_s),
        "window_s": series.window_s,
        "valence": _rounded(series.valence_pred),
        "arousal": _rounded(series.arousal_pred),
        "distance": None if distance is None else _rounded(distance),
    }


def _heard(told: Mapping[str, Mapping[str, Any]], cards: Mapping[str, PredictorCard]) -> HeardSound:
    series = {
        name: AffectSeries(
            np.array(said["onset_s"], dtype=np.float64),
            said["window_s"],
            np.array(said["valence"]),
            np.array(said["arousal"]),
            cards[name],
            None,
            None if said["distance"] is None else np.array(said["distance"]),
        )
        for name, said in told.items()
        if "onset_s" in said
    }
    if all(name in series for name in EMBEDDED):
        members = [series[name] for name in EMBEDDED]
        series = {**dict(zip(EMBEDDED, members, strict=True)), COMBINED: combined(members), **series}
    refused = {name: said["refused"] for name, said in told.items() if "refused" in said}
    return HeardSound(series, refused, told[_FACTS]["centroid_hz"], told[_FACTS]["seams_s"])


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 6) for value in values]


def _file(kept_in: Path, predictor: str, sound_id: str) -> Path:
    folder = kept_in / predictor
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{hashlib.sha256(sound_id.encode()).hexdigest()[:24]}.json"


def _kept(path: Path, mark: str) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return content if content.get("mark") == mark else None


@cache
def _embedded() -> tuple[Any, ...]:
    from analysis.mer.registry import load_predictors

    return load_predictors(EMBEDDED)


@cache
def _by_name() -> dict[str, AffectPredictor]:
    return {one.card.name: one for one in predictors_here()[0]}


@cache
def _predictor_mark(name: str) -> str:
    predictor = _by_name()[name]
    card = json.dumps(asdict(predictor.card), default=str, sort_keys=True)
    own = type(predictor).__module__.rpartition(".")[0]
    text = source_mark(own, *_LEANS_ON.get(own, ()), *(f"analysis.mer.{shared}" for shared in _SHARED))
    return hashlib.sha256(f"{card}{text}".encode()).hexdigest()
