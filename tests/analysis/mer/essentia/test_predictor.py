"""The predictors made of Essentia's heads, as a lab without TensorFlow has them."""

from __future__ import annotations

import builtins
import importlib.metadata
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.mer.essentia.catalogue import model_named
from analysis.mer.essentia.predictor import BACKEND_VARIABLE, NumpyHeadPredictor, load_head_predictor
from analysis.mer.essentia.store import FOLDER_VARIABLE, find_model
from analysis.mer.musicnn.network import MusicnnNetwork
from analysis.mer.predictor import StreamingPredictor
from analysis.mer.registry import load_predictor
from study.errors import AudioError, ModelError, UnknownName
from study.plugins import PREDICTORS, installed_names
from tests.analysis.mer.essentia.frozen_graphs import METADATA, SecondGeneration, steady_head

MUSE = "muse-msd-musicnn-2"


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder where models are looked for."""
    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.setenv("ISOPATH_MODELS", str(tmp_path / "store"))
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    monkeypatch.delenv(BACKEND_VARIABLE, raising=False)
    return folder


def put(folder: Path, graph: bytes, stem: str = MUSE, metadata: str | None = METADATA) -> None:
    (folder / f"{stem}.pb").write_bytes(graph)
    if metadata is not None:
        (folder / f"{stem}.json").write_text(metadata)


def sound(seconds: float, rate: int = 22_050) -> NDArray[np.float32]:
    time = np.arange(round(seconds * rate)) / rate
    tone = 0.3 * np.sin(2 * np.pi * 220 * time) * (1 + 0.5 * np.sin(2 * np.pi * 0.7 * time))
    return np.stack([tone, 0.8 * tone], axis=1).astype(np.float32)


def test_a_head_rates_the_embeddings_of_isopaths_own_network(mine: Path) -> None:
    made = SecondGeneration()
    put(mine, made.content())
    samples = sound(9.0)
    listener = MusicnnNetwork().listen(22_050)
    listener.hear(samples)
    heard = listener.finish()

    series = load_predictor("essentia-muse").predict(samples, 22_050)

    by_hand = (made.rated(heard.embedding) - 5.0) / 4.0
    assert series.onset_s.tolist() == heard.onset_s.tolist()
    assert series.window_s == pytest.approx(2.992)
    np.testing.assert_allclose(series.valence_pred, by_hand[:, 0], rtol=0.0, atol=1e-6)
    np.testing.assert_allclose(series.arousal_pred, by_hand[:, 1], rtol=0.0, atol=1e-6)


def test_the_scale_of_the_ratings_is_mapped_end_to_end(mine: Path) -> None:
    for (valence, arousal), shown in {(1.0, 9.0): (-1.0, 1.0), (5.0, 7.0): (0.0, 0.5)}.items():
        put(mine, steady_head(valence, arousal))

        series = load_predictor("essentia-muse").predict(sound(3.2), 22_050)

        assert (series.valence_pred[0], series.arousal_pred[0]) == shown


def test_a_rating_beyond_the_scale_is_shown_at_its_end_and_marked_as_foreign(mine: Path) -> None:
    put(mine, steady_head(405.0, 0.2))
    predictor = load_predictor("essentia-muse")
    assert isinstance(predictor, NumpyHeadPredictor)

    series = predictor.predict(sound(3.2), 22_050)

    assert (series.valence_pred.tolist(), series.arousal_pred.tolist()) == ([1.0], [-1.0])
    assert series.is_foreign is not None
    assert series.is_foreign.all()
    assert series.domain_distance is not None
    assert series.domain_distance.tolist() == [100.0]
    np.testing.assert_allclose(predictor.rate(sound(3.2), 22_050), [[405.0, 0.2]], rtol=1e-6)
    assert any("1-9 scale" in limit for limit in predictor.card.limits)


def test_the_pieces_a_sound_arrives_in_do_not_matter(mine: Path) -> None:
    put(mine, SecondGeneration().content())
    predictor = load_predictor("essentia-muse")
    assert isinstance(predictor, StreamingPredictor)
    samples = sound(7.0)

    listener = predictor.listen(22_050)
    for first in range(0, len(samples), 9_973):
        listener.hear(samples[first : first + 9_973])
    in_pieces = listener.finish()

    at_once = predictor.predict(samples, 22_050)
    np.testing.assert_array_equal(in_pieces.valence_pred, at_once.valence_pred)
    np.testing.assert_array_equal(in_pieces.arousal_pred, at_once.arousal_pred)


def test_the_card_says_what_rated_and_under_which_licence(mine: Path) -> None:
    put(mine, SecondGeneration().content())

    card = load_predictor("essentia-muse").card

    graph = find_model(f"essentia/{MUSE}").sha256[f"{MUSE}.pb"]
    assert (card.name, card.version) == ("essentia-muse", f"{MUSE}, numpy")
    assert card.weights_sha256[f"{MUSE}.pb"] == graph
    assert card.weights_sha256.items() >= MusicnnNetwork().sha256.items()
    assert card.licences[f"{MUSE}.pb"].startswith("CC BY-NC-SA 4.0")
    assert all(card.licences[file].startswith("ISC") for file in MusicnnNetwork().sha256)
    assert card.perspective == "perceived"
    assert card.limits[-2:] == (
        "How it hears was looked at here for the emomusic head only.",
        "Its file is held to no known SHA-256: compare the one stated with that of whom you trust.",
    )


def test_without_metadata_the_card_says_where_the_order_is_from(mine: Path) -> None:
    put(mine, steady_head(3.0, 7.0), metadata=None)

    predictor = load_predictor("essentia-muse")

    assert predictor.card.limits[-1].startswith("That valence comes before arousal was taken from the docum")
    assert predictor.predict(sound(3.2), 22_050).valence_pred[0] == -0.5


def test_the_latest_generation_that_is_here_is_taken(mine: Path) -> None:
    put(mine, SecondGeneration().content())
    put(mine, b"never read", stem="muse-msd-musicnn-1")

    assert load_predictor("essentia-muse").card.version == f"{MUSE}, numpy"


@pytest.mark.parametrize("name", ["essentia", "essentia-deam", "essentia-muse", "essentia-emomusic-vggish"])
def test_where_weights_are_missing_one_message_says_how_to_have_them(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as refused:
        load_predictor(name)

    said = str(refused.value)
    ratings = name.removesuffix("-vggish").removeprefix("essentia").lstrip("-") or "emomusic"
    stem = f"{ratings}-{'audioset-vggish' if 'vggish' in name else 'msd-musicnn'}-2"
    model = model_named(f"essentia/{stem}")
    assert said.startswith(f"predictor {name}: {stem}.pb")
    assert f"isopath models fetch essentia/{stem}" in said
    assert "--accept-licence" in said
    assert f"https://essentia.upf.edu/models/classification-heads/{ratings}/{stem}.pb" in said
    assert str(tmp_path / "store" / "essentia" / stem) in said
    assert (model.sha256 or "is locked by the first fetch") in said
    assert "essentia-tensorflow (AGPL-3.0)" in said
    assert "pip install 'isopath[essentia]'" in said
    assert "CC BY-NC-SA 4.0" in said
    assert "\n" not in said


def test_the_librarys_way_asks_for_the_backbone_too(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(mine, SecondGeneration().content())
    monkeypatch.setenv(BACKEND_VARIABLE, "library")

    with pytest.raises(
        ModelError, match=r"predictor essentia-muse: msd-musicnn-1\.pb is not on this machine"
    ):
        load_predictor("essentia-muse")


def test_vggish_is_refused_without_the_library(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(mine, SecondGeneration(width=128).content(), stem="muse-audioset-vggish-2")
    monkeypatch.setenv(BACKEND_VARIABLE, "numpy")

    with pytest.raises(ModelError, match="needs VGGish, which only the library has"):
        load_predictor("essentia-muse-vggish")


def test_a_library_that_is_not_installed_is_named_with_its_licence(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(mine, SecondGeneration(width=128).content(), stem="muse-audioset-vggish-2")
    (mine / "audioset-vggish-3.pb").write_bytes(b"whatever")
    imported = builtins.__import__

    def without_essentia(
        name: str,
        globals_: Mapping[str, object] | None = None,
        locals_: Mapping[str, object] | None = None,
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> ModuleType:
        if name.partition(".")[0] == "essentia":
            raise ModuleNotFoundError("No module named 'essentia'")
        return imported(name, globals_, locals_, fromlist, level)

    monkeypatch.setattr(builtins, "__import__", without_essentia)

    with pytest.raises(ModelError, match=r"pip install 'isopath\[essentia\]' \(AGPL-3\.0 software"):
        load_predictor("essentia-muse-vggish")


def test_a_way_that_is_not_known_is_refused(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(mine, SecondGeneration().content())
    monkeypatch.setenv(BACKEND_VARIABLE, "torch")

    with pytest.raises(UnknownName, match="write numpy or library"):
        load_head_predictor("essentia-muse", "muse", "msd-musicnn")


def test_sound_that_is_too_short_is_refused(mine: Path) -> None:
    put(mine, SecondGeneration().content())

    with pytest.raises(AudioError, match=r"shorter than the 2\.96 s"):
        load_predictor("essentia-muse").predict(sound(2.5), 22_050)


def test_every_head_has_a_name_of_its_own() -> None:
    heads = [name for name in installed_names(PREDICTORS) if name.startswith("essentia")]
    entries = {entry.name: entry for entry in importlib.metadata.entry_points(group=PREDICTORS)}

    assert heads == [
        "essentia",
        "essentia-deam",
        "essentia-deam-vggish",
        "essentia-emomusic",
        "essentia-emomusic-vggish",
        "essentia-muse",
        "essentia-muse-vggish",
    ]
    assert all(callable(entries[name].load()) for name in heads)
