"""A few seconds of labelled music and a recipe for it, as a lab has them on disk."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

SPLITS = ("train",) * 4 + ("validation",) * 2
#: Valence, arousal and pitch of each track; bright and loud above, dark and soft below.
PLACES = (
    (0.6, 0.5, 523.0),
    (-0.6, 0.5, 392.0),
    (0.5, -0.6, 262.0),
    (-0.5, -0.5, 196.0),
    (0.3, 0.2, 330.0),
    (-0.2, -0.3, 220.0),
)
LENGTH_S = 2.0
NOT_HERE = "facebook/musicgen-small"


def tones(pitch_hz: float, arousal: float, rate_hz: int = 32_000) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A chord that beats faster and louder with arousal; float32, shape [n_samples, 1]."""
    t = np.arange(round(LENGTH_S * rate_hz)) / rate_hz
    chord = sum(np.sin(2 * np.pi * pitch_hz * ratio * t) for ratio in (1.0, 1.25, 1.5))
    beat = 0.5 + 0.5 * np.cos(2 * np.pi * (3.0 + 2.0 * arousal) * t)
    return np.asarray((0.1 + 0.05 * arousal) * chord * beat, dtype=np.float32)[:, None]


def write_music(folder: Path, rate_hz: int = 32_000) -> list[dict[str, Any]]:
    """Six sound files; returns their rows of a table."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (split, (valence, arousal, pitch_hz)) in enumerate(zip(SPLITS, PLACES, strict=True)):
        name = f"{number:02d}.flac"
        soundfile.write(folder / name, tones(pitch_hz, arousal, rate_hz), rate_hz)
        rows.append({"path": name, "valence": valence, "arousal": arousal, "split": split, "tags": "calm"})
    return rows


def write_table(folder: Path, rows: list[dict[str, Any]]) -> None:
    """``music.csv`` beside the sound."""
    with (folder / "music.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["path", "valence", "arousal", "split", "tags"])
        table.writeheader()
        table.writerows(rows)


def write_recipe(folder: Path, model: Path | str = NOT_HERE, **parts: Any) -> Path:
    """A recipe of a few steps on windows of one second; `parts` are changed or added."""
    recipe: dict[str, Any] = {
        "name": "beating",
        "model": str(model),
        "data": {"kind": "table", "path": "music.csv", "crop_s": 1.0, "hop_s": 1.0, "shortest_s": 1.0},
        "labels": {"source": "table", "perspective": "intended"},
        "conditioning": {"words": "table"},
        "lora": {"r": 2, "target_modules": ["q_proj", "v_proj"]},
        "optimiser": {"max_steps": 4, "warmup_steps": 1, "accumulation": 1, "dtype": "float32"},
        "selection": {"every_steps": 2, "validation_clips": 2},
    }
    for part, values in parts.items():
        recipe[part] = {**recipe.get(part, {}), **values} if isinstance(values, dict) else values
    file = folder / "recipe.json"
    file.write_text(json.dumps(recipe))
    return file
