"""Small sound files and tables for the tests of corpora."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

HEADER = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS"


def write_tone(path: Path, duration_s: float, rate_hz: int = 8000, level: float = 0.1) -> Path:
    """A tone of 440 Hz in the format its ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    times = np.arange(round(duration_s * rate_hz)) / rate_hz
    soundfile.write(path, level * np.sin(2 * np.pi * 440 * times), rate_hz)
    return path


def write_table(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def jamendo_row(number: int, *tags: str, artist: int = 1, duration_s: str = "12.0") -> str:
    """A row as MTG-Jamendo writes it; its file lies in the folder of the number's last two digits."""
    path = f"{number % 100:02d}/{number}.mp3"
    names = (f"track_{number:07d}", f"artist_{artist:06d}", f"album_{artist:06d}", path, duration_s)
    return "\t".join((*names, *(tags or ("mood/theme---calm",))))


def write_jamendo(
    folder: Path,
    rows: Sequence[str],
    train: Sequence[str],
    validation: Sequence[str],
    test: Sequence[str] = (),
    splits: str = "splits/split-0",
) -> Path:
    """The table and its split files in the data set's own layout; each split needs a row to be a table."""
    parts = {"train": train, "validation": validation, "test": test or [jamendo_row(9_999)]}
    for split, own in parts.items():
        write_table(folder / splits / f"autotagging_moodtheme-{split}.tsv", HEADER, *own)
    rows = [*rows, *([] if test else [jamendo_row(9_999)])]
    return write_table(folder / "autotagging_moodtheme.tsv", HEADER, *rows)
