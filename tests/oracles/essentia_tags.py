"""Ask the reference pipeline for its tags, and write the numbers it gives.

    .venv-essentia/bin/python tests/oracles/essentia_tags.py CLIPS GRAPH.pb > tests/oracles/essentia_tags.json

Runs in an environment of its own (pip install essentia-tensorflow==2.1b6.dev1389;
AGPL-3.0): isopath never imports it. CLIPS is a folder of sound files, GRAPH the
frozen graph of msd-musicnn-1 with Essentia's node names.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

DECIMALS = 6


def main() -> None:
    """Print one JSON object: file name to tag probabilities, shape [n_patches, 50]."""
    # Both speak on standard output unless told otherwise before they are loaded.
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import essentia

    essentia.log.infoActive = False
    essentia.log.warningActive = False
    from essentia.standard import MonoLoader, TensorflowPredictMusiCNN

    clips, graph = Path(sys.argv[1]), sys.argv[2]
    tagger = TensorflowPredictMusiCNN(graphFilename=graph, output="model/Sigmoid")
    lines = []
    for clip in sorted(clips.iterdir()):
        audio = MonoLoader(filename=str(clip), sampleRate=16000, resampleQuality=4)()
        tags = [[round(float(value), DECIMALS) for value in patch] for patch in tagger(audio)]
        lines.append(f"{json.dumps(clip.name)}: {json.dumps(tags, separators=(',', ':'))}")
    print(
        '{"essentia": '
        + json.dumps(essentia.__version__)
        + ',\n "tags": {\n  '
        + ",\n  ".join(lines)
        + "\n}}"
    )


if __name__ == "__main__":
    main()
