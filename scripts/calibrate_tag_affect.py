"""Set the scale of musicnn's tag map, and the reference of what musicnn has heard.

    python scripts/calibrate_tag_affect.py RATINGS.csv MUSIC

RATINGS.csv: the mean ratings of 110 film-music excerpts of Eerola & Vuoskoski (2011), Psychology of
Music 39, 18-49 (table `soundtrack` of MusicScienceData @ 9f292fb, MIT). MUSIC: the game music that
tests/listening/tracks.csv names, as MUSIC/<package>/<path>; only its half `calibrate` is opened.

Of each piece the middle 30 s are heard. Written into analysis/mer/musicnn/weights, no label being read:

- tag_affect.json: the places that are correlations within RATINGS; each tag's mean strength and spread,
  the correlations of the tags that have a place, the coefficients, and the gain and offset that give the
  pieces' predictions the mean and standard deviation of RATINGS;
- reference_domain.npz: the reference of `analysis.mer.domain`, from the embedding of every window.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from calibration_music import calibration_tracks, gain_and_offset, middle
from numpy.typing import NDArray

from analysis.mer.domain import ReferenceDomain, held_out_distance
from analysis.mer.musicnn.network import MusicnnNetwork
from analysis.mer.musicnn.tag_affect import factor_coefficients, places_of

REPOSITORY = Path(__file__).parents[1]
WEIGHTS = REPOSITORY / "analysis" / "mer" / "musicnn" / "weights"

Floats = NDArray[np.float64]


def heard(paths: list[Path]) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Tags [n_windows, 50] and embedding [n_windows, 200] of the middle of each file."""
    network = MusicnnNetwork()
    for path in paths:
        samples, rate = middle(path)
        listener = network.listen(rate)
        listener.hear(samples)
        output = listener.finish()
        yield output.tags, output.embedding


def place_from(ratings: dict[str, Floats], scale: str) -> tuple[float, float]:
    """Correlation over the excerpts of a rated scale with rated valence and with rated energy."""
    return (
        round(float(np.corrcoef(ratings[scale], ratings["Valence"])[0, 1]), 3),
        round(float(np.corrcoef(ratings[scale], ratings["Energy"])[0, 1]), 3),
    )


def calibration(content: dict[str, Any], strengths: Floats, ratings: dict[str, Floats]) -> dict[str, Any]:
    """The map's calibration block. `strengths`: mean √probability of each piece, shape [n_pieces, 50]."""
    used = [index for index, entry in enumerate(content["tags"]) if entry["weight"]]
    names = [content["tags"][index]["tag"] for index in used]
    mean, sd = strengths.mean(axis=0), strengths.std(axis=0)
    standardised = ((strengths - mean) / sd)[:, used]
    correlation = np.round(np.corrcoef(standardised.T), 6)
    coefficients = factor_coefficients(places_of(content["tags"])[used], correlation)
    targets = [(ratings[axis] - 5.0) / 4.0 for axis in ("Valence", "Energy")]
    fitted = [
        gain_and_offset(list(score), target.mean(), target.std())
        for score, target in zip((standardised @ coefficients).T, targets, strict=True)
    ]
    return {
        "ratings_mean": [round(float(target.mean()), 3) for target in targets],
        "ratings_sd": [round(float(target.std()), 3) for target in targets],
        "strength_mean": np.round(mean, 6).tolist(),
        "strength_sd": np.round(sd, 6).tolist(),
        "correlation": correlation.tolist(),
        "coefficients": dict(zip(names, np.round(coefficients, 6).tolist(), strict=True)),
        "gain": [round(gain, 6) for gain, _ in fitted],
        "offset": [round(offset, 6) for _, offset in fitted],
    }


def main() -> None:
    """Hear the calibration music; write the map's calibration and the reference."""
    ratings_file, music = (Path(argument) for argument in sys.argv[1:])
    with ratings_file.open(newline="") as file:
        rows = list(csv.DictReader(file))
    scales = ("Valence", "Energy", "Anger", "Happy", "Sad", "Tender", "Beauty")
    ratings = {scale: np.array([float(row[scale]) for row in rows]) for scale in scales}

    tracks = calibration_tracks()
    outputs = list(heard([music / track["package"] / track["path"] for track in tracks]))
    strengths = np.array([np.sqrt(tags.astype(np.float64)).mean(axis=0) for tags, _ in outputs])
    per_package = Counter(f"{track['package']} {track['version']}" for track in tracks)

    target = WEIGHTS / "tag_affect.json"
    content = json.loads(target.read_text(encoding="utf-8"))
    for entry in content["tags"]:
        if entry.get("scale"):
            entry["valence"], entry["arousal"] = place_from(ratings, entry["scale"])
    content["calibration"] = {
        "music": [f"Debian {name}: {count} pieces" for name, count in sorted(per_package.items())],
        "ratings": content["sources"]["soundtracks"]["citation"],
        **calibration(content, strengths, ratings),
    }
    target.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    embeddings = np.concatenate([embedding for _, embedding in outputs])
    pieces = [str(index) for index, (tags, _) in enumerate(outputs) for _ in tags]
    domain = ReferenceDomain.fitted(
        embeddings,
        pieces,
        f"{len(tracks)} pieces of game music from {len(per_package)} Debian packages "
        "(the half `calibrate` of tests/listening/tracks.csv), 30 s of each",
    )
    (WEIGHTS / "reference_domain.npz").write_bytes(domain.to_npz())
    share = float(np.mean(held_out_distance(embeddings, pieces) > domain.edge))
    print(f"{len(tracks)} pieces, {len(embeddings)} windows; outside when held out: {share:.3f}")


if __name__ == "__main__":
    main()
