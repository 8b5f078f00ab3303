"""What predictors hear in the sessions of a study, kept beside them.

Predictions are computed from the audio and may be deleted: they are made anew.
A kept one counts only for the same audio, predictor, version and weights.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.mer.files import hear_file
from analysis.mer.predictor import AffectPredictor, AffectSeries, PredictorCard
from study.canonical import canonical_json, canonical_sha256
from study.errors import AudioError
from study.folder import file_sha256, write_whole

SessionKey = tuple[str, str]
"""(participant_id, session_id)."""

Predictions = Mapping[SessionKey, Mapping[str, AffectSeries]]
"""Session to predictor's name to what it hears there."""


@dataclass(frozen=True)
class HeardSession:
    """A session to be heard: whose it is, and its sound file with its SHA-256."""

    key: SessionKey
    audio: Path
    audio_sha256: str


def hear_sessions(
    sessions: Sequence[HeardSession],
    predictors: Sequence[AffectPredictor],
    kept_in: Path,
    progress: Callable[[int], None],
) -> dict[SessionKey, dict[str, AffectSeries]]:
    """Every session's predicted affect by predictor, each sound heard once, however many people heard it.

    A sound is decoded once for all the predictors that have not heard it yet.

    Args:
        predictors: each with a name of its own; results are in their order.
        kept_in: folder of kept predictions, a file for each session and predictor.
        progress: told how many sessions are done.

    Raises:
        AudioError: a sound file cannot be used, or is not the one the record names.
    """
    found: dict[SessionKey, dict[str, AffectSeries]] = {}
    alike: dict[str, dict[str, AffectSeries]] = {}
    for session in sessions:
        known = alike.setdefault(session.audio_sha256, {})
        kept = {one.card.name: kept_in / _file_name(session.key, one.card.name) for one in predictors}
        mine = {
            one.card.name: series
            for one in predictors
            if (series := _read(kept[one.card.name], session.audio_sha256, one.card)) is not None
        }
        known |= mine
        missing = [one for one in predictors if one.card.name not in mine]
        if missing:
            _check(session)
            unheard = [one for one in missing if one.card.name not in known]
            if unheard:
                known |= hear_file(unheard, session.audio).series
            for one in missing:
                write_whole(kept[one.card.name], _written(session, known[one.card.name]))
        found[session.key] = {one.card.name: known[one.card.name] for one in predictors}
        progress(len(found))
    return found


def _file_name(key: SessionKey, predictor: str) -> str:
    participant_id, session_id = key
    return f"{participant_id}_{session_id}_{predictor}.json"


def _check(session: HeardSession) -> None:
    if file_sha256(session.audio) != session.audio_sha256:
        raise AudioError(
            str(session.audio),
            "is not the sound that was rendered: its hash differs from the manifest's",
            "put the rendered file back from your backup",
        )


def _written(session: HeardSession, series: AffectSeries) -> bytes:
    return canonical_json(
        {
            "audio_sha256": session.audio_sha256,
            "card_sha256": canonical_sha256(series.card),
            "onset_s": series.onset_s.tolist(),
            "window_s": series.window_s,
            "valence_pred": series.valence_pred.tolist(),
            "arousal_pred": series.arousal_pred.tolist(),
            "stated_spread": None if series.stated_spread is None else series.stated_spread.tolist(),
            "domain_distance": None if series.domain_distance is None else series.domain_distance.tolist(),
        }
    )


def _read(kept: Path, audio_sha256: str, card: PredictorCard) -> AffectSeries | None:
    # Whatever is wrong with a kept prediction, the sound is there to be heard again.
    try:
        found = json.loads(kept.read_bytes())
        if (found["audio_sha256"], found["card_sha256"]) != (audio_sha256, canonical_sha256(card)):
            return None
        n = len(found["onset_s"])
        return AffectSeries(
            _numbers(found["onset_s"], (n,)),
            float(found["window_s"]),
            _numbers(found["valence_pred"], (n,)),
            _numbers(found["arousal_pred"], (n,)),
            card,
            None if found["stated_spread"] is None else _numbers(found["stated_spread"], (n, 2)),
            None if found["domain_distance"] is None else _numbers(found["domain_distance"], (n,)),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _numbers(values: object, shape: tuple[int, ...]) -> NDArray[np.float64]:
    numbers = np.array(values, dtype=float)
    if numbers.shape != shape or not np.isfinite(numbers).all():
        raise ValueError("not as it was written")
    return numbers
