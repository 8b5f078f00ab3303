"""Ask the reference pipeline for the network's outputs, and write the numbers it gives.

    .venv-essentia/bin/python tests/oracles/musicnn_embeddings.py CLIPS GRAPH.pb [MEL.npy] \
        > tests/oracles/musicnn_embeddings.json

Runs in an environment of its own (pip install essentia-tensorflow==2.1b6.dev1389;
AGPL-3.0): isopath never imports it. CLIPS is a folder of sound files, GRAPH the
frozen graph of msd-musicnn-1 with Essentia's node names.

    clips  file name to embeddings of every sixth patch, heard by Essentia from the file on
    mel    tags and embeddings of each patch of mel frames, run through the frozen graph by
           TensorFlow: of MEL.npy, shape [n_frames, 96], or of the frames of `made_mel`
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np

EVERY = 6
NODES = {"tags": "model/Sigmoid", "embedding": "model/dense/BiasAdd"}


def made_mel(n_frames: int = 187 + 2 * 93) -> np.ndarray:
    """Frames within the range of log mel power that anyone can make again: float32, shape [n_frames, 96]."""
    t, b = np.arange(n_frames)[:, None], np.arange(96)
    beats = np.exp(-((t * 0.11) % 3.0))
    bands = 1.0 + np.sin(0.031 * t * (1.0 + b / 24.0)) * np.cos(b / 5.0)
    return np.asarray(2.0 * beats * bands * (1.0 - b / 128.0), dtype=np.float32)


def main() -> None:
    """Print one JSON object."""
    # Both speak on standard output unless told otherwise before they are loaded.
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import essentia

    essentia.log.infoActive = False
    essentia.log.warningActive = False
    from essentia.standard import MonoLoader, TensorflowPredict, TensorflowPredictMusiCNN

    clips, graph = Path(sys.argv[1]), sys.argv[2]
    heard = TensorflowPredictMusiCNN(graphFilename=graph, output=NODES["embedding"])
    embeddings = {
        clip.name: heard(MonoLoader(filename=str(clip), sampleRate=16000, resampleQuality=4)())[::EVERY]
        for clip in sorted(clips.iterdir())
    }
    mel = np.load(sys.argv[3]) if len(sys.argv) > 3 else made_mel()
    patches = np.stack([mel[first : first + 187] for first in range(0, len(mel) - 186, 93)])
    pool = essentia.Pool()
    pool.set("model/Placeholder", patches[:, None])
    run = TensorflowPredict(
        graphFilename=graph, inputs=["model/Placeholder"], outputs=list(NODES.values()), squeeze=True
    )
    said = run(pool)
    print(f'{{"essentia": {json.dumps(essentia.__version__)},')
    lines = ",\n".join(f"{json.dumps(name)}: {written(rows)}" for name, rows in embeddings.items())
    print(f'"clips": {{\n{lines}}},')
    lines = ",\n".join(f'"{name}": {written(said[node][:, 0, 0])}' for name, node in NODES.items())
    print(f'"mel": {{\n{lines}}}}}')


def written(rows: np.ndarray) -> str:
    """Numbers with as many digits as float32 tells apart where they lie below ten."""
    return json.dumps([[round(float(value), 6) for value in row] for row in rows], separators=(",", ":"))


if __name__ == "__main__":
    main()
