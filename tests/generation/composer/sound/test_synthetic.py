"""The synthetic instruments: as loud as the recorded, in tune, without aliases or clicks, always the same."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from generation.composer.palettes import INSTRUMENTS, Instrument
from generation.composer.sound.bank import load_bank
from generation.composer.sound.sampled import SampledTones
from generation.composer.sound.synthesis.recipes import RECIPES
from generation.composer.sound.synthesis.spectra import TOP_HZ
from generation.composer.sound.synthetic import SyntheticTones
from generation.composer.sound.tones import Samples, Tone
from study.errors import AudioError

RATE_HZ = 32_000
TONES = SyntheticTones()
KITS = ("brushes", "soft kit")
PITCHED = [name for name in RECIPES if name not in KITS]
#: One of each kind of synthesis.
KINDS = ("piano", "marimba", "violin", "strings", "saw pad", "soft square")


def player_of(recipe: str) -> Instrument:
    return Instrument(None, 36, 90, 1.0, 0.0, 1.0, synth=recipe)


def tone(recipe: str, key: int, length_s: float = 1.5, rate_hz: int = RATE_HZ) -> Tone:
    return TONES.tone(player_of(recipe), key, length_s, rate_hz)


def at_medium_touch(sounding: Tone) -> NDArray[np.float64]:
    """As a note of medium touch mixes them."""
    place = 0.675 * (len(sounding.shades) - 1)
    below = min(int(place), len(sounding.shades) - 2)
    share = place - below
    shades = sounding.shades.astype(np.float64)
    return np.asarray((1 - share) * shades[below] + share * shades[below + 1])


def level_db(samples: NDArray[np.float64]) -> float:
    """Root mean square over the first 0.8 s, silence included."""
    return float(10.0 * np.log10(np.sum(samples[: round(0.8 * RATE_HZ)] ** 2) / (0.8 * RATE_HZ)))


def spectrum(samples: NDArray[np.float64], rate_hz: int = RATE_HZ) -> tuple[Samples, Samples]:
    """Hertz and power."""
    n_fft = 1 << 18
    power = np.abs(np.fft.rfft(samples * np.blackman(len(samples)), n_fft)) ** 2
    return np.fft.rfftfreq(n_fft, 1.0 / rate_hz), power


def test_every_instrument_has_a_recipe() -> None:
    assert {instrument.synth for instrument in INSTRUMENTS.values()} <= set(RECIPES)


@pytest.mark.parametrize("name", [name for name, it in INSTRUMENTS.items() if it.preset and name not in KITS])
def test_a_synthetic_instrument_is_as_loud_as_the_recorded_one(name: str) -> None:
    instrument, recorded = INSTRUMENTS[name], SampledTones(load_bank())
    keys = np.linspace(instrument.low, instrument.high, 3).round().astype(int).tolist()

    def mean_db(source: SampledTones | SyntheticTones) -> float:
        tones = [source.tone(instrument, key, 1.0, RATE_HZ) for key in keys]
        return float(np.mean([level_db(at_medium_touch(sounding)) for sounding in tones]))

    assert abs(mean_db(TONES) - mean_db(recorded)) < 2.0


@pytest.mark.parametrize("key", [36, 38, 40, 42, 44, 51, 70, 80])
def test_a_synthetic_drum_is_as_loud_as_the_recorded_one(key: int) -> None:
    kit, recorded = INSTRUMENTS["brushes"], SampledTones(load_bank())

    levels = [level_db(at_medium_touch(source.tone(kit, key, 3.0, RATE_HZ))) for source in (TONES, recorded)]

    assert abs(levels[0] - levels[1]) < 2.0


@pytest.mark.parametrize("recipe", PITCHED)
def test_each_is_in_tune(recipe: str) -> None:
    hertz, power = spectrum(at_medium_touch(tone(recipe, 69, 2.0))[8_000:])

    near = (hertz > 440.0 * 0.97) & (hertz < 440.0 * 1.03)
    centre = float(np.sum(hertz[near] * power[near]) / np.sum(power[near]))
    # An ensemble's players are spread around the key.
    assert abs(1200.0 * np.log2(centre / 440.0)) < 6.0


@pytest.mark.parametrize("recipe", RECIPES)
def test_nothing_lies_above_the_highest_partial(recipe: str) -> None:
    sounding = tone(recipe, 36 if recipe in KITS else 84)
    hertz, power = spectrum(sounding.shades[-1].astype(float))

    assert power[hertz > TOP_HZ + 150.0].sum() < 1e-7 * power.sum()


@pytest.mark.parametrize("recipe", ["soft saw", "triangle lead", "oboe", "sequence", "warm pad"])
def test_a_high_key_has_only_its_own_partials(recipe: str) -> None:
    # 2,489 Hz: what a partial above the Nyquist frequency folds back to is no multiple of it.
    samples = tone(recipe, 99, 2.0).shades[-1].astype(float)[16_000:]
    hertz, power = spectrum(samples)
    f0 = 440.0 * 2.0 ** (30 / 12)

    off = np.abs(hertz / f0 - np.round(hertz / f0)) * f0 / np.maximum(hertz, f0)
    own = (off < 0.025) | (
        (np.abs(2 * hertz / f0 - np.round(2 * hertz / f0)) < 0.05) & (recipe == "warm pad")
    )
    assert power[~own].sum() < 1e-4 * power.sum()


@pytest.mark.parametrize("recipe", KINDS)
def test_a_higher_sample_rate_gives_the_same_partials(recipe: str) -> None:
    levels = []
    for rate_hz in (RATE_HZ, 48_000):
        samples = tone(recipe, 57, 1.0, rate_hz).shades[-1].astype(float)
        hertz, power = spectrum(samples, rate_hz)
        levels.append([power[(hertz > n * 213.0) & (hertz < n * 227.0)].sum() / rate_hz for n in range(1, 9)])

    differences_db = 10.0 * np.log10(np.array(levels[0]) / np.array(levels[1]))
    assert np.abs(differences_db).max() < 0.2


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_note_let_go_ends_in_silence_without_a_click(recipe: str) -> None:
    sounding = tone(recipe, 36 if recipe in KITS else 60, 3.0)
    samples = at_medium_touch(sounding)
    held = min(round(0.5 * RATE_HZ), len(samples))
    end = min(held + len(sounding.release), len(samples))
    samples = samples[:end]
    samples[held:] *= sounding.release[: end - held]

    assert sounding.release[0] == 1.0
    assert sounding.release[-1] == 0.0
    assert (np.diff(sounding.release) <= 0.0).all()
    assert np.abs(samples[-32:]).max() < 2e-4 * np.abs(samples).max()
    corners = np.abs(np.diff(samples, n=2))
    assert corners[held - 64 :].max(initial=0.0) <= 1.2 * corners[: held - 64].max()


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_tone_begins_from_silence(recipe: str) -> None:
    samples = tone(recipe, 36 if recipe in KITS else 60).shades

    assert (samples[:, 0] == 0.0).all()
    assert np.abs(samples[:, :4]).max() < 0.1 * np.abs(samples).max()


@pytest.mark.parametrize("recipe", PITCHED)
def test_each_shade_is_brighter_than_the_one_before_and_in_phase_with_it(recipe: str) -> None:
    shades = tone(recipe, 60, 1.0).shades.astype(float)

    brightness = [float(np.sum(np.diff(shade) ** 2) / np.sum(shade**2)) for shade in shades]
    assert brightness == sorted(brightness)
    assert brightness[-1] > 1.01 * brightness[0]
    assert all(np.corrcoef(a, b)[0, 1] > 0.7 for a, b in itertools.pairwise(shades))


@pytest.mark.parametrize("recipe", KINDS)
def test_a_longer_tone_begins_with_the_shorter_one(recipe: str) -> None:
    short, long = tone(recipe, 57, 0.3).shades, tone(recipe, 57, 5.0).shades

    np.testing.assert_array_equal(long[:, : short.shape[1]], short)


def fingerprint() -> str:
    """SHA-256 of one tone of each kind."""
    digest = hashlib.sha256()
    for recipe in KINDS:
        digest.update(tone(recipe, 57, 1.2).shades.tobytes())
    digest.update(tone("brushes", 38).shades.tobytes())
    return digest.hexdigest()


def test_another_process_with_other_threads_gives_the_same_samples() -> None:
    program = "from tests.generation.composer.sound.test_synthetic import fingerprint\nprint(fingerprint())\n"
    there = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"},
    )

    assert there.stdout.strip() == fingerprint()


def every_kind(file: Path) -> None:
    """One tone of each kind of synthesis, all shades, into a file."""
    np.save(file, np.concatenate([tone(recipe, 57, 0.8).shades.ravel() for recipe in KINDS]))


def test_a_machine_with_fewer_features_gives_the_same_samples_to_a_sixteenth_of_a_step(
    tmp_path: Path,
) -> None:
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from tests.generation.composer.sound.test_synthetic import every_kind\n"
        "every_kind(Path(sys.argv[1]))\n"
    )
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    plain = {"NPY_DISABLE_CPU_FEATURES": " ".join(found), "OPENBLAS_CORETYPE": "Prescott"}
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "there.npy")], check=True, env={**os.environ, **plain}
    )

    every_kind(tmp_path / "here.npy")

    differences = np.load(tmp_path / "here.npy") - np.load(tmp_path / "there.npy")
    # Measured: .013 of a step of 16 bits.
    assert np.abs(differences).max() * 32_768 < 1 / 16


def test_the_code_that_makes_the_tones_is_named_by_its_hash() -> None:
    assert list(TONES.hashes) == ["synthesis"]
    assert len(TONES.hashes["synthesis"]) == 64
    assert "no recording" in TONES.licence


def test_a_recipe_or_a_drum_that_is_not_there_is_refused() -> None:
    with pytest.raises(AudioError, match=r"'kazoo' has no recipe; write one of piano"):
        tone("kazoo", 60)
    with pytest.raises(AudioError, match=r"kit 'brushes': has no drum on key 37; write one of 36, 38"):
        tone("brushes", 37)
