"""Who makes the tones: recordings, recipes, or each instrument as it is meant to be.

Nothing is swapped in silence: an instrument that is meant to be recorded is never synthesised
because the recordings are missing, unless `bank: synthetic` says so for the whole study.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from generation.composer.palettes import INSTRUMENTS, Palette
from generation.composer.sound.bank import BANK_FILE, load_bank
from generation.composer.sound.sampled import SampledTones
from generation.composer.sound.sampler import Sampler
from generation.composer.sound.synthetic import SyntheticTones
from generation.composer.sound.tones import ToneSource
from study.errors import OutOfRange


class BankChoice(StrEnum):
    """What an engine's option `bank` may say."""

    AUTO = "auto"
    """Each instrument as it is meant to be: recorded where it has a recording, else by its recipe."""
    SAMPLED = "sampled"
    """Recordings only."""
    SYNTHETIC = "synthetic"
    """Recipes only: no file of recordings is read."""


def sampler_of(choice: BankChoice, palette: Palette, bank_file: Path = BANK_FILE) -> Sampler:
    """What plays a palette, the same object at every call; one for all palettes that need the recordings.

    Raises:
        OutOfRange: see `check_choice`.
        StorageError, AudioError: recordings are needed and cannot be read.
    """
    check_choice(choice, palette)
    if choice is BankChoice.SYNTHETIC or not any(map(_is_recorded, palette.instruments)):
        return _sampler(None)
    return _sampler(bank_file)


def check_choice(choice: BankChoice, palette: Palette) -> None:
    """Refuse recordings only where an instrument of the palette has none.

    Raises:
        OutOfRange: naming the instruments.
    """
    without = [name for name in palette.instruments if not _is_recorded(name)]
    if choice is BankChoice.SAMPLED and without:
        raise OutOfRange(
            "engine.options.bank",
            f"'sampled' leaves out what this palette has no recording of: {', '.join(without)}",
            "write auto, or another palette",
        )


def sources_of(sampler: Sampler, instruments: Iterable[str]) -> tuple[ToneSource, ...]:
    """Who makes the tones of `instruments`, each once, recordings first."""
    used = {id(source): source for source in (sampler.source(INSTRUMENTS[name]) for name in instruments)}
    return tuple(source for source in (sampler.sampled, sampler.synthetic) if id(source) in used and source)


def provenance(sampler: Sampler, instruments: Iterable[str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """What shapes the tones of `instruments`: name to SHA-256, and name to licence.

    The first call where recordings play decodes them all, a third of a second.
    """
    hashes: dict[str, str] = {}
    licences: dict[str, str] = {}
    for source in sources_of(sampler, instruments):
        hashes.update(source.hashes)
        licences["bank" if source is sampler.sampled else "synthesis"] = source.licence
    return hashes, licences


@lru_cache(maxsize=2)
def _sampler(bank_file: Path | None) -> Sampler:
    recorded = None if bank_file is None else SampledTones(load_bank(bank_file))
    return Sampler(recorded, SyntheticTones())


def _is_recorded(name: str) -> bool:
    return INSTRUMENTS[name].preset is not None
