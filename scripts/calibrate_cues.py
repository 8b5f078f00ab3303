"""Set the scale of the cues' map, and the reference of what the cues have heard.

    python scripts/calibrate_cues.py MUSIC

MUSIC: the game music that tests/listening/tracks.csv names, as MUSIC/<package>/<path>; only its half
`calibrate` is opened, and no label is read. Of each piece the middle 30 s are heard (all of a shorter one).
Written into analysis/mer/cues/weights:

- cue_affect.json, its block `calibration`: mean and standard deviation of each feature over the pieces,
  the spread of each cue, the mixing that makes the axes uncorrelated over the pieces, and the gain and
  offset that give their predictions the mean and spread of RATINGS;
- cue_domain.npz: the reference of `analysis.mer.domain`, from the standardised features of every window.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from calibration_music import HEARD_S, calibration_tracks, gain_and_offset, middle
from numpy.typing import NDArray

from analysis.mer.cues.frames import CueFrames
from analysis.mer.cues.transfer import FEATURES, CueTransfer, features_of
from analysis.mer.cues.window_cues import hear_cues
from analysis.mer.domain import ReferenceDomain

REPOSITORY = Path(__file__).parents[1]
WEIGHTS = REPOSITORY / "analysis" / "mer" / "cues" / "weights"
#: Mean ratings of 110 film-music excerpts (Eerola & Vuoskoski, 2011, Psychology of
#: Music 39, 18-49; table of MusicScienceData @ 9f292fb, MIT), (x - 5) / 4: valence, energy.
RATINGS_MEAN = (0.069, 0.122)
RATINGS_SD = (0.439, 0.455)
RATINGS = (
    "110 film-music excerpts, Eerola & Vuoskoski 2011, MusicScienceData @ 9f292fb (MIT): valence, energy"
)

Floats = NDArray[np.float64]


def features_heard(path: Path) -> Floats:
    """Features of the windows in the middle `HEARD_S` of a file, shape [n_windows, n_features]."""
    samples, rate = middle(path)
    frames = CueFrames(rate)
    windows = [*frames.hear(samples), *frames.finish()]
    return features_of([hear_cues(window) for window in windows])


def uncorrelating(scores: Floats) -> Floats:
    """The symmetric mixing after which two scores have unit spread and no correlation, shape [2, 2].

    The inverse square root of the correlation matrix: of all such mixings the one that
    moves the axes least (Kessy, Lewin & Strimmer 2018, The American Statistician 72, 309-314).
    """
    values, vectors = np.linalg.eigh(np.corrcoef(scores.T))
    return np.asarray(vectors @ np.diag(values**-0.5) @ vectors.T @ np.diag(1.0 / scores.std(axis=0)))


def calibrate(content: dict[str, Any], pieces: list[Floats]) -> dict[str, Any]:
    """The calibration block, from the features of each piece's windows."""
    features = np.array([piece.mean(axis=0) for piece in pieces])
    centre, unit = features.mean(axis=0), features.std(axis=0)
    block: dict[str, Any] = {
        "features": {
            name: {"mean": round(float(m), 6), "sd": round(float(s), 6)}
            for name, m, s in zip(FEATURES, centre, unit, strict=True)
        },
        "cue_sd": [1.0] * len(content["cues"]),
        "mix": [[1.0, 0.0], [0.0, 1.0]],
        "gain": [1.0, 1.0],
        "offset": [0.0, 0.0],
    }
    cues = [_transfer(content, block).cues_of(piece).mean(axis=0) for piece in pieces]
    block["cue_sd"] = np.round(np.std(cues, axis=0), 6).tolist()
    transfer = _transfer(content, block)
    of_windows = [transfer.scores(piece) for piece in pieces]
    scores = np.array([piece.mean(axis=0) for piece in of_windows])
    mix = uncorrelating(scores)
    fitted = [
        gain_and_offset([piece @ row for piece in of_windows], mean, sd)
        for row, mean, sd in zip(mix, RATINGS_MEAN, RATINGS_SD, strict=True)
    ]
    block["score_correlation"] = round(float(np.corrcoef(scores.T)[0, 1]), 3)
    block["mix"] = np.round(mix, 6).tolist()
    block["gain"] = [round(gain, 6) for gain, _ in fitted]
    block["offset"] = [round(offset, 6) for _, offset in fitted]
    return block


def _transfer(content: dict[str, Any], block: dict[str, Any]) -> CueTransfer:
    return CueTransfer.from_json(json.dumps({**content, "calibration": block}))


def main() -> None:
    """Hear the pieces, rewrite the map's calibration and the reference domain."""
    music = Path(sys.argv[1])
    tracks = calibration_tracks()
    pieces = [features_heard(music / track["package"] / track["path"]) for track in tracks]
    counted = Counter((track["package"], track["version"]) for track in tracks)
    packages = [f"{package} {version}: {n} pieces" for (package, version), n in sorted(counted.items())]
    target = WEIGHTS / "cue_affect.json"
    content = json.loads(target.read_text())
    content["calibration"] = {
        "music": packages,
        "heard": f"the middle {HEARD_S:g} s of each piece, mean over its windows",
        "ratings": RATINGS,
        "ratings_mean": RATINGS_MEAN,
        "ratings_sd": RATINGS_SD,
        **calibrate(content, pieces),
    }
    target.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    names = [f"{track['package']}/{track['path']}" for track in tracks]
    windows = [name for name, piece in zip(names, pieces, strict=True) for _ in piece]
    domain = ReferenceDomain.fitted(
        CueTransfer.from_json(json.dumps(content)).standardised(np.concatenate(pieces)),
        windows,
        f"{len(pieces)} pieces of freely licensed game music (Debian 12)",
    )
    (WEIGHTS / "cue_domain.npz").write_bytes(domain.to_npz())


if __name__ == "__main__":
    main()
