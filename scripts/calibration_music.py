"""What both calibrations share: the tracks of the half `calibrate`, their middles, a scale from ratings."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.optimize import fsolve

TRACKS = Path(__file__).parents[1] / "tests" / "listening" / "tracks.csv"
HEARD_S = 30.0

Floats = NDArray[np.float64]


def calibration_tracks() -> list[dict[str, str]]:
    """Rows of the tracks of the half `calibrate`, without their labels."""
    with TRACKS.open(newline="") as file:
        return [
            {name: row[name] for name in ("package", "version", "path")}
            for row in csv.DictReader(file)
            if row["half"] == "calibrate"
        ]


def middle(path: Path) -> tuple[NDArray[np.float32], int]:
    """The middle `HEARD_S` of a file, or all of a shorter one: samples, sample rate."""
    with soundfile.SoundFile(path) as sound:
        first_s = max(0.0, sound.frames / sound.samplerate / 2 - HEARD_S / 2)
        sound.seek(int(first_s * sound.samplerate))
        return sound.read(int(HEARD_S * sound.samplerate), dtype="float32", always_2d=True), sound.samplerate


def gain_and_offset(scores: Sequence[Floats], mean: float, sd: float) -> tuple[float, float]:
    """Gain and offset for which the pieces' means of tanh(offset + gain × score) have that mean and spread.

    Args:
        scores: of each piece's windows, or the one score of each piece.
    """

    def miss(guess: Floats) -> list[float]:
        value = np.array([np.tanh(guess[1] + guess[0] * piece).mean() for piece in scores])
        return [float(value.mean() - mean), float(value.std() - sd)]

    gain, offset = fsolve(miss, [sd, mean])
    return float(gain), float(offset)
