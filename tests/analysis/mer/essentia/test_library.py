"""The two ways say the same: isopath's network with numpy, and essentia-tensorflow with the real head."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from analysis.mer.essentia.catalogue import model_named
from analysis.mer.essentia.head import read_head
from analysis.mer.essentia.predictor import NumpyHeadPredictor
from analysis.mer.essentia.store import KeptModel
from generation.audio import read_audio
from study.folder import file_sha256
from tests.analysis.mer.essentia.frozen_graphs import (
    SecondGeneration,
    constant,
    kind,
    matrix_product,
    node,
    placeholder,
    single,
    whole,
)

REPOSITORY = Path(__file__).parents[4]
LIBRARIES = REPOSITORY / ".venv-essentia" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
HEAD = Path("essentia_nc", "emomusic-msd-musicnn-1.pb")
CUTS = {"0ad__Taiko_1": 44_100, "wesnoth__love_theme": 22_050}
"""Clips that are cut to eight seconds, and the rate each is written with: battle drums, and a slow theme."""

Said = dict[str, np.ndarray[Any, Any]]


def numpy_predictor(test_data: Path) -> NumpyHeadPredictor:
    graph = test_data / HEAD
    model = model_named("essentia/emomusic-msd-musicnn-1")
    return NumpyHeadPredictor(
        "essentia", KeptModel(model, graph, None, {graph.name: file_sha256(graph)}, "pinned")
    )


def every_operation() -> bytes:
    """A head that goes through each operation that is known, most of them to no purpose."""
    random = np.random.default_rng(11)
    parts = {key: random.uniform(0.5, 2.0, 6).astype(np.float32) for key in ("s", "o", "m", "v", "b")}
    row = [constant(f"at{place}", np.array([place], dtype=np.int32)) for place in (0, 1)]
    shrink = {**kind(3), **kind(3, "Index"), "shrink_axis_mask": whole(3, 1)}
    frozen = {"epsilon": single(4, 1e-3), "is_training": whole(5, 0), "U": whole(6, 1), **kind()}
    return b"".join(
        [
            placeholder("model/Placeholder", (-1, 6)),
            *(constant(key, value) for key, value in parts.items()),
            *row,
            constant("w", random.normal(size=(6, 2)).astype(np.float32)),
            constant("axis", np.array(1, dtype=np.int32)),
            constant("last", np.array(6, dtype=np.int32)),
            constant("four", np.array([-1, 1, 1, 6], dtype=np.int32)),
            node("shape", "Shape", ("model/Placeholder",), {**kind(), **kind(3, "out_type")}),
            node("n", "StridedSlice", ("shape", "at0", "at1", "at1"), shrink),
            node("sizes", "Pack", ("n", "last"), {"N": whole(3, 2), "axis": whole(3, 0), **kind(3)}),
            node("image", "Reshape", ("model/Placeholder", "four"), {**kind(), **kind(3, "Tshape")}),
            node("normed", "FusedBatchNormV3", ("image", "s", "o", "m", "v"), frozen),
            node("flat", "Reshape", ("normed", "sizes"), {**kind(), **kind(3, "Tshape")}),
            node("longer", "ExpandDims", ("flat", "axis"), {**kind(), **kind(3, "Tdim")}),
            node("shorter", "Squeeze", ("longer",), {**kind(), "squeeze_dims": b"\x0a\x03\x1a\x01\x01"}),
            node("root", "Rsqrt", ("v",), kind()),
            node("times", "Mul", ("shorter", "root"), kind()),
            node("less", "Sub", ("times", "m"), kind()),
            node("part", "RealDiv", ("less", "s"), kind()),
            node("more", "AddV2", ("part", "o"), kind()),
            node("sum", "Add", ("more", "part"), kind()),
            node("biased", "BiasAdd", ("sum", "b"), kind()),
            node("positive", "Relu", ("biased",), kind()),
            matrix_product("product", "positive", "w"),
            node("model/Identity", "Identity", ("product",), kind()),
        ]
    )


def vggish() -> bytes:
    """A backbone in VGGish's place: patches of 96 × 64 bands in, their first 128 numbers out."""
    return b"".join(
        [
            placeholder("model/Placeholder", (-1, 96, 64)),
            constant("rows", np.array([-1, 96 * 64], dtype=np.int32)),
            constant("w", np.eye(96 * 64, 128, dtype=np.float32)),
            node("flat", "Reshape", ("model/Placeholder", "rows"), {**kind(), **kind(3, "Tshape")}),
            matrix_product("model/vggish/embeddings", "flat", "w"),
        ]
    )


@pytest.fixture(scope="module")
def asked(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of sounds and graphs, and what the library says of them."""
    if not LIBRARIES.is_dir():
        pytest.skip("make the environment .venv-essentia (pip install essentia-tensorflow)")
    folder = tmp_path_factory.mktemp("asked")
    for clip, sample_rate_hz in CUTS.items():
        samples, _ = read_audio(test_data / "clips" / f"{clip}.ogg")
        soundfile.write(
            folder / f"{clip}.wav", samples[: 8 * sample_rate_hz], sample_rate_hz, subtype="FLOAT"
        )
    random = np.random.default_rng(5)
    for name, content, width in (
        ("second", SecondGeneration().content(), 200),
        ("operations", every_operation(), 6),
    ):
        (folder / f"{name}.pb").write_bytes(content)
        np.save(folder / f"{name}.npy", random.normal(0.0, 3.0, (30, width)).astype(np.float32))
    (folder / "vggish.pb").write_bytes(vggish())
    (folder / "vggish-head.pb").write_bytes(SecondGeneration(width=128).content())
    arguments = [folder, test_data / "musicnn" / "msd_musicnn.pb", test_data / HEAD]
    done = subprocess.run(
        [sys.executable, "-m", "tests.analysis.mer.essentia.in_library", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        check=False,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{LIBRARIES}", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    # What it says would stand in the middle of what `isopath hear` says.
    assert done.stdout == ""
    assert "INFO" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def said(asked: Path) -> Said:
    return {file.name.removesuffix(".said.npy"): np.load(file) for file in asked.glob("*.said.npy")}


@pytest.mark.essentia
@pytest.mark.parametrize("clip", CUTS)
def test_the_library_through_isopath_says_what_essentias_own_example_says(clip: str, said: Said) -> None:
    ours, rated = said[f"{clip}.ours"], said[f"{clip}.rated"]

    # Measured: 2e-6.
    np.testing.assert_allclose(ours * 4.0 + 5.0, rated, rtol=0.0, atol=1e-5)
    np.testing.assert_allclose(np.diff(said[f"{clip}.onset"]), 93 * 256 / 16_000)


@pytest.mark.essentia
@pytest.mark.parametrize("clip", CUTS)
def test_without_tensorflow_the_ratings_of_every_window_are_the_librarys(
    clip: str, said: Said, asked: Path, test_data: Path
) -> None:
    predictor = numpy_predictor(test_data)

    rated = predictor.rate(*read_audio(asked / f"{clip}.wav"))

    assert rated.shape == said[f"{clip}.rated"].shape
    # Measured: 4e-6 from the file and from the library's own embeddings.
    np.testing.assert_allclose(rated, said[f"{clip}.rated"], rtol=0.0, atol=5e-5)
    by_head = predictor.head.rate(said[f"{clip}.embedding"])
    np.testing.assert_allclose(by_head, said[f"{clip}.rated"], rtol=0.0, atol=1e-5)


@pytest.mark.essentia
def test_both_ways_measure_the_same_distance_from_reference_music(
    said: Said, asked: Path, test_data: Path
) -> None:
    clip = next(iter(CUTS))

    series = numpy_predictor(test_data).predict(*read_audio(asked / f"{clip}.wav"))

    assert series.domain_distance is not None
    np.testing.assert_allclose(series.domain_distance, said[f"{clip}.distance"], rtol=0.0, atol=1e-3)


@pytest.mark.essentia
@pytest.mark.parametrize("name", ["second", "operations"])
def test_every_operation_does_what_tensorflow_does(name: str, said: Said, asked: Path) -> None:
    fed = np.load(asked / f"{name}.npy")

    head = read_head((asked / f"{name}.pb").read_bytes(), None, name)

    np.testing.assert_allclose(head.rate(fed), said[f"{name}.said"], rtol=1e-5, atol=1e-5)


@pytest.mark.essentia
def test_a_backbone_in_vggishs_place_gives_its_head_a_window_every_093_seconds(said: Said) -> None:
    # Eight seconds at 16 kHz: frames every 160 samples, patches of 96 every 93.
    embedding, rated = said["vggish.embedding"], said["vggish.rated"]

    assert embedding.shape == (8, 128)
    np.testing.assert_allclose(rated, SecondGeneration(width=128).rated(embedding), rtol=0.0, atol=1e-4)


@pytest.mark.essentia
def test_the_card_says_which_way_was_taken_and_under_which_licences(asked: Path, test_data: Path) -> None:
    card = json.loads((asked / "card.json").read_text())

    assert card["version"] == "emomusic-msd-musicnn-1, essentia 2.1-beta6-dev"
    assert card["licences"]["essentia-tensorflow"] == "AGPL-3.0"
    assert card["licences"]["emomusic-msd-musicnn-1.pb"].startswith("CC BY-NC-SA 4.0")
    assert card["weights_sha256"]["msd_musicnn.pb"] == file_sha256(test_data / "musicnn" / "msd_musicnn.pb")


def test_mean_ratings_of_six_clips_are_those_the_library_gave(test_data: Path) -> None:
    oracle = json.loads((REPOSITORY / "tests" / "oracles" / "essentia_heads.json").read_text())
    predictor = numpy_predictor(test_data)

    assert len(oracle["means"]) == 6
    for clip, means in oracle["means"].items():
        rated = predictor.rate(*read_audio(test_data / "clips" / clip))
        # Measured: 4e-6.
        np.testing.assert_allclose(rated.mean(axis=0), means, rtol=0.0, atol=1e-4, err_msg=clip)
