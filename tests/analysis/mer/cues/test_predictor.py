"""The predictor `cues`: streamed, auditable, and honest about what it is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from importlib.resources import files

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.mer.cues.predictor import CUE_MAP, DOMAIN, CuesPredictor
from analysis.mer.cues.transfer import features_of
from analysis.mer.predictor import StreamingPredictor
from analysis.mer.registry import load_predictor
from generation.audio import SAMPLE_RATE_HZ
from study.errors import AudioError
from tests.analysis.mer.controlled_audio import Knobs, sound_of

PREDICTOR = CuesPredictor()


@pytest.fixture(scope="module")
def sound() -> NDArray[np.float32]:
    """From minor to major, 31 s."""
    halves = [sound_of(Knobs(mode=mode, duration_s=15.5)) for mode in ("minor", "major")]
    return np.concatenate(halves)


def test_it_is_found_by_name_and_hears_piece_by_piece() -> None:
    predictor = load_predictor("cues")

    assert isinstance(predictor, StreamingPredictor)
    assert predictor.card.name == "cues"


def test_its_card_names_weights_licences_limits_and_reference() -> None:
    card = PREDICTOR.card

    weights = files("analysis.mer.cues") / "weights"
    for name in (CUE_MAP, DOMAIN):
        assert card.weights_sha256[name] == hashlib.sha256((weights / name).read_bytes()).hexdigest()
        assert name in card.licences
    assert card.perspective == "perceived"
    assert any("softly" in limit for limit in card.limits)
    assert card.domain is not None
    assert "game music" in card.domain


def test_windows_of_twelve_seconds_begin_every_three(sound: NDArray[np.float32]) -> None:
    series = PREDICTOR.predict(sound, SAMPLE_RATE_HZ)

    assert series.window_s == 12.0
    assert series.onset_s.tolist() == [0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0]
    assert series.valence_pred[-1] > series.valence_pred[0] + 0.3
    assert series.domain_distance is not None
    assert np.isfinite(series.domain_distance).all()


@pytest.mark.parametrize("block_s", [0.37, 5.0])
def test_it_hears_the_same_in_any_pieces(sound: NDArray[np.float32], block_s: float) -> None:
    whole = PREDICTOR.predict(sound, SAMPLE_RATE_HZ)
    listener = CuesPredictor(threads=1).listen(SAMPLE_RATE_HZ)

    step = round(block_s * SAMPLE_RATE_HZ)
    for first in range(0, len(sound), step):
        listener.hear(sound[first : first + step])
    pieces = listener.finish()

    assert pieces.valence_pred.tolist() == whole.valence_pred.tolist()
    assert pieces.arousal_pred.tolist() == whole.arousal_pred.tolist()


def test_a_prediction_can_be_taken_apart(sound: NDArray[np.float32]) -> None:
    series = PREDICTOR.predict(sound, SAMPLE_RATE_HZ)

    cues = PREDICTOR.cues_of(sound, SAMPLE_RATE_HZ)

    assert [one.onset_s for one in cues] == series.onset_s.tolist()
    assert all(np.isfinite(value) for one in cues for value in asdict(one).values())
    assert cues[0].note_rate_hz == pytest.approx(2.0, abs=0.1)
    assert cues[0].tonic == 0
    transfer = PREDICTOR.transfer
    scores = transfer.contributions(features_of(cues)).sum(axis=2) @ transfer.mix.T
    assert series.valence_pred == pytest.approx(np.tanh(transfer.offset[0] + transfer.gain[0] * scores[:, 0]))


def test_a_short_sound_is_one_window_of_its_own_length(sound: NDArray[np.float32]) -> None:
    series = PREDICTOR.predict(sound[: 5 * SAMPLE_RATE_HZ], SAMPLE_RATE_HZ)

    assert (series.onset_s.tolist(), series.window_s) == ([0.0], 5.0)


def test_a_sound_without_enough_notes_to_hear_is_refused(sound: NDArray[np.float32]) -> None:
    with pytest.raises(AudioError, match="3 s"):
        PREDICTOR.predict(sound[:SAMPLE_RATE_HZ], SAMPLE_RATE_HZ)


@pytest.mark.parametrize("kind", ["silence", "noise", "click", "offset"])
def test_what_is_no_music_has_a_finite_prediction_and_is_called_foreign(kind: str) -> None:
    n = 12 * SAMPLE_RATE_HZ
    sound = {
        "silence": np.zeros(n),
        "noise": np.random.default_rng(0).normal(0.0, 0.1, n),
        "click": np.eye(1, n, n // 2)[0],
        "offset": np.full(n, 0.5),
    }[kind].astype(np.float32)

    series = PREDICTOR.predict(sound[:, None], SAMPLE_RATE_HZ)

    assert np.isfinite(series.valence_pred).all()
    assert np.abs(series.valence_pred).max() < 1.0
    assert np.abs(series.arousal_pred).max() < 1.0
    assert series.is_foreign is not None
    assert series.is_foreign.all()


def test_music_of_the_composers_bank_is_not_foreign(sound: NDArray[np.float32]) -> None:
    series = PREDICTOR.predict(sound, SAMPLE_RATE_HZ)

    assert series.is_foreign is not None
    assert not series.is_foreign.any()


def test_the_map_names_the_music_that_set_its_scale() -> None:
    calibration = json.loads((files("analysis.mer.cues") / "weights" / CUE_MAP).read_text())["calibration"]

    assert sum(int(line.split(": ")[1].split()[0]) for line in calibration["music"]) > 150
    assert "Eerola & Vuoskoski" in calibration["ratings"]
