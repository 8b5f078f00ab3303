"""What a predictor hears in the sessions of a study, kept beside them.

Predictions are computed from the audio and may be deleted: they are made anew.
A kept one counts only for the same audio, predictor, version and weights.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.mer.predictor import AffectPredictor, AffectSeries, PredictorCard
from generation.audio import read_audio
from study.canonical import canonical_json, canonical_sha256
from study.errors import AudioError
from study.folder import file_sha256, write_whole

SessionKey = tuple[str, str]
"""(participant_id, session_id)."""


@dataclass(frozen=True)
class HeardSession:
    """A session to be heard: whose it is, and its sound file with its SHA-256."""

    key: SessionKey
    audio: Path
    audio_sha256: str


def hear_sessions(
    sessions: Sequence[HeardSession],
    predictor: AffectPredictor,
    kept_in: Path,
    progress: Callable[[int], None],
) -> dict[SessionKey, AffectSeries]:
    """Every session's predicted affect, each sound predicted once, however many people heard it.

    Args:
        kept_in: folder of kept predictions.
        progress: told how many sessions are done.

    Raises:
        AudioError: a sound file cannot be used, or is not the one the record names.
    """
    found: dict[SessionKey, AffectSeries] = {}
    alike: dict[str, AffectSeries] = {}
    for session in sessions:
        participant_id, session_id = session.key
        kept = kept_in / f"{participant_id}_{session_id}_{predictor.card.name}.json"
        series = _read(kept, session, predictor.card)
        if series is None:
            _check(session)
            series = alike.get(session.audio_sha256) or _predict(session, predictor)
            write_whole(kept, _written(session, series))
        alike[session.audio_sha256] = series
        found[session.key] = series
        progress(len(found))
    return found


def _check(session: HeardSession) -> None:
    if file_sha256(session.audio) != session.audio_sha256:
        raise AudioError(
            str(session.audio),
            "is not the sound that was rendered: its hash differs from the manifest's",
            "put the rendered file back from your backup",
        )


def _predict(session: HeardSession, predictor: AffectPredictor) -> AffectSeries:
    samples, sample_rate_hz = read_audio(session.audio)
    return predictor.predict(samples, sample_rate_hz)


def _written(session: HeardSession, series: AffectSeries) -> bytes:
    return canonical_json(
        {
            "audio_sha256": session.audio_sha256,
            "card_sha256": canonical_sha256(series.card),
            "onset_s": series.onset_s.tolist(),
            "window_s": series.window_s,
            "valence_pred": series.valence_pred.tolist(),
            "arousal_pred": series.arousal_pred.tolist(),
        }
    )


def _read(kept: Path, session: HeardSession, card: PredictorCard) -> AffectSeries | None:
    # Whatever is wrong with a kept prediction, the sound is there to be heard again.
    try:
        found = json.loads(kept.read_bytes())
        known = (found["audio_sha256"], found["card_sha256"])
        series = AffectSeries(
            np.array(found["onset_s"]),
            found["window_s"],
            np.array(found["valence_pred"]),
            np.array(found["arousal_pred"]),
            card,
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return series if known == (session.audio_sha256, canonical_sha256(card)) else None
