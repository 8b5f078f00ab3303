"""Sound files read: whole or piece by piece, samples or one refusal that names the file."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from generation.containers import foreign_kind, mp3_length_is_a_guess, ogg_damage
from study.errors import AudioError

READABLE = "WAV, FLAC, Ogg (Vorbis, Opus), MP3 and AIFF"
SUFFIXES = (
    ".wav",
    ".flac",
    ".ogg",
    ".oga",
    ".opus",
    ".mp3",
    ".aif",
    ".aiff",
    ".aifc",
    ".w64",
    ".rf64",
    ".caf",
)
"""Endings by which sound is found in a folder; a file named by itself may end as it likes."""

SLOWEST_HZ, FASTEST_HZ = 4_000, 768_000
"""Sample rates of sound: half the telephone's, to the highest that recorders write."""

_UNKNOWN_LENGTH = 0xFFFFFFFF - 0x1000
"""Programs that stream a WAV write a length near 2^32 for "until the end"."""
_UNKNOWN_FRAMES = 2**62
"""What libsndfile makes of a streamed FLAC without a length; it cannot read such a one to its end."""
_CONVERT = "for example: ffmpeg -i IN out.flac"
_LARGEST_BLOCK = 2**24
"""Values in a block (64 MB), however many channels there are."""
_OPUS_GRANULES_HZ = 48_000

#: Where WAVE's channels (left, right, centre, low, surrounds) stand in Vorbis's order (Vorbis I, section
#: 4.3.9), which Opus shares (RFC 7845, section 5.1.1.2); libsndfile leaves them as they stand.
_FROM_VORBIS = {
    3: (0, 2, 1),
    5: (0, 2, 1, 3, 4),
    6: (0, 2, 1, 5, 3, 4),
    7: (0, 2, 1, 6, 5, 3, 4),
    8: (0, 2, 1, 7, 5, 6, 3, 4),
}


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
        the sample rate in Hz; blocks, float32, shape [n, n_channels], up to `block_s` each; of more
        than two channels in WAVE's order (left, right, centre, low, surrounds).

    Raises:
        AudioError: as `read_audio`; damage may show only while the blocks are taken.
    """
    with _open(path) as sound:
        sample_rate_hz = int(sound.samplerate)
        _check_header(path, sound)
        _check_whole(path, sound)
        block = min(round(block_s * sample_rate_hz), _LARGEST_BLOCK // sound.channels)
    return sample_rate_hz, _blocks(path, block)


def _blocks(path: Path, block: int) -> Iterator[NDArray[np.float32]]:
    with _open(path) as sound:
        order = _FROM_VORBIS.get(sound.channels) if sound.subtype in {"VORBIS", "OPUS"} else None
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
            yield samples if order is None else samples[:, order]
        if not taken:
            raise AudioError(str(path), "there is no sound in it", "copy or export the sound again")
        if taken < sound.frames:
            raise _cut_off(path, taken / sound.samplerate)


@contextmanager
def _open(path: Path) -> Iterator[soundfile.SoundFile]:
    _check_file(path)
    try:
        # As bytes, since a name need not be UTF-8; in full, since libsndfile takes "-" for standard input.
        with soundfile.SoundFile(os.fsencode(path.absolute())) as sound:
            if sound.format == "RAW":
                raise _unreadable(path, "it has no header")
            yield sound
    except (soundfile.LibsndfileError, TypeError) as problem:
        # TypeError: headerless ".raw" files, whose rate nobody wrote down.
        raise _unreadable(path, getattr(problem, "error_string", "it has no header")) from problem


def _unreadable(path: Path, reason: str) -> AudioError:
    kind = foreign_kind(path)
    if kind is not None:
        return AudioError(
            str(path),
            f"is {kind}, which is not read here",
            f"make a WAV or FLAC of it, {_CONVERT}",
        )
    told = reason.rstrip(".").lower().removeprefix("error : ")
    # What libsndfile says of an MP3 without a single frame, though the file is there.
    told = "format not recognised" if told.startswith("file does not exist") else told
    return AudioError(str(path), f"cannot be read as sound ({told})", f"use a whole file of kind {READABLE}")


def _check_file(path: Path) -> None:
    """Refuse what is no file with something in it, without opening what would block (a pipe) or never end."""
    try:
        kind = path.stat().st_mode
        if not stat.S_ISREG(kind):
            what = "is a directory" if stat.S_ISDIR(kind) else "is a pipe or a device, not a file"
            raise AudioError(str(path), what, "name a sound file that can be read")
        with path.open("rb") as raw:
            is_empty = not raw.read(1)
    except (OSError, ValueError) as problem:
        # ValueError: a NUL in the name.
        reason = str(getattr(problem, "strerror", None) or problem).lower()
        if isinstance(problem, FileNotFoundError):
            reason = "is a link to a file that is not there" if path.is_symlink() else "there is no such file"
        raise AudioError(str(path), reason, "name a sound file that can be read") from problem
    if is_empty:
        raise AudioError(str(path), "the file is empty", "copy or export the sound again")


def _check_header(path: Path, sound: soundfile.SoundFile) -> None:
    if not SLOWEST_HZ <= sound.samplerate <= FASTEST_HZ:
        raise AudioError(
            str(path),
            f"a sample rate of {sound.samplerate:,} Hz: sound has {SLOWEST_HZ:,} to {FASTEST_HZ:,}",
            "export the sound again",
        )


def _check_whole(path: Path, sound: soundfile.SoundFile) -> None:
    promised = re.search(r"(?:data|SSND) : (\d+) \(should be (\d+)\)", sound.extra_info)
    if promised and int(promised[2]) < int(promised[1]) < _UNKNOWN_LENGTH:
        raise _cut_off(path, sound.frames / sound.samplerate)
    if sound.format == "OGG":
        granule = ogg_damage(path)
        if granule is not None:
            per_s = _OPUS_GRANULES_HZ if sound.subtype == "OPUS" else sound.samplerate
            raise _cut_off(path, granule / per_s)
    if sound.format in {"MP3", "MPEG"} and mp3_length_is_a_guess(path):
        raise AudioError(
            str(path),
            "an MP3 of changing bit rate that does not tell its length: only a part would be read",
            f"make a WAV or FLAC of it, {_CONVERT}",
        )
    if sound.frames > _UNKNOWN_FRAMES:
        raise AudioError(
            str(path), "its header does not tell its length (it was streamed)", f"write it anew, {_CONVERT}"
        )
    if not sound.frames:
        raise AudioError(str(path), "there is no sound in it", "copy or export the sound again")


def _cut_off(path: Path, at_s: float) -> AudioError:
    return AudioError(
        str(path), f"the file is cut off or damaged after {at_s:.3f} s", "copy or export the sound again"
    )
