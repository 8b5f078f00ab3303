"""What a session's file holds, measured on the file itself in one going through."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.loudness import LoudnessMeter, gated_loudness, loudness_between
from generation.peaks import PeakMeter
from generation.sound_file import read_blocks
from study.errors import AudioError
from study.folder import file_sha256

_BLOCK_S = 8.0


@dataclass(frozen=True)
class ClipMeasures:
    """One clip as the file holds it.

    Args:
        first, last: its first frame, and the one after its last.
        sha256: of its samples as little-endian float32.
        loudness_lufs: integrated; None where nothing reaches the gate.
    """

    first: int
    last: int
    sha256: str
    loudness_lufs: float | None


@dataclass(frozen=True)
class FileMeasures:
    """A whole file.

    Args:
        audio_sha256: of its bytes.
        n_frames: its length.
        loudness_lufs: integrated; None for digital silence.
        true_peak_dbtp: None for digital silence.
        clips: in order, without gaps.
    """

    audio_sha256: str
    sample_rate_hz: int
    n_channels: int
    n_frames: int
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    clips: tuple[ClipMeasures, ...]


def measure_file(path: Path, shape: tuple[int, ...], edges_s: Sequence[float]) -> FileMeasures:
    """Read a file back, and say what it holds.

    Args:
        shape: frames and channels that were written.
        edges_s: where clips begin, and where the last one ends, in seconds from 0 to the end.

    Raises:
        AudioError: the file cannot be read back, or is not as long as what was written.
    """
    n_frames, n_channels = shape
    sample_rate_hz, blocks = read_blocks(path, _BLOCK_S)
    edges = [round(edge_s * sample_rate_hz) for edge_s in edges_s]
    loudness, peak = LoudnessMeter(sample_rate_hz, n_channels), PeakMeter(n_channels)
    clips = _ClipHashes(edges[1:])
    found = 0
    for block in blocks:
        loudness.add(block)
        peak.add(block)
        clips.add(block)
        found += len(block)
    if found != n_frames or edges[-1] != n_frames:
        raise AudioError(
            str(path), f"holds {found} frames of the {n_frames} that were written", "write the sound again"
        )
    gating_blocks = loudness.blocks()
    return FileMeasures(
        audio_sha256=file_sha256(path),
        sample_rate_hz=sample_rate_hz,
        n_channels=n_channels,
        n_frames=n_frames,
        loudness_lufs=gated_loudness(gating_blocks),
        true_peak_dbtp=20.0 * math.log10(highest) if (highest := peak.peak()) else None,
        clips=tuple(_clips(edges, edges_s, clips.sha256(), gating_blocks)),
    )


def _clips(
    edges: Sequence[int], edges_s: Sequence[float], hashes: Sequence[str], blocks: NDArray[np.float64]
) -> Iterator[ClipMeasures]:
    for number, sha256 in enumerate(hashes):
        loudness_lufs = loudness_between(blocks, edges_s[number], edges_s[number + 1])
        yield ClipMeasures(edges[number], edges[number + 1], sha256, loudness_lufs)


class _ClipHashes:
    """Hashes of clips as their samples go by.

    Args:
        ends: the frame after each clip's last.
    """

    def __init__(self, ends: Sequence[int]) -> None:
        self._ends = ends
        self._digests = [hashlib.sha256() for _ in ends]
        self._at = self._clip = 0

    def add(self, samples: NDArray[np.float32]) -> None:
        while len(samples) and self._clip < len(self._ends):
            here = samples[: self._ends[self._clip] - self._at]
            self._digests[self._clip].update(np.ascontiguousarray(here, dtype="<f4").data)
            self._at += len(here)
            self._clip += self._at == self._ends[self._clip]
            samples = samples[len(here) :]

    def sha256(self) -> list[str]:
        return [digest.hexdigest() for digest in self._digests]
