"""What essentia-tensorflow itself says, for `test_library.py`; run where it can be imported.

    python -m tests.analysis.mer.essentia.in_library FOLDER BACKBONE.pb HEAD.pb

FOLDER holds sounds (``*.wav``), graphs (``*.pb``) with the numbers to feed them beside
(``*.npy``). Writes ``*.said.npy`` and ``card.json`` there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from analysis.mer.essentia.catalogue import model_named
from analysis.mer.essentia.head import read_head
from analysis.mer.essentia.library import EssentiaPipeline
from analysis.mer.essentia.predictor import LibraryHeadPredictor
from analysis.mer.essentia.store import KeptModel
from generation.audio import read_audio
from study.canonical import plain
from study.folder import file_sha256


def kept(name: str, graph: Path) -> KeptModel:
    """A file that its path names, whatever is pinned."""
    return KeptModel(model_named(name), graph, None, {graph.name: file_sha256(graph)}, "nothing")


def main() -> None:
    """Hear every sound in both ways, and feed every graph."""
    folder, backbone, head = (Path(argument) for argument in sys.argv[1:])
    predictor = LibraryHeadPredictor(
        "essentia", kept("essentia/emomusic-msd-musicnn-1", head), kept("essentia/msd-musicnn-1", backbone)
    )
    from essentia.standard import MonoLoader, TensorflowPredict2D, TensorflowPredictMusiCNN

    embed = TensorflowPredictMusiCNN(graphFilename=str(backbone), output="model/dense/BiasAdd")
    rate = TensorflowPredict2D(graphFilename=str(head), input="flatten_in_input", output="dense_out")
    said = {}
    for sound in sorted(folder.glob("*.wav")):
        audio = MonoLoader(filename=str(sound), sampleRate=16000, resampleQuality=4)()
        said[f"{sound.stem}.embedding"] = embed(audio)
        said[f"{sound.stem}.rated"] = rate(said[f"{sound.stem}.embedding"])
        series = predictor.predict(*read_audio(sound))
        said[f"{sound.stem}.ours"] = np.stack([series.valence_pred, series.arousal_pred], axis=1)
        said[f"{sound.stem}.onset"] = series.onset_s
        said[f"{sound.stem}.distance"] = np.asarray(series.domain_distance)
    for graph in sorted(folder.glob("*.pb")):
        if graph.stem.startswith("vggish"):
            continue
        run = TensorflowPredict2D(graphFilename=str(graph), output="model/Identity")
        said[f"{graph.stem}.said"] = run(np.load(graph.with_suffix(".npy")))
    vggish_head = folder / "vggish-head.pb"
    pipeline = EssentiaPipeline(
        "audioset-vggish",
        folder / "vggish.pb",
        vggish_head,
        read_head(vggish_head.read_bytes(), None, "head"),
    )
    samples, sample_rate_hz = read_audio(next(iter(sorted(folder.glob("*.wav")))))
    said["vggish.rated"], said["vggish.embedding"] = pipeline.rate(samples, sample_rate_hz)
    for key, value in said.items():
        np.save(folder / f"{key}.said.npy", np.asarray(value))
    (folder / "card.json").write_text(json.dumps(plain(predictor.card)))


if __name__ == "__main__":
    main()
