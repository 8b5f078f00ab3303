"""The synthetic instruments: tones by recipe, behind the same interface as the recorded ones.

They play what has no recording (the electronic palette), and everything where
a study asks for `bank: synthetic`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from generation.composer.palettes import Instrument
from generation.composer.sound.synthesis.drums import Kit
from generation.composer.sound.synthesis.recipes import RECIPES, Recipe
from generation.composer.sound.synthesis.spectra import Samples
from generation.composer.sound.tones import Tone
from study.errors import AudioError

LICENCE = "Apache-2.0 (synthesised by isopath's own code; no recording)"

#: A tone's level is measured over its first moments, at the shade of a medium touch.
_MEASURED_S = 0.8
_MEDIUM_SHADE = 0.675
_RELEASE_DB = 70.0


class SyntheticTones:
    """A `ToneSource` without any recording.

    A key's tone depends on recipe, key and sample rate alone; a longer one begins with exactly
    the samples of a shorter one.
    """

    @property
    def licence(self) -> str:
        """Of the code."""
        return LICENCE

    @property
    def hashes(self) -> Mapping[str, str]:
        """SHA-256 of the code that makes the tones."""
        return {"synthesis": synthesis_sha256()}

    def tone(self, instrument: Instrument, key: int, length_s: float, sample_rate_hz: int) -> Tone:
        """A key held for `length_s`, release not included.

        Raises:
            AudioError: the instrument has no recipe, or its kit no such drum.
        """
        recipe = _recipe(instrument.synth)
        measured = round(_MEASURED_S * sample_rate_hz)
        wanted = round(length_s * sample_rate_hz)
        shades = recipe.shades(instrument.synth, key, max(wanted, measured), sample_rate_hz)
        level_db = _level_db(recipe, instrument.synth, key)
        shades *= np.float32(10.0 ** (level_db / 20.0) / _medium_rms(shades[:, :measured], measured))
        return Tone(shades[:, :wanted], release_curve(recipe.release_s, sample_rate_hz), length_s)


def _recipe(name: str) -> Recipe:
    if name in RECIPES:
        return RECIPES[name]
    raise AudioError(
        "the synthetic instruments", f"{name!r} has no recipe", "write one of " + ", ".join(RECIPES)
    )


def _level_db(recipe: Recipe, name: str, key: int) -> float:
    if isinstance(recipe, Kit):
        return recipe.drum(name, key).level_db
    return recipe.level_db + recipe.per_octave_db * (key - 60) / 12.0


def _medium_rms(shades: Samples, n_samples: int) -> float:
    """Root mean square at a medium touch over `n_samples`, silence after the last sample counted in."""
    place = _MEDIUM_SHADE * (len(shades) - 1)
    below = min(int(place), len(shades) - 2)
    share = np.float32(place - below)
    mixed = (1 - share) * shades[below] + share * shades[below + 1]
    return float(np.sqrt(np.sum(np.square(mixed, dtype=np.float64)) / n_samples))


@lru_cache(maxsize=64)
def release_curve(release_s: float, sample_rate_hz: int) -> Samples:
    """Factors from key-up down by 70 dB and then to true silence, shape [n]."""
    share = np.linspace(0.0, 1.0, round(release_s * sample_rate_hz))
    falling = 10.0 ** (-_RELEASE_DB / 20.0 * share) * np.minimum(1.0, 20.0 * (1.0 - share))
    return falling.astype(np.float32)


@lru_cache(maxsize=1)
def synthesis_sha256() -> str:
    """SHA-256 of the modules that make the tones, in the order of their names."""
    here = Path(__file__)
    digest = hashlib.sha256()
    for module in [here, *sorted((here.parent / "synthesis").glob("*.py"))]:
        digest.update(module.name.encode() + b"\0" + module.read_bytes() + b"\0")
    return digest.hexdigest()
