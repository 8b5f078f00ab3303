"""One loudness per session: one gain, and peaks below a ceiling.

Relative levels inside a session are kept: loudness carries arousal, so no
clip is normalised by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.loudness import GATE_LUFS, LoudnessMeter, block_loudness, gated_loudness
from generation.peaks import limit, true_peak
from generation.sound_blocks import Sound, blocks_of, in_memory, scaled
from study.errors import AudioError

# Room for another meter's interpolation filter and for rounding to 16 bits.
_PEAK_MARGIN_DB = 0.1
_TOLERANCE_LU = 0.05
_PASSES = 12


@dataclass(frozen=True)
class Mastered:
    """A session at its study's loudness.

    Args:
        sound: float32, shape [n_samples, n_channels]; an array where it was mastered from one.
        gain_db: the one gain applied to every sample before the limiter.
        loudness_lufs: integrated, measured on `sound`; None for digital silence.
        true_peak_dbtp: measured on `sound`; None for digital silence.
        limited_db: the deepest gain reduction of the limiter, 0 where it was not needed.
    """

    sound: Sound
    gain_db: float
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    limited_db: float = 0.0

    @property
    def samples(self) -> NDArray[np.float32]:
        """The sound in memory, shape [n_samples, n_channels]."""
        return in_memory(self.sound)


def master(
    samples: Sound, sample_rate_hz: int, loudness_lufs: float, true_peak_dbtp: float = -1.0
) -> Mastered:
    """A whole session at `loudness_lufs`, its true peak at or below the ceiling.

    One gain for all samples and channels; a look-ahead limiter (5 ms, linked
    channels) only where a peak would pass the ceiling, the gain then raised
    until the limited session has the loudness asked for. Digital silence is
    returned as it is.

    Args:
        samples: float32, shape [n_samples, n_channels].
        loudness_lufs: integrated loudness to reach, to 0.1 LU.
        true_peak_dbtp: at most 0.

    Raises:
        AudioError: NaN in the samples, a session below the gate of -70 LUFS, or
            one whose peaks stand so far above its loudness that no gain can
            give both figures.
        StorageError: the disk of a sound on disk has no room for a limited one beside it.
    """
    blocks = _measured(samples, sample_rate_hz)
    if blocks is None:
        return Mastered(samples, 0.0, None, None)
    gain_db = _gain_to(blocks, loudness_lufs)
    # In the samples' own precision, so that one rounding decides everywhere.
    ceiling = float(np.float32(_linear(true_peak_dbtp - _PEAK_MARGIN_DB)))
    for _ in range(_PASSES):
        limited, limited_db = scaled(samples, _linear(gain_db)), 0.0
        after, peak = blocks + gain_db, true_peak(limited)
        if peak > ceiling:
            limited, limited_db = limit(limited, sample_rate_hz, ceiling)
            after, peak = block_loudness(limited, sample_rate_hz), true_peak(limited)
        reached = gated_loudness(after)
        is_loud = reached is not None and abs(reached - loudness_lufs) <= _TOLERANCE_LU
        if is_loud and peak <= _linear(true_peak_dbtp):
            return Mastered(limited, gain_db, reached, 20.0 * math.log10(peak), limited_db)
        gain_db += loudness_lufs - (reached if reached is not None else GATE_LUFS)
    raise AudioError(
        "session",
        f"its peaks stand too far above its loudness for {loudness_lufs:g} LUFS"
        f" below {true_peak_dbtp:g} dBTP",
        "choose a lower loudness_lufs, or sound without isolated clicks",
    )


def _measured(samples: Sound, sample_rate_hz: int) -> NDArray[np.float64] | None:
    """Its gating blocks, in one going through; None for digital silence."""
    meter = LoudnessMeter(sample_rate_hz, samples.shape[1])
    is_silent = True
    for block in blocks_of(samples):
        if not np.isfinite(block).all():
            raise AudioError("session", "the sound holds NaN or infinity", "make the sound again")
        is_silent = is_silent and not block.any()
        meter.add(block)
    return None if is_silent else meter.blocks()


def _gain_to(blocks: NDArray[np.float64], loudness_lufs: float) -> float:
    """The gain in dB after which the gated loudness is `loudness_lufs`."""
    gain_db = 0.0
    # Gain lifts quiet blocks over the absolute gate, so the answer is approached in a few rounds.
    for _ in range(_PASSES):
        now = gated_loudness(blocks + gain_db)
        if now is None:
            raise AudioError(
                "session",
                f"nothing in it reaches {GATE_LUFS:g} LUFS, so it has no loudness to set",
                "use sound that can be heard, or an arm of kind silence",
            )
        gain_db += loudness_lufs - now
    return gain_db


def _linear(decibel: float) -> float:
    return float(10.0 ** (decibel / 20.0))
