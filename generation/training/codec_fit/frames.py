"""A fair sample of the frames of many sound files, read piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import samplerate
import torch
from numpy.typing import NDArray
from torch import Tensor

from generation.audio import SAMPLE_RATE_HZ, read_blocks
from generation.engine import Progress
from generation.musicgen.codec.spectra import Spectra
from study.errors import AudioError

BLOCK_S = 10.0
"""Files are read in pieces of that length, and a stretch is one of them."""

N_STRETCHES = 24


@dataclass(frozen=True)
class Sample:
    """What was drawn.

    Args:
        magnitudes: float32, shape [n_frames, n_together, n_bins], without silent frames.
        stretches: float32, shape [n_samples] each, up to `BLOCK_S` long.
    """

    magnitudes: Tensor
    stretches: tuple[Tensor, ...]


def sample_frames(
    files: Sequence[Path], spectra: Spectra, n_together: int, most: int, seed: int, progress: Progress
) -> Sample:
    """Frames and stretches drawn from all files, every frame as likely as any other, and every stretch.

    Each gets a random key, and those with the smallest keys are kept: no length need be known before.

    Args:
        files: of any rate and number of channels; the channels are averaged.
        n_together: spectra a frame.
        most: frames to keep.
        progress: told the share of the files that has been read.

    Raises:
        AudioError: a file that cannot be read, or nothing but silence.
    """
    rng = np.random.default_rng(seed)
    kept: list[Tensor] = []
    keys: list[Tensor] = []
    n_kept, largest = 0, 1.0
    stretches: list[tuple[float, Tensor]] = []
    for number, file in enumerate(files, start=1):
        for block in mono_blocks(file):
            samples = torch.from_numpy(block)
            drawn = torch.from_numpy(rng.random(spectra.n_frames(len(block)) // n_together))
            # A key beyond those of `most` frames can never be kept: its spectra are not computed.
            few = (drawn < largest).nonzero()[:, 0]
            numbers = few[:, None] * n_together + torch.arange(n_together)
            found = spectra.of(samples, numbers.flatten()).abs().unflatten(0, (-1, n_together))
            sounds = found.amax((1, 2)) > 0.0
            kept.append(found[sounds])
            keys.append(drawn[few][sounds])
            n_kept += len(keys[-1])
            stretches = sorted([*stretches, (rng.random(), samples)], key=_key)[:N_STRETCHES]
            if n_kept > 2 * most:
                kept, keys = _smallest(kept, keys, most)
                n_kept, largest = most, float(keys[0].max())
        progress(number / len(files))
    if not n_kept:
        raise AudioError("codec", f"{len(files)} file(s) hold no sound", "name files with music in them")
    return Sample(_smallest(kept, keys, most)[0][0], tuple(samples for _, samples in stretches))


def mono_blocks(file: Path) -> Iterator[NDArray[np.float32]]:
    """A file's blocks of 10 s as one channel at `SAMPLE_RATE_HZ`, shape [n_samples].

    Raises:
        AudioError: as `generation.sound_file.read_blocks`.
    """
    rate_hz, blocks = read_blocks(file, BLOCK_S)
    for block in blocks:
        mono = block.mean(axis=1, dtype=np.float32)
        if rate_hz != SAMPLE_RATE_HZ:
            mono = samplerate.resample(mono, SAMPLE_RATE_HZ / rate_hz, "sinc_fastest")
        yield np.asarray(mono, dtype=np.float32)


def _key(stretch: tuple[float, Tensor]) -> float:
    return stretch[0]


def _smallest(kept: list[Tensor], keys: list[Tensor], most: int) -> tuple[list[Tensor], list[Tensor]]:
    """The frames with the `most` smallest keys, in the order they came, as lists of one."""
    all_keys = torch.cat(keys)
    chosen = all_keys.argsort()[:most].sort().values
    return [torch.cat(kept)[chosen]], [all_keys[chosen]]
