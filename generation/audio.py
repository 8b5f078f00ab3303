"""Sound as numbers: one rate, one loudness, files read whole and written whole or not at all."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from generation.loudness import integrated_loudness
from generation.mastering import Mastered, master
from generation.peaks import true_peak_dbtp
from study.errors import AudioError
from study.folder import write_whole

__all__ = [
    "SAMPLE_RATE_HZ",
    "Mastered",
    "encode_audio",
    "integrated_loudness",
    "master",
    "read_audio",
    "read_blocks",
    "true_peak_dbtp",
    "write_audio",
]

SAMPLE_RATE_HZ = 32_000
"""One rate for every engine, so that arms are not told apart by bandwidth."""

READABLE = "WAV, FLAC, Ogg (Vorbis, Opus), MP3 and AIFF"
_WRITABLE = {".flac": "FLAC", ".wav": "WAV"}
_FULL_SCALE = 32_768
_LARGEST_OGG_PAGE = 65_307
_UNKNOWN_LENGTH = 0xFFFFFFFF - 0x1000
"""Programs that stream a WAV write a length near 2^32 for "until the end"."""


def read_audio(path: Path) -> tuple[NDArray[np.float32], int]:
    """A whole sound file.

    Returns:
        samples, float32, shape [n_samples, n_channels], full scale 1;
        the sample rate in Hz.

    Raises:
        AudioError: no such file, not a sound file, empty, cut off or damaged,
            or NaN in it; the message names the file.
    """
    sample_rate_hz, blocks = read_blocks(path)
    return np.concatenate(list(blocks)), sample_rate_hz


def read_blocks(path: Path, block_s: float = 30.0) -> tuple[int, Iterator[NDArray[np.float32]]]:
    """A sound file piece by piece, for files longer than memory likes.

    Returns:
        the sample rate in Hz; blocks, float32, shape [n, n_channels], up to `block_s` each.

    Raises:
        AudioError: as `read_audio`; damage may show only while the blocks are taken.
    """
    with _open(path) as sound:
        sample_rate_hz = int(sound.samplerate)
        _check_whole(path, sound)
    return sample_rate_hz, _blocks(path, round(block_s * sample_rate_hz))


def _blocks(path: Path, block: int) -> Iterator[NDArray[np.float32]]:
    with _open(path) as sound:
        taken = 0
        while True:
            try:
                samples: NDArray[np.float32] = sound.read(block, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as problem:
                raise _cut_off(path, taken / sound.samplerate) from problem
            if not len(samples):
                break
            if not np.isfinite(samples).all():
                bad = taken + int(np.flatnonzero(~np.isfinite(samples).all(axis=1))[0])
                raise AudioError(
                    str(path),
                    f"not a number at {bad / sound.samplerate:.3f} s",
                    "export the sound again from the program that made it",
                )
            taken += len(samples)
            yield samples
        if taken < sound.frames:
            raise _cut_off(path, taken / sound.samplerate)


@contextmanager
def _open(path: Path) -> Iterator[soundfile.SoundFile]:
    try:
        with path.open("rb") as raw:
            is_empty = not raw.read(1)
    except OSError as problem:
        reason = "there is no such file" if isinstance(problem, FileNotFoundError) else str(problem.strerror)
        raise AudioError(str(path), reason.lower(), "name a sound file that can be read") from problem
    if is_empty:
        raise AudioError(str(path), "the file is empty", "copy or export the sound again")
    try:
        with soundfile.SoundFile(path) as sound:
            yield sound
    except (soundfile.LibsndfileError, TypeError) as problem:
        # TypeError: headerless ".raw" files, whose rate nobody wrote down.
        reason = (
            getattr(problem, "error_string", "it has no header").rstrip(".").lower().removeprefix("error : ")
        )
        raise AudioError(
            str(path), f"cannot be read as sound ({reason})", f"use a whole file of kind {READABLE}"
        ) from problem


def _check_whole(path: Path, sound: soundfile.SoundFile) -> None:
    promised = re.search(r"(?:data|SSND) : (\d+) \(should be (\d+)\)", sound.extra_info)
    if promised and int(promised[2]) < int(promised[1]) < _UNKNOWN_LENGTH:
        raise _cut_off(path, sound.frames / sound.samplerate)
    if sound.format == "OGG" and not _ends_its_stream(path):
        raise _cut_off(path, sound.frames / sound.samplerate)
    if not sound.frames:
        raise AudioError(str(path), "there is no sound in it", "copy or export the sound again")


def _ends_its_stream(path: Path) -> bool:
    """Whether the last page of an Ogg file is whole and marked as the end (RFC 3533, section 6)."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 2 * _LARGEST_OGG_PAGE, 0))
        tail = file.read()
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < 27:
        return False
    header = 27 + page[26]
    return bool(page[5] & 4) and len(page) == header + sum(page[27:header])


def _cut_off(path: Path, at_s: float) -> AudioError:
    return AudioError(
        str(path), f"the file is cut off or damaged after {at_s:.3f} s", "copy or export the sound again"
    )


def encode_audio(samples: NDArray[np.float32], sample_rate_hz: int, suffix: str = ".flac") -> bytes:
    """A 16-bit sound file's bytes; the samples come back rounded to 1/32768, nothing else.

    Raises:
        AudioError: NaN, or a sample beyond full scale (nothing is clipped), or no such format.
    """
    if suffix.lower() not in _WRITABLE:
        raise AudioError(f"sound file of kind {suffix!r}", "is not written here", "use .flac (or .wav)")
    peak = float(np.abs(samples).max(initial=0.0))
    if not peak <= 1.0:
        raise AudioError(
            "sound to write",
            f"its largest sample is {peak:g}, beyond full scale 1",
            "set its loudness first",
        )
    # +1 itself has no 16-bit code; it becomes the nearest one.
    whole = np.minimum(np.rint(samples * np.float32(_FULL_SCALE)), _FULL_SCALE - 1).astype(np.int16)
    encoded = io.BytesIO()
    soundfile.write(encoded, whole, sample_rate_hz, subtype="PCM_16", format=_WRITABLE[suffix.lower()])
    return encoded.getvalue()


def write_audio(path: Path, samples: NDArray[np.float32], sample_rate_hz: int) -> None:
    """Write a 16-bit FLAC (or WAV, by the name's ending): whole, or not at all.

    Args:
        samples: float32, shape [n_samples, n_channels], within [-1, 1].

    Raises:
        AudioError: as `encode_audio`.
        StorageError: the folder or disk does not take it; nothing is left behind.
    """
    write_whole(path, encode_audio(samples, sample_rate_hz, path.suffix))
