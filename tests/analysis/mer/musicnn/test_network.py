"""The network's outputs equal the reference pipeline's, however the sound arrives."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from analysis.mer.musicnn.mel import BANDS, PATCH_FRAMES
from analysis.mer.musicnn.network import NETWORK, MusicnnNetwork
from generation.audio import read_audio
from study.errors import AudioError

REPOSITORY = Path(__file__).parents[4]
ORACLE = REPOSITORY / "tests" / "oracles" / "essentia_tags.py"
TOLERANCE = 1e-4
"""Measured: 8.7e-6 at most over 114 patches."""


@pytest.fixture(scope="module")
def network() -> MusicnnNetwork:
    return MusicnnNetwork(threads=1)


@pytest.fixture(scope="module")
def reference() -> Any:
    return json.loads(ORACLE.with_suffix(".json").read_text())["tags"]


def mel(n_frames: int) -> NDArray[np.float32]:
    return np.random.default_rng(6).uniform(0.0, 4.0, (n_frames, BANDS)).astype(np.float32)


def test_tags_equal_the_reference_pipeline_on_real_music(
    test_data: Path, network: MusicnnNetwork, reference: Any
) -> None:
    clips = sorted((test_data / "clips").iterdir())
    assert [clip.name for clip in clips] == sorted(reference)

    for clip in clips:
        samples, rate = read_audio(clip)
        listener = network.listen(rate)
        listener.hear(samples)
        output = listener.finish()

        expected = np.array(reference[clip.name])
        assert output.tags.shape == expected.shape == (19, 50)
        assert np.abs(output.tags - expected).max() < TOLERANCE, clip.name


@pytest.mark.essentia
def test_the_committed_reference_is_what_the_oracle_says(test_data: Path, reference: Any) -> None:
    python = REPOSITORY / ".venv-essentia" / "bin" / "python"
    if not python.exists():
        pytest.skip("make the environment .venv-essentia (pip install essentia-tensorflow)")

    said = subprocess.run(
        [python, ORACLE, test_data / "clips", test_data / "musicnn" / "msd_musicnn.pb"],
        capture_output=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )

    tags = json.loads(said.stdout)["tags"]
    assert tags.keys() == reference.keys()
    for clip, patches in tags.items():
        assert np.abs(np.array(patches) - np.array(reference[clip])).max() < 1e-5, clip


def test_the_graph_is_what_the_export_makes_of_the_published_weights(test_data: Path, tmp_path: Path) -> None:
    exported = tmp_path / NETWORK
    script = REPOSITORY / "scripts" / "export_musicnn.py"
    subprocess.run([sys.executable, script, test_data / "musicnn" / "msd_musicnn.npz", exported], check=True)

    patch = mel(PATCH_FRAMES)[None]
    outputs = [
        onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(None, {"mel": patch})
        for graph in (
            exported.read_bytes(),
            (files("analysis.mer.musicnn") / "weights" / NETWORK).read_bytes(),
        )
    ]

    assert [output.shape for output in outputs[0]] == [(1, 50), (1, 50), (1, 200)]
    for fresh, committed in zip(*outputs, strict=True):
        assert np.abs(fresh - committed).max() < 1e-5


def test_every_output_has_a_row_for_each_patch(network: MusicnnNetwork) -> None:
    output = network.of_mel(mel(187 + 93 * 4 + 92))

    assert output.onset_s == pytest.approx([0.0, 1.488, 2.976, 4.464, 5.952])
    assert (output.tags.shape, output.logits.shape, output.embedding.shape) == ((5, 50), (5, 50), (5, 200))
    assert output.tags == pytest.approx(1 / (1 + np.exp(-output.logits)), abs=1e-6)


def test_frames_that_fill_no_patch_are_refused(network: MusicnnNetwork) -> None:
    with pytest.raises(AudioError, match=r"shorter than the 2\.96 s"):
        network.of_mel(mel(186))


def test_the_weights_are_named_by_their_hash(network: MusicnnNetwork) -> None:
    weights = files("analysis.mer.musicnn") / "weights"

    assert network.sha256 == {NETWORK: hashlib.sha256((weights / NETWORK).read_bytes()).hexdigest()}
