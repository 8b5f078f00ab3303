"""A file is decoded once for all predictors, streamed, and heard without its silence."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from analysis.mer.files import hear_file, hear_samples
from study.errors import AudioError
from tests.analysis.mer.plugged_predictors import Level, NotANumber, Whole

RATE = 8000


def tone(seconds: float, level: float = 0.5) -> NDArray[np.float32]:
    time = np.arange(round(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * 440 * time)).astype(np.float32)


def written(path: Path, samples: NDArray[np.float32]) -> Path:
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return path


def test_one_decoding_serves_those_that_stream_and_those_that_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.wav", tone(25.0))
    n_read = 0
    read = soundfile.SoundFile.read

    def counted(sound: soundfile.SoundFile, *arguments: object, **options: object) -> NDArray[np.float32]:
        nonlocal n_read
        samples: NDArray[np.float32] = read(sound, *arguments, **options)
        n_read += len(samples)
        return samples

    monkeypatch.setattr(soundfile.SoundFile, "read", counted)

    heard = hear_file([Whole(), Level()], path)

    assert n_read == 25 * RATE
    assert list(heard.series) == ["whole", "level"]
    assert heard.series["whole"].window_s == heard.duration_s == 25.0
    assert heard.series["level"].arousal_pred == pytest.approx([0.5] * 25, abs=1e-3)


def test_a_sound_in_memory_is_heard_as_its_file(tmp_path: Path) -> None:
    samples = np.stack([tone(25.0), tone(25.0, 0.2) + np.float32(0.05)], axis=1)

    of_file = hear_file([Level()], written(tmp_path / "a.wav", samples)).series["level"]
    of_memory = hear_samples([Level()], samples, RATE)["level"]

    assert np.array_equal(of_file.arousal_pred, of_memory.arousal_pred)


def test_silent_windows_are_left_out_of_every_series_alike_and_counted(tmp_path: Path) -> None:
    samples = tone(6.0)
    samples[2 * RATE : 4 * RATE] = 0

    heard = hear_file([Level(), Whole()], written(tmp_path / "a.wav", samples))

    assert heard.series["level"].onset_s.tolist() == [0.0, 1.0, 4.0, 5.0]
    assert heard.n_silent == {"level": 2, "whole": 0}
    assert heard.duration_s == 6.0


def test_an_offset_is_taken_off_and_told(tmp_path: Path) -> None:
    samples = np.stack([tone(2.0), tone(2.0) - np.float32(0.25)], axis=1)

    heard = hear_file([Level()], written(tmp_path / "a.wav", samples))

    assert heard.offset == pytest.approx(-0.25, abs=1e-6)
    assert heard.series["level"].arousal_pred == pytest.approx([0.5, 0.5], abs=1e-3)


def test_sound_without_an_offset_is_heard_to_the_last_bit(tmp_path: Path) -> None:
    samples = tone(2.0)

    heard = hear_file([Level()], written(tmp_path / "a.wav", samples))

    assert heard.offset == 0.0
    assert heard.series["level"].arousal_pred[0] == np.abs(samples[:RATE]).max()


def test_what_comes_after_the_end_asked_for_is_not_heard(tmp_path: Path) -> None:
    heard = hear_file([Level()], written(tmp_path / "a.wav", tone(25.0)), until_s=12.5)

    assert heard.duration_s == 12.5
    assert len(heard.series["level"].onset_s) == 12


def test_the_seconds_heard_are_told(tmp_path: Path) -> None:
    told: list[float] = []

    hear_file([Level()], written(tmp_path / "a.wav", tone(25.0)), told.append)

    assert told == [10.0, 20.0, 25.0]


def test_a_predictor_that_says_nan_is_refused_by_name(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", tone(2.0))

    with pytest.raises(AudioError, match=r"a\.wav: nan 1 gave no prediction that is a number"):
        hear_file([Level(), NotANumber()], path)


def test_memory_does_not_grow_with_the_sound(tmp_path: Path) -> None:
    hour = written(tmp_path / "hour.wav", np.tile(tone(60.0), 60))

    tracemalloc.start()
    hear_file([Level()], hour)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # The file holds 115 MB of samples.
    assert peak < 5e6
