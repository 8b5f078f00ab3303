"""Ask the reference pipeline how a valence-arousal head rates clips, and write the means it gives.

    .venv-essentia/bin/python tests/oracles/essentia_heads.py CLIPS BACKBONE.pb HEAD.pb \
        > tests/oracles/essentia_heads.json

Runs in an environment of its own (requirements-essentia.txt; AGPL-3.0): isopath never imports it here.
BACKBONE is the frozen graph of msd-musicnn-1, HEAD a head of the first generation (CC BY-NC-SA 4.0:
neither it nor what can be made from its figures goes into isopath; a test compares six means).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

DECIMALS = 6


def main() -> None:
    """Print one JSON object: file name to mean valence and mean arousal on the 1-9 scale."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import essentia

    essentia.log.infoActive = False
    essentia.log.warningActive = False
    from essentia.standard import MonoLoader, TensorflowPredict2D, TensorflowPredictMusiCNN

    clips, backbone, head = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    embed = TensorflowPredictMusiCNN(graphFilename=backbone, output="model/dense/BiasAdd")
    rate = TensorflowPredict2D(graphFilename=str(head), input="flatten_in_input", output="dense_out")
    means = {}
    for clip in sorted(clips.iterdir()):
        audio = MonoLoader(filename=str(clip), sampleRate=16000, resampleQuality=4)()
        ratings = rate(embed(audio))
        means[clip.name] = [round(float(mean), DECIMALS) for mean in ratings.mean(axis=0)]
    print(json.dumps({"essentia": essentia.__version__, "head": head.name, "means": means}, indent=1))


if __name__ == "__main__":
    main()
