"""Beginnings of notes: counted where they are, chords once, whatever the level."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.mer.cues.events import FRAME_RATE_HZ, hear_events, note_rate_hz, spectral_flux
from analysis.mer.cues.frames import FINE_FRAME
from tests.analysis.mer.controlled_audio import Knobs
from tests.analysis.mer.cues.one_window import RATE_HZ, sine, window_of, window_with


@pytest.mark.parametrize("instrument", ["piano", "guitar", "harp", "electric piano"])
@pytest.mark.parametrize("notes_per_s", [1.2, 2.8, 6.0])
def test_struck_chords_are_counted_once_each(instrument: str, notes_per_s: float) -> None:
    window = window_with(Knobs(instrument=instrument, notes_per_s=notes_per_s, duration_s=12.0))

    # Four keys strike together; the first strike has no silence before it inside the window.
    assert note_rate_hz(hear_events(window)) == pytest.approx(notes_per_s, abs=0.1)


def test_notes_are_found_where_they_begin() -> None:
    begins_s = np.array([0.7, 1.9, 2.15, 4.0, 5.5, 5.8, 8.25, 10.0])
    sound = np.zeros(12 * RATE_HZ, dtype=np.float32)
    for number, begin_s in enumerate(begins_s):
        first = round(begin_s * RATE_HZ)
        t = np.arange(len(sound) - first) / RATE_HZ
        hertz = 220.0 * 2.0 ** (number / 12)
        sound[first:] += (0.2 * np.exp(-3.0 * t) * np.sin(2.0 * np.pi * hertz * t)).astype(np.float32)

    found = hear_events(window_of(sound)).onsets

    found_s = found / FRAME_RATE_HZ + FINE_FRAME / 2 / RATE_HZ
    assert len(found_s) == len(begins_s)
    assert np.abs(found_s - begins_s).max() < 0.04


def test_a_chord_that_is_spread_over_a_twentieth_of_a_second_counts_once() -> None:
    sound = np.zeros(12 * RATE_HZ, dtype=np.float32)
    for begin_s in np.arange(0.5, 11.5, 1.0):
        for number, hertz in enumerate((220.0, 277.2, 329.6)):
            first = round((begin_s + 0.025 * number) * RATE_HZ)
            t = np.arange(len(sound) - first) / RATE_HZ
            sound[first:] += (0.1 * np.exp(-4.0 * t) * np.sin(2.0 * np.pi * hertz * t)).astype(np.float32)

    assert len(hear_events(window_of(sound)).onsets) == 11


def test_the_count_and_the_flux_do_not_follow_the_gain() -> None:
    loud = hear_events(window_with(Knobs(instrument="guitar", notes_per_s=3.0)))
    soft = hear_events(window_with(Knobs(instrument="guitar", notes_per_s=3.0, gain_db=-30.0)))

    assert soft.onsets.tolist() == loud.onsets.tolist()
    assert spectral_flux(soft) == pytest.approx(spectral_flux(loud), rel=1e-3)


def test_vibrato_is_not_a_row_of_notes() -> None:
    t = np.arange(12 * RATE_HZ) / RATE_HZ
    # Half a tone wide, six times a second: a wide operatic vibrato.
    phase = 2.0 * np.pi * 440.0 * t + 440.0 * 0.03 / 6.0 * np.sin(2.0 * np.pi * 6.0 * t)
    voice = sum(0.1 / k * np.sin(k * phase) for k in range(1, 6))

    assert note_rate_hz(hear_events(window_of(np.asarray(voice, dtype=np.float32)))) <= 0.1


@pytest.mark.parametrize("amplitude", [0.0, 0.2])
def test_a_steady_sound_and_silence_have_no_notes(amplitude: float) -> None:
    events = hear_events(window_of(sine(330.0, amplitude)))

    assert note_rate_hz(events) == 0.0
    assert spectral_flux(events) < 1e-3


def test_flux_is_larger_for_struck_than_for_bowed_and_for_busy_than_for_still() -> None:
    def flux(instrument: str, notes_per_s: float) -> float:
        return spectral_flux(hear_events(window_with(Knobs(instrument=instrument, notes_per_s=notes_per_s))))

    assert flux("guitar", 4.4) > 1.3 * flux("guitar", 1.2)
    assert flux("guitar", 2.0) > 1.3 * flux("strings", 2.0)
