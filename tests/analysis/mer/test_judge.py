"""Any installed predictor can choose among clips, here and in other processes."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from analysis.mer.judge import load_judge
from analysis.mer.registry import load_predictor
from generation.audio import read_audio
from generation.engine import AffectJudge
from study.canonical import canonical_sha256
from study.errors import AudioError, UnknownName


def test_a_judge_hears_what_its_predictor_hears_on_average(test_data: Path) -> None:
    judge: AffectJudge = load_judge("musicnn")
    heard = {}

    for name in ("0ad__Dried_Tears", "0ad__Taiko_1"):
        samples, rate = read_audio(test_data / "clips" / f"{name}.ogg")
        heard[name] = judge.judge(samples, rate)

        series = load_predictor("musicnn").predict(samples, rate)
        expected = (series.valence_pred.mean(), series.arousal_pred.mean())
        assert heard[name] == pytest.approx(expected, abs=1e-6)

    # Drums are heard as more aroused than a lament.
    assert heard["0ad__Taiko_1"][1] > heard["0ad__Dried_Tears"][1]


def test_a_judge_travels_by_name_before_and_after_it_was_used() -> None:
    judge = load_judge("musicnn")
    noise = np.random.default_rng(1).normal(0.0, 0.05, (5 * 32_000, 2)).astype(np.float32)

    fresh, heard = pickle.dumps(judge), judge.judge(noise, 32_000)

    assert len(pickle.dumps(judge)) == len(fresh) < 200
    assert pickle.loads(fresh).name == "musicnn"
    assert pickle.loads(fresh).judge(noise, 32_000) == pytest.approx(heard)


def test_a_judge_says_its_predictors_version_and_weights() -> None:
    card = load_predictor("musicnn").card

    version, _, digest = load_judge("musicnn").version.rpartition(" ")

    assert version == card.version
    assert digest == canonical_sha256(card.weights_sha256)[:16]
    assert load_judge("cues").version != load_judge("musicnn").version


def test_a_clip_shorter_than_a_window_is_refused() -> None:
    with pytest.raises(AudioError, match=r"shorter than the 2\.96 s"):
        load_judge("musicnn").judge(np.zeros((32_000, 2), dtype=np.float32), 32_000)


def test_a_judge_that_is_not_installed_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        UnknownName, match=r'engine\.options\.judge: "musicn" is not a predictor .* did you mean'
    ):
        load_judge("musicn")
