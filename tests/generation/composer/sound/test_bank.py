"""The vendored instruments: complete, unchanged, and refused when damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from generation.composer.palettes import INSTRUMENTS, PALETTES
from generation.composer.sound.bank import BANK_FILE, Bank, bank_hashes, load_bank
from generation.composer.sound.sampler import LONGEST_S, Sampler
from generation.composer.sound.soundfont import build_soundfont, parse_soundfont
from scripts.cut_bank import cut
from study.errors import AudioError, StorageError


def test_the_bank_is_the_one_its_readme_describes() -> None:
    readme = (BANK_FILE.parent / "README.md").read_text(encoding="utf-8")

    assert bank_hashes()["bank"] in readme
    assert len(load_bank().presets) == 25


def test_the_notices_travel_with_the_bank() -> None:
    notices = (BANK_FILE.parent / "LICENSE-FluidR3Mono.txt").read_text(encoding="utf-8")

    assert "Permission is hereby granted, free of charge" in notices
    assert "Frank Wen" in notices
    assert b"Permission is hereby granted" in parse_soundfont(BANK_FILE.read_bytes(), "bank").info["ICMT"]


def test_cutting_the_bank_again_gives_the_same_bytes() -> None:
    data = BANK_FILE.read_bytes()

    assert build_soundfont(cut(parse_soundfont(data, "bank"))) == data


def test_every_palette_names_instruments_that_can_play_their_whole_range() -> None:
    bank = load_bank()

    for palette in PALETTES.values():
        for name in {*palette.melody, *palette.figure, *palette.pad, *palette.counter, palette.bass}:
            for key in range(INSTRUMENTS[name].low, INSTRUMENTS[name].high + 1):
                assert all(voice.ratio > 0 for voice in bank.voices(INSTRUMENTS[name].preset, key))


def test_middle_a_of_each_pitched_instrument_sounds_at_220_or_440_hz() -> None:
    sampler = Sampler(load_bank())

    for name, instrument in INSTRUMENTS.items():
        if name == "brushes" or instrument.preset is None:
            continue
        key = next(k for k in (69, 57, 45) if instrument.low <= k <= instrument.high)
        sound = sampler.note(instrument.preset, key, 1.5, 0.6)[4_000:36_000]
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 18))
        hertz = np.fft.rfftfreq(1 << 18, 1 / 32_000)
        expected = 440.0 * 2 ** ((key - 69) / 12)
        near = (hertz > expected * 0.97) & (hertz < expected * 1.03)
        peak = hertz[near][np.argmax(spectrum[near])]
        assert abs(1200 * np.log2(peak / expected)) < 25, name


@pytest.mark.parametrize("name", ["strings", "harp", "piano"])
def test_a_keys_sound_does_not_depend_on_what_was_played_before(name: str) -> None:
    preset = INSTRUMENTS[name].preset
    fresh, used = Sampler(load_bank()), Sampler(load_bank(), cache_bytes=1)

    used.note(preset, 64, 9.0, 0.5)
    grown = Sampler(load_bank())
    grown.note(preset, 60, 12.0, 0.5)

    expected = fresh.note(preset, 60, 0.7, 0.4)
    np.testing.assert_array_equal(used.note(preset, 60, 0.7, 0.4), expected)
    np.testing.assert_array_equal(grown.note(preset, 60, 0.7, 0.4), expected)


def test_a_note_ends_in_silence_and_never_outlasts_the_longest() -> None:
    sound = Sampler(load_bank()).note(INSTRUMENTS["strings"].preset, 60, 60.0, 0.5)

    assert len(sound) <= LONGEST_S * 32_000
    assert abs(float(sound[-1])) < 1e-5


def test_a_louder_touch_is_louder_and_brighter() -> None:
    sampler = Sampler(load_bank())
    soft, loud = (sampler.note((0, 0), 60, 1.0, velocity).astype(float) for velocity in (0.25, 0.75))

    def brightness(sound: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        return float((np.diff(sound) ** 2).sum() / (sound**2).sum())

    assert (loud**2).sum() > 8 * (soft**2).sum()
    assert brightness(loud) > 1.2 * brightness(soft)


@pytest.mark.parametrize("kept", [0, 11, 4_000, 3_000_000])
def test_a_bank_cut_short_is_refused(kept: int) -> None:
    with pytest.raises(AudioError, match="isopath_bank"):
        Bank(BANK_FILE.read_bytes()[:kept], "isopath_bank.sf3")


def test_a_missing_bank_is_refused_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="install isopath again"):
        load_bank(tmp_path / "gone.sf3")


def test_a_key_outside_the_bank_is_refused() -> None:
    with pytest.raises(AudioError, match="no sound for key 127"):
        load_bank().voices((0, 42), 127)
