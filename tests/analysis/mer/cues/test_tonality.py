"""Mode follows thirds, sixths and sevenths, and next to nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.mer.cues.frames import CueWindow
from analysis.mer.cues.tonality import RATED_PROFILES, hear_mode, key_correlations
from generation.audio import SAMPLE_RATE_HZ
from generation.composer.palettes import INSTRUMENTS
from generation.composer.sound.sampler import shared_sampler
from tests.analysis.mer.controlled_audio import Knobs, sound_of
from tests.analysis.mer.cues.controlled_windows import NEUTRAL, changes, window_with, windows_of


def majorness(window: CueWindow) -> float:
    return hear_mode(window).majorness


def _played(
    notes: Sequence[tuple[float, float, int]], instrument: str = "piano", duration_s: float = 12.0
) -> NDArray[np.float32]:
    """Notes as (onset in s, length in s, key)."""
    sound = np.zeros(round(duration_s * SAMPLE_RATE_HZ), dtype=np.float32)
    for onset_s, length_s, key in notes:
        first = round(onset_s * SAMPLE_RATE_HZ)
        if first >= len(sound):
            break
        note = shared_sampler().note(INSTRUMENTS[instrument], key, length_s, 0.5)
        note = note[: len(sound) - first]
        sound[first : first + len(note)] += note
    return np.float32(0.2) * sound


def _detuned(sound: NDArray[np.float32], cents: float) -> NDArray[np.float32]:
    positions = np.arange(0, len(sound) - 1, 2.0 ** (cents / 1200.0))
    return np.interp(positions, np.arange(len(sound)), sound).astype(np.float32)


def _drums(duration_s: float) -> NDArray[np.float32]:
    return _played(
        [(0.25 * i, 0.2, (36, 42, 38, 42)[i % 4]) for i in range(int(4 * duration_s))], "brushes", duration_s
    )


def test_key_profiles_resemble_each_other_as_published() -> None:
    """Krumhansl (1990), Cognitive Foundations of Musical Pitch, table 2.4: C major with a, c and e minor,
    with G and with F sharp major."""
    major, minor = (np.corrcoef([np.roll(profile, k) for k in range(12)]) for profile in RATED_PROFILES)
    across = np.corrcoef(RATED_PROFILES[0], np.roll(RATED_PROFILES[1], 9))[0, 1]

    assert across == pytest.approx(0.651, abs=2e-3)
    assert np.corrcoef(*RATED_PROFILES)[0, 1] == pytest.approx(0.511, abs=2e-3)
    assert np.corrcoef(RATED_PROFILES[0], np.roll(RATED_PROFILES[1], 4))[0, 1] == pytest.approx(
        0.536, abs=1e-3
    )
    assert major[0, 7] == pytest.approx(0.591, abs=2e-3)
    assert major[0, 6] == pytest.approx(-0.683, abs=2e-3)
    assert minor[0, 7] == pytest.approx(0.339, abs=2e-3)


def test_a_profile_is_nearest_to_its_own_key() -> None:
    for tonic in range(12):
        major, minor = key_correlations(np.roll(RATED_PROFILES[0], tonic))
        assert major.argmax() == tonic
        assert major.max() > 0.95 > minor.max()


def test_major_and_minor_are_told_apart_in_every_melody_on_every_instrument_in_every_key() -> None:
    major = np.array([majorness(w) for w in map(window_with, NEUTRAL)])
    minor = changes(majorness, mode="minor")

    assert (major > 0.25).all()
    # Measured: -1.68 on a scale from -1 to 1.
    assert -1.9 < minor.mean() < -1.4
    assert (minor < -1.0).all()


@pytest.mark.parametrize(
    ("knob", "mean_bound", "bound"),
    [
        ({"transpose_semitones": 5}, 0.15, 0.45),
        ({"transpose_semitones": -6}, 0.15, 0.55),
        ({"notes_per_s": 4.0}, 0.15, 0.4),
        # Slower is less in a window: three chords in twelve seconds leave the key more open.
        ({"notes_per_s": 1.0}, 0.4, 0.75),
        ({"gain_db": -30.0}, 1e-3, 1e-2),
        ({"articulation": 0.3}, 0.1, 0.35),
    ],
)
def test_other_knobs_hardly_move_the_mode(knob: dict[str, float], mean_bound: float, bound: float) -> None:
    moved = changes(majorness, **knob)

    assert abs(moved.mean()) < mean_bound
    assert np.abs(moved).max() < bound


def test_the_tonic_is_found_and_moves_with_the_music() -> None:
    for neutral in NEUTRAL:
        for semitones in (0, 3):
            moved = replace(neutral, transpose_semitones=semitones)
            assert hear_mode(window_with(moved)).tonic == (neutral.tonic + semitones) % 12


@pytest.mark.parametrize("cents", [-49, -30, 30, 49])
@pytest.mark.parametrize("mode", ["major", "minor"])
def test_tuning_does_not_matter(cents: float, mode: str) -> None:
    sound = sound_of(Knobs(mode="major" if mode == "major" else "minor", seed=1))[:, 0]

    tuned, other = (hear_mode(windows_of(s)[0]) for s in (sound, _detuned(sound, cents)))

    assert other.majorness == pytest.approx(tuned.majorness, abs=0.2)
    assert other.clarity == pytest.approx(tuned.clarity, abs=0.1)
    assert (other.tonic - tuned.tonic) % 12 in (0, 1, 11)


def test_a_change_of_key_does_not_change_the_mode() -> None:
    for mode, sign in (("major", 1), ("minor", -1)):
        for other in (2, 7, 9):
            halves = [
                sound_of(
                    Knobs(mode="major" if sign > 0 else "minor", tonic=t, notes_per_s=4.0, duration_s=6.0)
                )
                for t in (0, other)
            ]
            assert sign * majorness(windows_of(np.concatenate(halves))[0]) > 0.1, (mode, other)


def test_the_same_seven_notes_are_minor_where_they_rest_on_the_sixth() -> None:
    """I IV V I in C and i iv v i in a: no note differs, only where the harmony rests."""
    heard = {}
    for tonic in (0, 9):
        scale = [0, 2, 4, 5, 7, 9, 11]
        first = scale.index(tonic)
        notes = []
        for bar, degree in enumerate((0, 3, 4, 0, 0, 3)):
            chord = [scale[(first + degree + step) % 7] for step in (0, 2, 4)]
            notes += [(2.0 * bar, 2.0, 60 + key) for key in chord]
            notes += [(2.0 * bar, 2.0, 36 + chord[0])]
            notes += [(2.0 * bar + 0.5 * i, 0.5, 72 + chord[(0, 1, 2, 1)[i]]) for i in range(4)]
        heard[tonic] = hear_mode(windows_of(_played(notes))[0])

    assert heard[0].majorness > 0.3
    assert heard[9].majorness < -0.3
    assert (heard[0].tonic, heard[9].tonic) == (0, 9)


#: Beginnings of old tunes: keys, each with its length in beats where that is not 1; mode as in any songbook.
_TUNES = {
    "Ode to Joy": (
        "major",
        "64 64 65 67 67 65 64 62 60 60 62 64 64*1.5 62*.5 62*2 "
        "64 64 65 67 67 65 64 62 60 60 62 64 62*1.5 60*.5 60*2",
    ),
    "Twinkle, twinkle": (
        "major",
        "60 60 67 67 69 69 67*2 65 65 64 64 62 62 60*2 67 67 65 65 64 64 62*2 67 67 65 65 64 64 62*2",
    ),
    "Frère Jacques": (
        "major",
        "60 62 64 60 60 62 64 60 64 65 67*2 64 65 67*2 "
        "67*.5 69*.5 67*.5 65*.5 64 60 67*.5 69*.5 67*.5 65*.5 64 60 60 55 60*2",
    ),
    "God rest ye merry": (
        "minor",
        "64 64 71 71 69 67 66 64 62 64 66 67 69 71*3 64 64 71 71 69 67 66 64 62 64 66 67 69 71*3",
    ),
    "Greensleeves": (
        "minor",
        "57 60*2 62 64*1.5 66*.5 64 62*2 59 55*1.5 57*.5 59 60*2 57 57*1.5 56*.5 57 59*2 56 52*2",
    ),
    "When Johnny comes marching home": (
        "minor",
        "64 69*2 69 69*2 71 72*2 71 72*2 69 67*2 64 67*2 64 69*2 69 69*2 71 72*2 71 72*2",
    ),
}


@pytest.mark.parametrize("tune", _TUNES)
@pytest.mark.parametrize("instrument", ["piano", "flute"])
def test_tunes_that_everyone_knows_are_heard_in_their_mode(tune: str, instrument: str) -> None:
    mode, keys = _TUNES[tune]
    octave = 12 if instrument == "flute" else 0
    notes, onset_s = [], 0.0
    for written in keys.split():
        key, _, beats = written.partition("*")
        notes.append((onset_s, 0.36 * float(beats or 1), int(key) + octave))
        onset_s += notes[-1][1]

    heard = hear_mode(windows_of(_played(notes, instrument))[0])

    assert heard.majorness > 0 if mode == "major" else heard.majorness < 0
    assert heard.clarity > 0.15


def test_noise_drums_clusters_and_rows_have_no_key() -> None:
    rng = np.random.default_rng(3)
    noise = rng.standard_normal(12 * SAMPLE_RATE_HZ).astype(np.float32)
    cluster = _played([(0.0, 12.0, key) for key in range(60, 72)], "strings")
    row = _played([(0.5 * i, 0.5, 60 + 7 * i % 12) for i in range(24)])
    scattered = _played([(0.5 * i, 0.5, int(k)) for i in range(24) for k in rng.integers(48, 84, 3)])

    for sound in (noise, np.cumsum(noise) * np.float32(0.01), _drums(12.0), cluster, row, scattered):
        assert hear_mode(windows_of(sound)[0]).clarity < 0.1


def test_noise_whose_peaks_happen_to_fit_a_key_has_none() -> None:
    rng = np.random.default_rng(11)
    noises = (rng.standard_normal(3 * SAMPLE_RATE_HZ).astype(np.float32) for _ in range(12))

    assert max(hear_mode(windows_of(noise)[0]).clarity for noise in noises) == 0.0


def test_music_has_a_clear_key_and_silence_none() -> None:
    clarities = [hear_mode(w).clarity for w in map(window_with, NEUTRAL)]
    silence = hear_mode(windows_of(np.zeros(5 * SAMPLE_RATE_HZ, dtype=np.float32))[0])

    assert min(clarities) > 0.75
    assert (silence.majorness, silence.clarity) == (0.0, 0.0)


def test_a_constant_offset_takes_no_clarity() -> None:
    sound = sound_of(Knobs())[:, 0]

    plain, offset = (hear_mode(windows_of(s)[0]) for s in (sound, sound + np.float32(0.3)))

    assert offset.clarity == pytest.approx(plain.clarity, abs=0.02)


def test_drums_as_loud_as_the_music_do_not_turn_its_mode() -> None:
    drums = _drums(12.0)
    for mode, sign in (("major", 1), ("minor", -1)):
        music = sound_of(Knobs(mode="major" if mode == "major" else "minor", duration_s=12.0))[:, 0]
        both = music + drums * np.sqrt(np.mean(music**2) / np.mean(drums**2))
        assert sign * majorness(windows_of(both)[0]) > 0.5
