"""The middle of a track, and nothing else of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from tests.listening.tracks import HEARD_S, SPEECH_S, SpeechSound, TrackSound, load_tracks, speech_of

RATE = 8_000


def test_the_middle_three_minutes_are_heard(tmp_path: Path) -> None:
    ramp = np.linspace(0.0, 0.9, 540 * RATE)
    soundfile.write(tmp_path / "long.wav", ramp, RATE, subtype="FLOAT")

    samples, rate = TrackSound("long", tmp_path / "long.wav").sound()

    assert samples.shape == (HEARD_S * RATE, 1)
    assert rate == RATE
    np.testing.assert_allclose([samples[0, 0], samples[-1, 0]], [0.3, 0.6], atol=1e-4)


def test_a_short_track_is_heard_whole(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", np.linspace(0.0, 0.5, 12 * RATE), RATE)

    assert len(TrackSound("short", tmp_path / "short.wav").sound()[0]) == 12 * RATE


def test_phrases_of_one_speaker_follow_each_other(tmp_path: Path) -> None:
    voices = tmp_path / "Sounds" / "voices"
    for speaker, number in {"Talks": 4, "Few": 1, "Singer": 4}.items():
        (voices / speaker).mkdir(parents=True)
        for phrase in range(number):
            level = np.full(10 * RATE, 0.1 * (phrase + 1))
            soundfile.write(voices / speaker / f"{phrase}.ogg", level, RATE)

    (found,) = speech_of(tmp_path)
    samples, _ = found.sound()

    assert isinstance(found, SpeechSound)
    assert found.sound_id == "speech/Talks"
    assert len(samples) == SPEECH_S * RATE


def test_both_halves_hold_both_labels_of_each_axis() -> None:
    tracks = load_tracks()

    for axis in ("valence", "arousal"):
        labels = {(track.half, track.label(axis)) for track in tracks if track.label(axis)}
        assert len(labels) == 4
    assert {track.half for track in tracks} == {"calibrate", "validate"}
