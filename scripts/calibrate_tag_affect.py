"""Set the scale of musicnn's tag map from music and from published ratings.

    python scripts/calibrate_tag_affect.py analysis/mer/musicnn/weights/tag_affect.json FOLDER...

Every FOLDER is a collection of sound files (its name goes into the map). Of
each file of 20 s or more the middle 30 s are heard. From the tags' mean over
each piece come, without any label: each tag's mean strength and spread, the
symmetric mixing that makes the two axes uncorrelated, and the gain and offset
that give the pieces' predictions the mean and standard deviation of RATINGS.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.optimize import fsolve

from analysis.mer.musicnn.mel import blocks_of
from analysis.mer.musicnn.predictor import MusicnnPredictor
from analysis.mer.musicnn.tag_affect import TagAffect

HEARD_S = 30.0
SHORTEST_S = 20.0
SUFFIXES = {".ogg", ".opus", ".flac", ".wav", ".mp3"}
#: Mean ratings of 110 film-music excerpts (Eerola & Vuoskoski, 2011, Psychology of
#: Music 39, 18-49; table of MusicScienceData @ 9f292fb, MIT), (x - 5) / 4: valence, energy.
RATINGS_MEAN = (0.069, 0.122)
RATINGS_SD = (0.439, 0.455)
RATINGS = (
    "110 film-music excerpts, Eerola & Vuoskoski 2011, MusicScienceData @ 9f292fb (MIT): valence, energy"
)


def pieces(folder: Path) -> Iterator[tuple[Path, NDArray[np.float32], int]]:
    """The middle of every file that is long enough: path, samples, sample rate."""
    for path in sorted(folder.rglob("*")):
        if path.suffix not in SUFFIXES:
            continue
        with soundfile.SoundFile(path) as sound:
            length_s = sound.frames / sound.samplerate
            if length_s < SHORTEST_S:
                continue
            sound.seek(int(max(0.0, length_s / 2 - HEARD_S / 2) * sound.samplerate))
            samples = sound.read(int(HEARD_S * sound.samplerate), dtype="float32", always_2d=True)
            yield path, samples, sound.samplerate


def gain_and_offset(score: NDArray[np.float64], mean: float, sd: float) -> tuple[float, float]:
    """Gain and offset for which tanh(offset + gain × score) has that mean and spread."""

    def miss(guess: NDArray[np.float64]) -> list[float]:
        value = np.tanh(guess[1] + guess[0] * score)
        return [float(value.mean() - mean), float(value.std() - sd)]

    gain, offset = fsolve(miss, [sd, mean])
    return float(gain), float(offset)


def calibrate(tags: NDArray[np.float64], uncalibrated: TagAffect) -> dict[str, object]:
    """The calibration block. `tags`: mean √probability of each piece, shape [n_pieces, 50]."""
    mean, sd = tags.mean(axis=0), tags.std(axis=0)
    score = (tags - mean) / sd @ uncalibrated.places
    spread = np.diag(1.0 / score.std(axis=0))
    values, vectors = np.linalg.eigh(np.corrcoef(score.T))
    mix = vectors @ np.diag(values**-0.5) @ vectors.T @ spread
    fitted = [
        gain_and_offset(axis, *target)
        for axis, target in zip((score @ mix.T).T, zip(RATINGS_MEAN, RATINGS_SD, strict=True), strict=True)
    ]
    return {
        "strength_mean": np.round(mean, 6).tolist(),
        "strength_sd": np.round(sd, 6).tolist(),
        "mix": np.round(mix, 6).tolist(),
        "gain": [round(gain, 6) for gain, _ in fitted],
        "offset": [round(offset, 6) for _, offset in fitted],
    }


def main() -> None:
    """Hear the folders, rewrite the map's calibration."""
    target, *folders = (Path(argument) for argument in sys.argv[1:])
    content = json.loads(target.read_text())
    empty = {"strength_mean": [0.0] * 50, "strength_sd": [1.0] * 50}
    content.setdefault("calibration", {**empty, "mix": [[1, 0], [0, 1]], "gain": [1, 1], "offset": [0, 0]})
    target.write_text(json.dumps(content))
    predictor = MusicnnPredictor()
    strengths: list[NDArray[np.float64]] = []
    sources = []
    for folder in folders:
        before = len(strengths)
        for _, samples, rate in pieces(folder):
            tags = predictor.predict_tags(blocks_of(samples, rate), rate)
            strengths.append(np.sqrt(tags.astype(np.float64)).mean(axis=0))
        sources.append(f"{folder.name}: {len(strengths) - before} pieces")
        print(sources[-1])
    uncalibrated = TagAffect.from_json(json.dumps(content))
    content["calibration"] = {
        "music": sources,
        "ratings": RATINGS,
        "ratings_mean": RATINGS_MEAN,
        "ratings_sd": RATINGS_SD,
        **calibrate(np.array(strengths), uncalibrated),
    }
    target.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
