"""The embedded predictor equals the reference pipeline's tags, and refuses what it cannot hear."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import study.plugins
from analysis.mer.musicnn.network import HOP_GRAPH, PATCH_GRAPH
from analysis.mer.musicnn.predictor import DOMAIN, TAG_MAP, MusicnnPredictor
from analysis.mer.musicnn.tag_affect import TagAffect
from analysis.mer.predictor import AffectPredictor, StreamingPredictor
from analysis.mer.registry import load_predictor
from generation.audio import read_audio
from study.errors import AudioError, UnknownName
from study.plugins import PREDICTORS, installed_names

REPOSITORY = Path(__file__).parents[4]
ORACLE = REPOSITORY / "tests" / "oracles" / "essentia_tags.py"


@pytest.fixture(scope="module")
def predictor() -> MusicnnPredictor:
    return MusicnnPredictor(threads=1)


@pytest.fixture(scope="module")
def reference() -> Any:
    return json.loads(ORACLE.with_suffix(".json").read_text())["tags"]


def noise(seconds: float, channels: int = 2, rate: int = 32_000) -> NDArray[np.float32]:
    rng = np.random.default_rng(6)
    return (rng.standard_normal((round(seconds * rate), channels)) * 0.05).astype(np.float32)


def test_battle_is_heard_as_more_aroused_than_peace(reference: Any) -> None:
    tag_affect = TagAffect.from_json((files("analysis.mer.musicnn") / "weights" / TAG_MAP).read_text("utf-8"))

    arousal = {
        clip: tag_affect.affect(np.array(tags, dtype=np.float32))[:, 1].mean()
        for clip, tags in reference.items()
    }

    # By cue type in one game (battle, defeat, peace) and by title in the other.
    assert (
        arousal["0ad__Taiko_1.ogg"] > arousal["0ad__Dried_Tears.ogg"] > arousal["0ad__Harvest_Festival.ogg"]
    )
    assert arousal["wesnoth__frantic.ogg"] > arousal["wesnoth__sad.ogg"] > arousal["wesnoth__love_theme.ogg"]


def test_a_series_says_when_each_window_begins_and_how_long_it_is(predictor: MusicnnPredictor) -> None:
    series = predictor.predict(noise(10.0), 32_000)

    assert series.onset_s == pytest.approx([0.0, 1.488, 2.976, 4.464, 5.952])
    assert series.window_s == pytest.approx(2.992)
    assert series.valence_pred.shape == series.arousal_pred.shape == (5,)
    assert np.abs([series.valence_pred, series.arousal_pred]).max() < 1.0


def test_the_number_of_threads_and_the_pieces_change_nothing(predictor: MusicnnPredictor) -> None:
    sound = noise(20.0)

    alone = predictor.predict(sound, 32_000)
    listener = MusicnnPredictor(threads=3).listen(32_000)
    for piece in np.array_split(sound, 23):
        listener.hear(piece)
    together = listener.finish()

    assert np.abs(alone.valence_pred - together.valence_pred).max() < 1e-5
    assert np.abs(alone.arousal_pred - together.arousal_pred).max() < 1e-5


@pytest.mark.parametrize(("channels", "rate"), [(1, 8_000), (2, 44_100), (6, 48_000)])
def test_any_rate_and_number_of_channels_is_heard(
    predictor: MusicnnPredictor, channels: int, rate: int
) -> None:
    series = predictor.predict(noise(4.0, channels, rate), rate)

    assert len(series.onset_s) == 1
    assert np.isfinite(series.valence_pred).all()


def test_every_window_says_how_far_it_is_from_the_reference_music(
    test_data: Path, predictor: MusicnnPredictor
) -> None:
    clip, rate = read_audio(test_data / "clips" / "wesnoth__sad.ogg")

    music = predictor.predict(clip, rate)
    hiss = predictor.predict(noise(30.0), 32_000)

    assert music.domain_distance is not None
    assert hiss.domain_distance is not None
    assert np.median(music.domain_distance) < 1.0 < np.median(hiss.domain_distance)


def test_silence_gives_a_finite_prediction(predictor: MusicnnPredictor) -> None:
    series = predictor.predict(np.zeros((160_000, 2), dtype=np.float32), 32_000)

    assert np.isfinite([series.valence_pred, series.arousal_pred]).all()


@pytest.mark.parametrize("seconds", [0.0, 1.0, 2.95])
def test_sound_shorter_than_one_window_is_refused(predictor: MusicnnPredictor, seconds: float) -> None:
    with pytest.raises(AudioError, match=r"shorter than the 2\.96 s"):
        predictor.predict(noise(seconds), 32_000)


def test_nan_is_refused(predictor: MusicnnPredictor) -> None:
    sound = noise(10.0)
    sound[200_000] = np.nan

    with pytest.raises(AudioError, match="NaN"):
        predictor.predict(sound, 32_000)


def test_the_card_names_every_weight_by_its_hash(predictor: MusicnnPredictor) -> None:
    weights = files("analysis.mer.musicnn") / "weights"

    assert predictor.card.weights_sha256 == {
        name: hashlib.sha256((weights / name).read_bytes()).hexdigest()
        for name in (HOP_GRAPH, PATCH_GRAPH, TAG_MAP, DOMAIN)
    }
    assert predictor.card.licences.keys() == predictor.card.weights_sha256.keys()
    assert all(predictor.card.licences[name].startswith("ISC") for name in (HOP_GRAPH, PATCH_GRAPH))
    assert "Jordi Pons" in (weights / "LICENSE-musicnn-ISC.md").read_text()
    assert any("not what anyone feels" in limit for limit in predictor.card.limits)


def test_the_embedded_predictor_is_found_by_name_and_can_stream() -> None:
    found = load_predictor("musicnn")

    assert isinstance(found, StreamingPredictor)
    assert "musicnn" in installed_names(PREDICTORS)


def test_an_unknown_predictor_is_refused_with_what_there_is() -> None:
    with pytest.raises(UnknownName, match=r"'vggish' is not installed here; write one of .*musicnn"):
        load_predictor("vggish")


def test_others_join_by_entry_point(monkeypatch: pytest.MonkeyPatch, predictor: MusicnnPredictor) -> None:
    class Entry:
        name = "other"

        def load(self) -> object:
            return lambda: predictor

    def installed(group: str) -> list[Entry]:
        return [Entry()] if group == "isopath.predictors" else []

    monkeypatch.setattr(study.plugins, "entry_points", installed)

    joined: AffectPredictor = load_predictor("other")

    assert joined is predictor
    assert installed_names(PREDICTORS) == ("other",)
