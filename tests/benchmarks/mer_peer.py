"""One measurement of essentia-tensorflow for `tests.benchmarks.mer`, in its own environment and process.

    .venv-essentia/bin/python tests/benchmarks/mer_peer.py network GRAPH.pb MEL.npy OUT
    .venv-essentia/bin/python tests/benchmarks/mer_peer.py file GRAPH.pb SOUND OUT

Both write embeddings into OUT.npy and print wall_s, cpu_s and peak_mb as one JSON object. Imports are
not timed; `network` runs one batch first, so that nothing of its start-up is timed either.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

OUTPUT = "model/dense/BiasAdd"
BATCH = 64


def main() -> None:
    """Run what was asked, print what it took."""
    # Both speak on standard output unless told otherwise before they are loaded.
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import essentia

    essentia.log.infoActive = False
    essentia.log.warningActive = False
    from essentia.standard import MonoLoader, TensorflowPredict, TensorflowPredictMusiCNN

    what, graph, source, target = sys.argv[1:]
    if what == "network":
        run = TensorflowPredict(
            graphFilename=graph, inputs=["model/Placeholder"], outputs=[OUTPUT], squeeze=True
        )
        mel = np.load(source)
        patches = np.stack([mel[first : first + 187] for first in range(0, len(mel) - 186, 93)])[:, None]

        def embeddings(batch: np.ndarray) -> np.ndarray:
            pool = essentia.Pool()
            pool.set("model/Placeholder", batch)
            return np.asarray(run(pool)[OUTPUT][:, 0, 0])

        embeddings(patches[:BATCH])
        wall, cpu = time.perf_counter(), time.process_time()
        found = np.concatenate(
            [embeddings(patches[first : first + BATCH]) for first in range(0, len(patches), BATCH)]
        )
    else:
        wall, cpu = time.perf_counter(), time.process_time()
        samples = MonoLoader(filename=source, sampleRate=16000, resampleQuality=4)()
        found = np.asarray(TensorflowPredictMusiCNN(graphFilename=graph, output=OUTPUT)(samples))
    figures = {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "peak_mb": peak_mb(),
    }
    np.save(target, found)
    print(json.dumps(figures))


def peak_mb() -> float:
    """Largest resident memory of this program; what getrusage says may be the parent's."""
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
