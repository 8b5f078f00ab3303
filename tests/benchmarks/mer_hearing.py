"""One measurement of our side of `tests.benchmarks.mer`, in a process of its own.

    python -m tests.benchmarks.mer_hearing frames SOUND MEL.npy      make the mel frames of a sound
    python -m tests.benchmarks.mer_hearing network MEL.npy OUT       hear them; embeddings into OUT.npy
    python -m tests.benchmarks.mer_hearing musicnn[,cues] SOUND      hear a file

Prints wall_s, cpu_s and peak_mb as one JSON object; imports are not timed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from analysis.mer.cues.predictor import CuesPredictor
from analysis.mer.files import hear_file
from analysis.mer.musicnn.mel import MelFrames
from analysis.mer.musicnn.network import MusicnnNetwork
from analysis.mer.musicnn.predictor import MusicnnPredictor
from analysis.mer.predictor import AffectPredictor
from generation.audio import read_blocks

PREDICTORS: dict[str, Callable[[int], AffectPredictor]] = {"musicnn": MusicnnPredictor, "cues": CuesPredictor}
THREADS = 2


def main() -> None:
    """Run what was asked, print what it took."""
    what, source = sys.argv[1], Path(sys.argv[2])
    if what == "frames":
        figures = _timed(lambda: np.save(sys.argv[3], _frames(source)))
    elif what == "network":
        mel, network = np.load(source), MusicnnNetwork(THREADS)
        figures = _timed(lambda: np.save(sys.argv[3], network.of_mel(mel).embedding))
    else:
        figures = _timed(lambda: hear_file([PREDICTORS[name](THREADS) for name in what.split(",")], source))
    print(json.dumps(figures))


def _frames(sound: Path) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rate, blocks = read_blocks(sound)
    frames = MelFrames(rate)
    heard = [frames.hear(block) for block in blocks]
    return np.concatenate([*heard, frames.finish()])


def _timed(work: Callable[[], object]) -> dict[str, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "peak_mb": peak_mb(),
    }


def peak_mb() -> float:
    """Largest resident memory of this program; what getrusage says may be the parent's."""
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
