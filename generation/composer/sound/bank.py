"""The sampled instruments: which recording plays a key, and how it is shaped.

The bank is read from the file vendored beside this module; each Vorbis stream
is decoded when it is first played. Decoders may differ between libsndfile
builds in the last bit, so a session names both hashes: of the file and of the
decoded samples.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from generation.composer.sound.soundfont import (
    VORBIS_SAMPLE,
    Generator,
    SoundFont,
    as_range,
    number_of,
    parse_soundfont,
)
from generation.composer.sound.voice import Voice, make_voice
from study.errors import AudioError, StorageError

BANK_FILE = Path(__file__).parent / "bank" / "isopath_bank.sf3"
LICENCE = "MIT (FluidR3Mono GM; notices in generation/composer/sound/bank)"
NOMINAL_VELOCITY = 72
"""The velocity zone that is played; dynamics are the sampler's own."""


class Bank:
    """The presets of one SoundFont file.

    Args:
        data: the file's bytes.
        where: its name, for messages.

    Raises:
        AudioError: the file is not a SoundFont, or damaged.
    """

    def __init__(self, data: bytes, where: str) -> None:
        self._where = where
        self._font: SoundFont = parse_soundfont(data, where)
        self._decoded: dict[int, NDArray[np.float32]] = {}
        self._voices: dict[tuple[tuple[int, int], int], tuple[Voice, ...]] = {}
        self.sha256 = hashlib.sha256(data).hexdigest()
        self._presets = {
            (number_of(header[2]), number_of(header[1])): index
            for index, header in enumerate(self._font.tables["phdr"][:-1])
        }

    @property
    def presets(self) -> tuple[tuple[int, int], ...]:
        """(bank, program) of every preset."""
        return tuple(sorted(self._presets))

    def voices(self, preset: tuple[int, int], key: int) -> tuple[Voice, ...]:
        """The layers of `key` in `preset`, sounding together.

        Raises:
            AudioError: the bank has no such preset, or the preset no such key.
        """
        if (preset, key) not in self._voices:
            self._voices[preset, key] = self._find_voices(preset, key)
        return self._voices[preset, key]

    def _find_voices(self, preset: tuple[int, int], key: int) -> tuple[Voice, ...]:
        uppers = (
            self._zones("p", self._presets[preset], Generator.INSTRUMENT, key)
            if preset in self._presets
            else []
        )
        found = tuple(
            make_voice(upper, zone, self._font.tables["shdr"][zone[Generator.SAMPLE]], key)
            for upper in uppers
            for zone in self._zones("i", upper[Generator.INSTRUMENT], Generator.SAMPLE, key)
        )
        if found:
            return found
        raise AudioError(
            self._where, f"preset {preset} has no sound for key {key}", "cut the bank with that key in it"
        )

    def sample(self, number: int) -> NDArray[np.float32]:
        """One recording, decoded; float32, shape [n_frames].

        Raises:
            AudioError: the stream is damaged.
        """
        if number not in self._decoded:
            header = self._font.tables["shdr"][number]
            if not number_of(header[9]) & VORBIS_SAMPLE:
                raise AudioError(self._where, f"sample {number} is not Vorbis", "give an .sf3 file")
            stream = self._font.sample_data[number_of(header[1]) : number_of(header[2])]
            try:
                frames, _ = soundfile.read(io.BytesIO(stream), dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as problem:
                raise AudioError(
                    self._where, f"sample {number} cannot be decoded ({problem})", "fetch the bank again"
                ) from problem
            self._decoded[number] = np.ascontiguousarray(frames[:, 0])
        return self._decoded[number]

    def decoded_sha256(self) -> str:
        """Hash of every decoded recording, in order, as little-endian float32."""
        digest = hashlib.sha256()
        for number in range(len(self._font.tables["shdr"]) - 1):
            digest.update(self.sample(number).astype("<f4", copy=False).tobytes())
        return digest.hexdigest()

    def _zones(
        self, level: str, number: int, reference: Generator, key: int
    ) -> list[Mapping[Generator | int, int]]:
        header = self._font.tables["phdr" if level == "p" else "inst"]
        first, last = (number_of(header[number + k][3 if level == "p" else 1]) for k in (0, 1))
        bags, records = self._font.tables[f"{level}bag"], self._font.tables[f"{level}gen"]
        shared: dict[Generator | int, int] = {}
        found: list[Mapping[Generator | int, int]] = []
        for bag in range(first, last):
            own = {
                number_of(generator): number_of(amount)
                for generator, amount in records[number_of(bags[bag][0]) : number_of(bags[bag + 1][0])]
            }
            if reference not in own:
                # The zone without a reference holds the defaults of those after it.
                shared = {**shared, **own}
                continue
            merged = {**shared, **own}
            keys = as_range(merged.get(Generator.KEY_RANGE, 127 << 8))
            velocities = as_range(merged.get(Generator.VELOCITY_RANGE, 127 << 8))
            if keys[0] <= key <= keys[1] and velocities[0] <= NOMINAL_VELOCITY <= velocities[1]:
                found.append(merged)
        return found


def load_bank(path: Path = BANK_FILE) -> Bank:
    """The bank, read once in a process.

    Raises:
        StorageError: the file is missing or cannot be read.
        AudioError: the file is damaged.
    """
    return _read_once(path)


@lru_cache(maxsize=1)
def _read_once(path: Path) -> Bank:
    try:
        return Bank(path.read_bytes(), path.name)
    except OSError as problem:
        raise StorageError(
            str(path), "the composer's instruments cannot be read", "install isopath again"
        ) from problem


@lru_cache(maxsize=1)
def bank_hashes(path: Path = BANK_FILE) -> Mapping[str, str]:
    """SHA-256 of the bank's file and of its decoded samples."""
    bank = load_bank(path)
    return {"bank": bank.sha256, "bank_decoded": bank.decoded_sha256()}
