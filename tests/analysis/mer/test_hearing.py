"""Every session is heard once, and what is kept counts only for the same sound and predictor."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.mer.hearing import HeardSession, hear_sessions
from analysis.mer.predictor import AffectSeries, PredictorCard
from generation.audio import SAMPLE_RATE_HZ, write_audio
from study.errors import AudioError
from study.folder import file_sha256


class LevelPredictor:
    """A predictor with an answer that can be worked out by hand: the level is the arousal."""

    def __init__(self, version: str = "1", name: str = "level") -> None:
        self.card = PredictorCard(name, version, {}, {}, ())
        self.times_asked = 0

    def predict(self, samples: NDArray[np.float32], sample_rate_hz: int) -> AffectSeries:
        self.times_asked += 1
        arousal = np.array([float(np.abs(samples).max())])
        return AffectSeries(np.array([0.0]), len(samples) / sample_rate_hz, arousal * 0, arousal, self.card)


def tone(level: float) -> NDArray[np.float32]:
    """A second of a square wave at a tenth of the rate: a constant would be no sound."""
    wave = np.where(np.arange(SAMPLE_RATE_HZ) % 10 < 5, level, -level).astype(np.float32)
    return np.stack([wave, wave], axis=1)


@pytest.fixture
def session(tmp_path: Path) -> HeardSession:
    sound = tmp_path / "session.flac"
    write_audio(sound, tone(0.25), SAMPLE_RATE_HZ)
    return HeardSession(("sub-1", "ses-01"), sound, file_sha256(sound))


def heard(session: HeardSession, predictor: LevelPredictor, folder: Path) -> AffectSeries:
    told: list[int] = []
    found = hear_sessions([session], [predictor], folder, told.append)[session.key]
    assert told == [1]
    assert list(found) == [predictor.card.name]
    return found[predictor.card.name]


def test_a_session_is_heard_once_and_comes_back_as_it_was(session: HeardSession, tmp_path: Path) -> None:
    predictor = LevelPredictor()

    first, again = (heard(session, predictor, tmp_path) for _ in range(2))

    assert predictor.times_asked == 1
    assert first.arousal_pred.tolist() == again.arousal_pred.tolist() == [0.25]
    assert again.card == predictor.card


def test_another_version_hears_again(session: HeardSession, tmp_path: Path) -> None:
    heard(session, LevelPredictor("1"), tmp_path)
    newer = LevelPredictor("2")

    assert heard(session, newer, tmp_path).card.version == "2"
    assert newer.times_asked == 1


def test_a_kept_prediction_of_other_sound_does_not_count(session: HeardSession, tmp_path: Path) -> None:
    predictor = LevelPredictor()
    heard(session, predictor, tmp_path)
    write_audio(session.audio, tone(0.5), SAMPLE_RATE_HZ)

    series = heard(replace(session, audio_sha256=file_sha256(session.audio)), predictor, tmp_path)

    assert series.arousal_pred.tolist() == [0.5]


def test_a_damaged_kept_prediction_is_made_anew(session: HeardSession, tmp_path: Path) -> None:
    predictor = LevelPredictor()
    heard(session, predictor, tmp_path)
    kept = next(tmp_path.glob("*level.json"))

    for damage in ("", "{}", json.dumps([1, 2])):
        kept.write_text(damage)
        assert heard(session, predictor, tmp_path).arousal_pred.tolist() == [0.25]


def test_sound_that_is_not_the_one_rendered_is_refused(session: HeardSession, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="is not the sound that was rendered"):
        heard(replace(session, audio_sha256="0" * 64), LevelPredictor(), tmp_path)


class DomainPredictor(LevelPredictor):
    """One that states its spread and how far the sound is from what it knows."""

    def predict(self, samples: NDArray[np.float32], sample_rate_hz: int) -> AffectSeries:
        series = super().predict(samples, sample_rate_hz)
        return replace(series, stated_spread=np.array([[0.1, 0.2]]), domain_distance=np.array([1.5]))


def test_spread_and_distance_are_kept_too(session: HeardSession, tmp_path: Path) -> None:
    first, again = (heard(session, DomainPredictor(), tmp_path) for _ in range(2))

    for series in (first, again):
        assert series.spread.tolist() == [[0.1, 0.2]]
        assert series.domain_distance is not None
        assert series.domain_distance.tolist() == [1.5]


def test_a_sound_that_several_heard_is_predicted_once_by_each_predictor(
    session: HeardSession, tmp_path: Path
) -> None:
    predictors = [LevelPredictor(name="level"), LevelPredictor(name="other")]
    other = replace(session, key=("sub-2", "ses-01"))

    kept = tmp_path / "kept"
    kept.mkdir()

    found = hear_sessions([session, other], predictors, kept, lambda _: None)

    assert [one.times_asked for one in predictors] == [1, 1]
    assert [list(found[key]) for key in (session.key, other.key)] == [["level", "other"]] * 2
    assert sorted(path.name for path in kept.iterdir()) == [
        f"sub-{number}_ses-01_{name}.json" for number in (1, 2) for name in ("level", "other")
    ]


def test_only_what_is_missing_is_heard(session: HeardSession, tmp_path: Path) -> None:
    first, second = LevelPredictor(name="level"), LevelPredictor(name="other")
    hear_sessions([session], [first], tmp_path, lambda _: None)

    hear_sessions([session], [first, second], tmp_path, lambda _: None)

    assert (first.times_asked, second.times_asked) == (1, 1)


def test_a_kept_prediction_of_another_length_is_made_anew(session: HeardSession, tmp_path: Path) -> None:
    heard(session, LevelPredictor(), tmp_path)
    kept = next(tmp_path.glob("*level.json"))
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "arousal_pred": [0.25, 0.25]}))

    assert heard(session, LevelPredictor(), tmp_path).arousal_pred.tolist() == [0.25]
