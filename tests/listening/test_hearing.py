"""What is heard is kept as long as it holds, and no longer."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.mer.combined import NAME as COMBINED
from analysis.mer.predictor import AffectSeries, PredictorCard
from analysis.mer.registry import EMBEDDED
from tests.listening import hearing
from tests.listening.hearing import centroid_hz, combined, hear_all
from tests.listening.made_sounds import PlainSound, source_mark

RATE = 16_000


@dataclass(frozen=True)
class Noise:
    """Six seconds of noise, under a mark of the test's choice."""

    sound_id: str
    text: str = "1"
    is_silent: bool = False

    def mark(self) -> str:
        return self.text

    def sound(self) -> tuple[NDArray[np.float32], int]:
        samples, rate = PlainSound("white", 1, 6.0).sound()
        return samples * np.float32(not self.is_silent), rate


def heard(sound: Noise, kept: Path) -> hearing.HeardSound:
    return hear_all([sound], kept, 1, lambda: None, compared=False)[sound.sound_id]


def test_both_embedded_predictors_and_their_combination_hear(tmp_path: Path) -> None:
    found = heard(Noise("noise"), tmp_path)

    assert tuple(found.series) == (*EMBEDDED, COMBINED)
    assert found.centroid_hz == pytest.approx(4_000, rel=0.02)
    first, second, both = (found.mean(name) for name in found.series)
    assert first is not None
    assert second is not None
    assert both is not None
    assert min(first[0], second[0]) <= both[0] <= max(first[0], second[0])


def test_what_is_kept_is_not_heard_again_until_the_sound_changes(tmp_path: Path) -> None:
    heard(Noise("noise"), tmp_path)
    (file,) = (tmp_path / "musicnn").iterdir()
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, "valence": [0.5] * len(content["valence"])}))

    kept, anew = heard(Noise("noise"), tmp_path), heard(Noise("noise", "2"), tmp_path)

    assert kept.series["musicnn"].valence_pred.tolist() == [0.5] * len(content["valence"])
    np.testing.assert_allclose(anew.series["musicnn"].valence_pred, content["valence"])


def test_another_predictor_under_the_same_name_hears_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard(Noise("noise"), tmp_path)
    before = {name: next((tmp_path / name).iterdir()).stat().st_mtime_ns for name in EMBEDDED}
    first = hearing._by_name()["musicnn"]
    monkeypatch.setitem(first.__dict__, "card", replace(first.card, version="another"))
    hearing._predictor_mark.cache_clear()

    heard(Noise("noise"), tmp_path)

    hearing._predictor_mark.cache_clear()
    after = {name: next((tmp_path / name).iterdir()).stat().st_mtime_ns for name in EMBEDDED}
    assert after["musicnn"] > before["musicnn"]
    assert after["cues"] == before["cues"]


def test_a_sound_that_is_refused_is_told_and_stops_nothing(tmp_path: Path) -> None:
    found = heard(Noise("silence", is_silent=True), tmp_path)

    assert found.mean("musicnn") is None
    assert "silent" in found.refused["cues"]


@dataclass(frozen=True)
class KilledOnce(Noise):
    """Noise whose process is killed the first time it is made."""

    flag: Path = Path()

    def sound(self) -> tuple[NDArray[np.float32], int]:
        if not self.flag.exists():
            self.flag.touch()
            os._exit(9)
        return super().sound()


def test_a_process_that_is_killed_costs_no_sound(tmp_path: Path) -> None:
    sound = KilledOnce("noise", flag=tmp_path / "flag")

    found = hear_all([sound], tmp_path, 2, lambda: None, compared=False)

    assert found["noise"].mean("musicnn") is not None


def test_the_centroid_of_a_tone_is_its_frequency_and_nothing_above_8_khz_counts() -> None:
    times_s = np.arange(2 * 44_100) / 44_100
    low, high = np.sin(2 * np.pi * 1_000 * times_s), np.sin(2 * np.pi * 15_000 * times_s)

    assert centroid_hz(low.astype(np.float32)[:, None], 44_100) == pytest.approx(1_000, rel=0.02)
    assert centroid_hz((low + high).astype(np.float32)[:, None], 44_100) == pytest.approx(1_000, rel=0.05)


def test_the_combination_of_what_was_told_is_the_mean_of_atanh() -> None:
    card = PredictorCard("told", "1", {}, {}, ())

    def told(value: float) -> AffectSeries:
        return AffectSeries(np.arange(3.0), 1.0, np.full(3, value), np.full(3, -value), card)

    both = combined([told(0.2), told(0.8)])

    expected = np.tanh((np.arctanh(0.2) + np.arctanh(0.8)) / 2)
    np.testing.assert_allclose(both.valence_pred, expected)
    np.testing.assert_allclose(both.arousal_pred, -expected)


def test_a_mark_follows_the_text_of_the_modules() -> None:
    assert source_mark("tests.listening.roc") != source_mark("tests.listening.tracks")
    assert source_mark("analysis.mer.musicnn") != source_mark("analysis.mer.musicnn.predictor")
