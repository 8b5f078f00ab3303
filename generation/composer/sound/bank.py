"""The sampled instruments: which recording plays a key, and how it is shaped.

The bank is the file vendored beside this module, whole and unchanged: another
one is refused before a note is played. Each Vorbis stream is decoded when it is
first played. Decoders may differ between libsndfile builds in the last bit, so
a session names both hashes: of the file and of the decoded samples. Recordings that
are out of tune or begin late are put right by what was measured of them (`bank_recordings`).
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

from generation.composer.sound.bank_recordings import Recordings, load_recordings
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
BANK_SHA256 = "e2f0949af6ba0a920098636573e3cf166ffe9afa2fb7cc569d88339788da8c7d"
"""Of the file that this version of isopath was built with."""
LICENCE = "MIT (FluidR3Mono GM; notices in generation/composer/sound/bank)"
NOMINAL_VELOCITY = 72
"""The velocity zone that is played; dynamics are the sampler's own."""
_REMEDY = 'install isopath again, or write "bank": "synthetic" in engine.options'
#: No key is read more slowly or faster, in frames of its recording a second.
_SLOWEST_HZ, _FASTEST_HZ = 1_000.0, 1_000_000.0
_DAMAGED = (IndexError, KeyError, OverflowError, TypeError, ValueError, ZeroDivisionError)
"""What numbers that point nowhere end in."""


class Bank:
    """The presets of one SoundFont file.

    Args:
        data: the file's bytes.
        where: its name, for messages.
        recordings: what is put right of them; nothing where it is not given.

    Raises:
        AudioError: the file is not a SoundFont, or damaged.
    """

    def __init__(self, data: bytes, where: str, recordings: Recordings | None = None) -> None:
        self.recordings = recordings or Recordings()
        self._where = where
        self._font: SoundFont = parse_soundfont(data, where)
        self._decoded: dict[int, NDArray[np.float32]] = {}
        self._decoded_sha256: str | None = None
        self._voices: dict[tuple[tuple[int, int], int], tuple[Voice, ...]] = {}
        self.sha256 = hashlib.sha256(data).hexdigest()
        self._presets = {
            (number_of(header[2]), number_of(header[1])): index
            for index, header in enumerate(self._font.tables["phdr"][:-1])
        }
        if not self._presets:
            raise AudioError(where, "the SoundFont holds no instrument", _REMEDY)

    @property
    def presets(self) -> tuple[tuple[int, int], ...]:
        """(bank, program) of every preset."""
        return tuple(sorted(self._presets))

    def voices(self, preset: tuple[int, int], key: int) -> tuple[Voice, ...]:
        """The layers of `key` in `preset`, sounding together.

        Raises:
            AudioError: the bank has no such preset, or the preset no such key, or its tables are damaged.
        """
        if (preset, key) not in self._voices:
            try:
                self._voices[preset, key] = self._find_voices(preset, key)
            except _DAMAGED as problem:
                raise AudioError(
                    self._where, f"the tables of preset {preset} are damaged ({problem})", _REMEDY
                ) from problem
        return self._voices[preset, key]

    def _find_voices(self, preset: tuple[int, int], key: int) -> tuple[Voice, ...]:
        uppers = (
            self._zones("p", self._presets[preset], Generator.INSTRUMENT, key)
            if preset in self._presets
            else []
        )
        found = tuple(
            make_voice(upper, zone, self._font.tables["shdr"][zone[Generator.SAMPLE]], key).corrected(
                self.recordings.speed(preset, zone[Generator.SAMPLE]),
                self.recordings.begins.get(zone[Generator.SAMPLE], 0),
            )
            for upper in uppers
            for zone in self._zones("i", upper[Generator.INSTRUMENT], Generator.SAMPLE, key)
        )
        if any(not _SLOWEST_HZ < voice.ratio < _FASTEST_HZ for voice in found):
            raise ValueError(f"key {key} would be read at {found[0].ratio:g} frames a second")
        if found:
            return found
        raise AudioError(
            self._where, f"preset {preset} has no sound for key {key}", "cut the bank with that key in it"
        )

    def rate_hz(self, number: int) -> int:
        """Frames a second that a recording was made at."""
        return number_of(self._font.tables["shdr"][number][5])

    def sample(self, number: int) -> NDArray[np.float32]:
        """One recording, decoded; float32, shape [n_frames].

        Raises:
            AudioError: the stream is damaged.
        """
        if number not in self._decoded:
            self._decoded[number] = self._decode(number)
        return self._decoded[number]

    def decoded_sha256(self) -> str:
        """Hash of every decoded recording, in order, as little-endian float32.

        Raises:
            AudioError: a stream is damaged.
        """
        if self._decoded_sha256 is None:
            digest = hashlib.sha256()
            for number in range(len(self._font.tables["shdr"]) - 1):
                # What is decoded for the hash alone is not kept.
                frames = self._decoded[number] if number in self._decoded else self._decode(number)
                digest.update(frames.astype("<f4", copy=False).tobytes())
            self._decoded_sha256 = digest.hexdigest()
        return self._decoded_sha256

    def _decode(self, number: int) -> NDArray[np.float32]:
        header = self._font.tables["shdr"][number]
        if not number_of(header[9]) & VORBIS_SAMPLE:
            raise AudioError(self._where, f"sample {number} is not Vorbis", _REMEDY)
        stream = self._font.sample_data[number_of(header[1]) : number_of(header[2])]
        try:
            frames, _ = soundfile.read(io.BytesIO(stream), dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as problem:
            raise AudioError(
                self._where, f"sample {number} cannot be decoded ({problem.error_string})", _REMEDY
            ) from problem
        loop_end = number_of(header[4])
        if len(frames) < max(loop_end, 1):
            raise AudioError(
                self._where,
                f"sample {number} has {len(frames)} frames, and its loop ends at {loop_end}",
                _REMEDY,
            )
        return np.ascontiguousarray(frames[:, 0])

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


def load_bank(path: Path = BANK_FILE, sha256: str = BANK_SHA256) -> Bank:
    """The bank, read once in a process.

    Args:
        sha256: what the file must be.

    Raises:
        StorageError: the file is missing or cannot be read.
        AudioError: the file is damaged, or another.
    """
    return _read_once(path, sha256)


@lru_cache(maxsize=1)
def _read_once(path: Path, sha256: str) -> Bank:
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise StorageError(
            str(path),
            f"the composer's recorded instruments cannot be read ({problem.strerror})",
            _REMEDY,
        ) from problem
    bank = Bank(data, str(path))
    if bank.sha256 != sha256:
        raise AudioError(
            str(path),
            f"these are not the recorded instruments of this version: SHA-256 {bank.sha256}, not {sha256}",
            _REMEDY,
        )
    bank.recordings = load_recordings(bank.sha256)
    return bank
