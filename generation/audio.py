"""Sound as numbers: one rate, one loudness, files read whole and written whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from generation.loudness import integrated_loudness
from generation.mastering import Mastered, master
from generation.peaks import true_peak_dbtp
from generation.sound_blocks import Samples, Sound, blocks_of
from generation.sound_file import read_audio, read_blocks
from study.errors import AudioError
from study.folder import file_made_whole

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

_WRITABLE = {".flac": "FLAC", ".wav": "WAV"}
_FULL_SCALE = 32_768
_WRITTEN_AT_ONCE = 1 << 16


def encode_audio(samples: Sound, sample_rate_hz: int, suffix: str = ".flac") -> bytes:
    """A 16-bit sound file's bytes; the samples come back rounded to 1/32768, nothing else.

    Raises:
        AudioError: NaN, or a sample beyond full scale (nothing is clipped), or no such format.
    """
    encoded = io.BytesIO()
    _encode(encoded, samples, sample_rate_hz, suffix)
    return encoded.getvalue()


def write_audio(path: Path, samples: Sound, sample_rate_hz: int) -> None:
    """Write a 16-bit FLAC (or WAV, by the name's ending), block by block: whole, or not at all.

    Args:
        samples: float32, shape [n_samples, n_channels], within [-1, 1].

    Raises:
        AudioError: as `encode_audio`.
        StorageError: the folder or disk does not take it; nothing is left behind.
    """
    with file_made_whole(path) as file:
        _encode(file, samples, sample_rate_hz, path.suffix)


def _encode(file: BinaryIO, samples: Sound, sample_rate_hz: int, suffix: str) -> None:
    if suffix.lower() not in _WRITABLE:
        raise AudioError(f"sound file of kind {suffix!r}", "is not written here", "use .flac (or .wav)")
    sink = _Sink(file)
    n_channels, kind = samples.shape[1], _WRITABLE[suffix.lower()]
    try:
        with soundfile.SoundFile(
            sink, "w", sample_rate_hz, n_channels, subtype="PCM_16", format=kind
        ) as sound:
            for block in blocks_of(samples, _WRITTEN_AT_ONCE):
                sound.write(_as_16_bits(block, samples))
    except (soundfile.LibsndfileError, AssertionError):
        if sink.failure is None:
            raise
    if sink.failure is not None:
        raise sink.failure


def _as_16_bits(block: Samples, whole: Sound) -> NDArray[np.int16]:
    codes = block * np.float32(_FULL_SCALE)
    # The other way round, NaN would pass.
    if not np.abs(codes).max(initial=0.0) <= _FULL_SCALE:
        peak = np.max([np.abs(some).max(initial=0.0) for some in blocks_of(whole)])
        raise AudioError(
            "sound to write",
            f"its largest sample is {peak:g}, beyond full scale 1",
            "set its loudness first",
        )
    # +1 itself has no 16-bit code; it becomes the nearest one.
    np.minimum(np.rint(codes, out=codes), _FULL_SCALE - 1, out=codes)
    return codes.astype(np.int16)


class _Sink:
    """A file for libsndfile, which cannot tell why a write failed: its failure is kept."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.read = file.seek, file.tell, file.read
        self.failure: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as problem:
            self.failure = problem
            return 0
