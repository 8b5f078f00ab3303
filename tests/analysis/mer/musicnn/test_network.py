"""The network's outputs equal the reference pipeline's, however the sound arrives."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from analysis.mer.musicnn.mel import BANDS, PATCH_FRAMES, PATCH_HOP_FRAMES, MelFrames
from analysis.mer.musicnn.network import HOP_GRAPH, PATCH_GRAPH, MusicnnNetwork
from generation.audio import read_audio
from study.errors import AudioError
from tests.analysis.mer.musicnn.published_network import embedding_of
from tests.oracles.musicnn_embeddings import EVERY, made_mel

REPOSITORY = Path(__file__).parents[4]
ORACLE = REPOSITORY / "tests" / "oracles" / "musicnn_embeddings.py"
WEIGHTS = files("analysis.mer.musicnn") / "weights"
OF_SOUND = 1e-4
"""Measured: 1.7e-5 at most, of embeddings that reach 9, over 24 patches; tags 2e-6 over 114."""
OF_EQUAL_MEL = 1e-5
"""Measured: 9.0e-6 at most, of embeddings that reach 8; TensorFlow itself is 5.7e-6 from double precision."""


@pytest.fixture(scope="module")
def network() -> MusicnnNetwork:
    return MusicnnNetwork(threads=1)


@pytest.fixture(scope="module")
def reference() -> Any:
    return json.loads(ORACLE.with_suffix(".json").read_text())


def heard(network: MusicnnNetwork, clip: Path) -> Any:
    samples, rate = read_audio(clip)
    listener = network.listen(rate)
    listener.hear(samples)
    return listener.finish()


def ask_essentia(*arguments: Path) -> Any:
    python = REPOSITORY / ".venv-essentia" / "bin" / "python"
    if not python.exists():
        pytest.skip("make the environment .venv-essentia (pip install essentia-tensorflow)")
    said = subprocess.run(
        [python, ORACLE, *arguments],
        capture_output=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return json.loads(said.stdout)


def test_embeddings_and_tags_equal_the_reference_pipeline_on_real_music(
    test_data: Path, network: MusicnnNetwork, reference: Any
) -> None:
    tags = json.loads(ORACLE.with_name("essentia_tags.json").read_text())["tags"]
    clips = sorted((test_data / "clips").iterdir())
    assert [clip.name for clip in clips] == sorted(reference["clips"])

    for clip in clips:
        output = heard(network, clip)

        embeddings = np.array(reference["clips"][clip.name])
        assert output.embedding.shape == (19, 200)
        assert np.abs(output.embedding[::EVERY] - embeddings).max() < OF_SOUND, clip.name
        assert output.tags.shape == (19, 50)
        assert np.abs(output.tags - np.array(tags[clip.name])).max() < OF_SOUND, clip.name


def test_outputs_equal_the_published_graph_s_for_equal_mel_frames(
    network: MusicnnNetwork, reference: Any
) -> None:
    output = network.of_mel(made_mel())

    assert np.abs(output.tags - np.array(reference["mel"]["tags"])).max() < OF_EQUAL_MEL
    assert np.abs(output.embedding - np.array(reference["mel"]["embedding"])).max() < OF_EQUAL_MEL


def test_sharing_changes_nothing_of_the_published_network(test_data: Path, network: MusicnnNetwork) -> None:
    with np.load(test_data / "musicnn" / "msd_musicnn.npz") as arrays:
        weights = {name: arrays[name].astype(np.float64) for name in arrays.files}
    samples, rate = read_audio(test_data / "clips" / "0ad__Taiko_1.ogg")
    mel = MelFrames(rate).hear(samples[: 8 * rate])

    output = network.of_mel(mel)

    for patch in (0, 2):
        expected = embedding_of(weights, mel[patch * 93 : patch * 93 + PATCH_FRAMES])
        assert np.abs(output.embedding[patch] - expected).max() < OF_EQUAL_MEL


@pytest.mark.essentia
def test_outputs_equal_the_published_graph_s_for_mel_frames_of_music(
    test_data: Path, network: MusicnnNetwork, reference: Any, tmp_path: Path
) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    clip = shutil.copy(test_data / "clips" / "wesnoth__frantic.ogg", clips)
    samples, rate = read_audio(Path(clip))
    frames = MelFrames(rate)
    mel = np.concatenate([frames.hear(samples), frames.finish()])
    np.save(tmp_path / "mel.npy", mel)

    said = ask_essentia(clips, test_data / "musicnn" / "msd_musicnn.pb", tmp_path / "mel.npy")

    output = network.of_mel(mel)
    assert output.embedding.shape == (19, 200)
    assert np.abs(output.embedding - np.array(said["mel"]["embedding"])).max() < OF_EQUAL_MEL
    assert np.abs(output.tags - np.array(said["mel"]["tags"])).max() < OF_EQUAL_MEL
    # The committed numbers are what the oracle says today.
    ((name, embeddings),) = said["clips"].items()
    assert np.abs(np.array(embeddings) - np.array(reference["clips"][name])).max() < OF_EQUAL_MEL


def test_the_graphs_are_what_the_export_makes_of_the_published_weights(
    test_data: Path, tmp_path: Path
) -> None:
    script = REPOSITORY / "scripts" / "export_musicnn.py"
    subprocess.run([sys.executable, script, test_data / "musicnn" / "msd_musicnn.npz", tmp_path], check=True)

    mel = made_mel(PATCH_FRAMES + PATCH_HOP_FRAMES)
    for name, inputs in (
        (HOP_GRAPH, {"mel": mel[:99]}),
        (PATCH_GRAPH, {"mel": mel[:PATCH_FRAMES], **hops(mel)}),
    ):
        fresh, committed = (
            onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(None, inputs)
            for graph in ((tmp_path / name).read_bytes(), (WEIGHTS / name).read_bytes())
        )
        for one, other in zip(fresh, committed, strict=True):
            assert np.abs(one - other).max() < 1e-5, name


def hops(mel: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(
        (WEIGHTS / HOP_GRAPH).read_bytes(), providers=["CPUExecutionProvider"]
    )
    return {
        name: session.run(None, {"mel": mel[first : first + 99]})[0]
        for name, first in (("first", 0), ("second", PATCH_HOP_FRAMES))
    }


def test_a_patch_is_heard_alike_alone_and_among_others(network: MusicnnNetwork) -> None:
    mel = made_mel(PATCH_FRAMES + 3 * PATCH_HOP_FRAMES)

    together = network.of_mel(mel)
    alone = [network.of_mel(mel[93 * n : 93 * n + PATCH_FRAMES]) for n in range(4)]

    assert np.abs(together.embedding - np.concatenate([one.embedding for one in alone])).max() < 1e-6


def test_what_follows_the_last_patch_does_not_matter(network: MusicnnNetwork) -> None:
    mel = made_mel(PATCH_FRAMES + 92)

    alone, followed = network.of_mel(mel[:PATCH_FRAMES]), network.of_mel(mel)

    assert np.array_equal(alone.embedding, followed.embedding)


@given(st.lists(st.integers(1, 60_000), min_size=1, max_size=8))
@settings(max_examples=5, deadline=None)
def test_the_pieces_a_sound_arrives_in_do_not_matter(network: MusicnnNetwork, sizes: list[int]) -> None:
    sound = np.random.default_rng(6).standard_normal((90_000, 1)).astype(np.float32) * np.float32(0.1)
    cuts = np.cumsum(sizes)

    listener = network.listen(16_000)
    for piece in np.split(sound, cuts[cuts < len(sound)]):
        listener.hear(piece)
    whole = network.listen(16_000)
    whole.hear(sound)

    assert np.abs(listener.finish().logits - whole.finish().logits).max() < 1e-5


def test_every_output_has_a_row_for_each_patch(network: MusicnnNetwork) -> None:
    output = network.of_mel(made_mel(187 + 93 * 4 + 92))

    assert output.onset_s == pytest.approx([0.0, 1.488, 2.976, 4.464, 5.952])
    assert (output.tags.shape, output.logits.shape, output.embedding.shape) == ((5, 50), (5, 50), (5, 200))
    assert output.tags == pytest.approx(1 / (1 + np.exp(-output.logits)), abs=1e-6)


def test_many_threads_hear_many_sounds_at_once_as_one_does(network: MusicnnNetwork) -> None:
    several = MusicnnNetwork(threads=3)
    listeners = [several.listen(16_000) for _ in range(3)]
    sounds = np.random.default_rng(7).standard_normal((3, 70_000, 1)).astype(np.float32) * np.float32(0.1)

    for start in range(0, 70_000, 35_000):
        for listener, sound in zip(listeners, sounds, strict=True):
            listener.hear(sound[start : start + 35_000])

    for listener, sound in zip(listeners, sounds, strict=True):
        alone = network.listen(16_000)
        alone.hear(sound)
        assert np.abs(listener.finish().logits - alone.finish().logits).max() < 1e-6


def test_frames_that_fill_no_patch_are_refused(network: MusicnnNetwork) -> None:
    with pytest.raises(AudioError, match=r"shorter than the 2\.96 s"):
        network.of_mel(np.zeros((186, BANDS), dtype=np.float32))


def test_the_weights_are_named_by_their_hash_and_held_once(network: MusicnnNetwork) -> None:
    contents = {name: (WEIGHTS / name).read_bytes() for name in (HOP_GRAPH, PATCH_GRAPH)}

    assert network.sha256 == {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    # 792,079 weights of four bytes are 3.17 MB.
    assert sum(map(len, contents.values())) < 3.4e6
