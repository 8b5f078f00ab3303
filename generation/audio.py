"""Sound as numbers: one rate, one loudness, files read whole and written whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from generation.loudness import integrated_loudness
from generation.mastering import Mastered, master
from generation.peaks import true_peak_dbtp
from generation.sound_blocks import Sound, in_memory
from generation.sound_file import read_audio, read_blocks
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

_WRITABLE = {".flac": "FLAC", ".wav": "WAV"}
_FULL_SCALE = 32_768


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


def write_audio(path: Path, samples: Sound, sample_rate_hz: int) -> None:
    """Write a 16-bit FLAC (or WAV, by the name's ending): whole, or not at all.

    Args:
        samples: float32, shape [n_samples, n_channels], within [-1, 1].

    Raises:
        AudioError: as `encode_audio`.
        StorageError: the folder or disk does not take it; nothing is left behind.
    """
    write_whole(path, encode_audio(in_memory(samples), sample_rate_hz, path.suffix))
