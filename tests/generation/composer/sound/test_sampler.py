"""Single notes: in tune, the same every time, darker when soft, silent at their end."""

from __future__ import annotations

import numpy as np
import pytest

from generation.composer.palettes import INSTRUMENTS
from generation.composer.sound.bank import load_bank
from generation.composer.sound.sampled import SampledTones
from generation.composer.sound.sampler import LONGEST_S, Sampler


def make_sampler(store_bytes: int = 100_000_000) -> Sampler:
    return Sampler(SampledTones(load_bank()), store_bytes=store_bytes)


def test_middle_a_of_each_pitched_instrument_sounds_at_220_or_440_hz() -> None:
    sampler = make_sampler()
    hertz = np.fft.rfftfreq(1 << 18, 1 / 32_000)
    cents = np.arange(-50.0, 51.0)

    for name, instrument in INSTRUMENTS.items():
        if name == "brushes" or instrument.preset is None:
            continue
        key = next(k for k in (69, 57, 45) if instrument.low <= k <= instrument.high)
        sound = sampler.note(instrument, key, 1.5, 0.6)[4_000:36_000]
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 18))
        expected = 440.0 * 2 ** ((key - 69) / 12)
        # Four harmonics together: a string's own resonances stand beside the fundamental.
        comb = sum(np.interp(expected * h * 2 ** (cents / 1200), hertz, spectrum) for h in range(1, 5))
        assert abs(cents[np.argmax(comb)]) < 15, name


def test_what_was_forgotten_is_made_again_alike() -> None:
    sampler, piano = make_sampler(), INSTRUMENTS["piano"]
    before, kept = sampler.note(piano, 60, 0.5, 0.5), sampler.held(piano, 60, 0.5, 32_000)

    sampler.forget()

    assert sampler.held(piano, 60, 0.5, 32_000) is not kept
    assert np.array_equal(sampler.note(piano, 60, 0.5, 0.5), before)


@pytest.mark.parametrize("name", ["strings", "harp", "piano"])
def test_a_keys_sound_does_not_depend_on_what_was_played_before(name: str) -> None:
    preset = INSTRUMENTS[name]
    fresh, used = make_sampler(), make_sampler(store_bytes=1)

    used.note(preset, 64, 9.0, 0.5)
    grown = make_sampler()
    grown.note(preset, 60, 12.0, 0.5)

    expected = fresh.note(preset, 60, 0.7, 0.4)
    np.testing.assert_array_equal(used.note(preset, 60, 0.7, 0.4), expected)
    np.testing.assert_array_equal(grown.note(preset, 60, 0.7, 0.4), expected)


def test_a_note_ends_in_silence_and_never_outlasts_the_longest() -> None:
    sound = make_sampler().note(INSTRUMENTS["strings"], 60, 60.0, 0.5)

    assert len(sound) <= LONGEST_S * 32_000
    assert abs(float(sound[-1])) < 1e-5


def test_a_louder_touch_is_louder_and_brighter() -> None:
    sampler = make_sampler()
    soft, loud = (sampler.note((0, 0), 60, 1.0, velocity).astype(float) for velocity in (0.25, 0.75))

    def brightness(sound: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        return float((np.diff(sound) ** 2).sum() / (sound**2).sum())

    assert (loud**2).sum() > 8 * (soft**2).sum()
    assert brightness(loud) > 1.2 * brightness(soft)
