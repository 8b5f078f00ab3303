"""Each comparison turns one knob, and an effect is a mean over pieces."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from analysis.mer.predictor import AffectSeries, PredictorCard
from tests.listening import one_knob
from tests.listening.composed import steps_of
from tests.listening.hearing import HeardSound
from tests.listening.made_sounds import ControlledSound

CARD = PredictorCard("told", "1", {}, {}, ())
MEASURED = {
    "mode": {"mode"},
    "register": {"transpose_semitones"},
    "tempo": {"notes_per_s"},
    "loudness": {"gain_db"},
    "articulation": {"articulation"},
    "dissonance": {"dissonance"},
    "drums": set(),
    "strings": {"instrument"},
    "synthesiser": {"instrument"},
}


def series_of(valence: float, arousal: float) -> AffectSeries:
    return AffectSeries(np.arange(4.0), 1.0, np.full(4, valence), np.full(4, arousal), CARD)


def told(valence: float, arousal: float) -> HeardSound:
    return HeardSound({"told": series_of(valence, arousal)}, {}, 1_000.0)


@pytest.mark.parametrize("name", MEASURED)
def test_a_pair_differs_in_its_knob_only(name: str) -> None:
    for before, after in one_knob.knobs()[name].pairs:
        first, second = asdict(before.knobs), asdict(after.knobs)

        assert {key for key in first if first[key] != second[key]} == MEASURED[name]
        assert (before.drums, after.drums) == (False, name == "drums")


def test_drums_are_added_to_the_same_music() -> None:
    (before, after) = one_knob.knobs()["drums"].pairs[0]
    without, with_drums = before.sound()[0], after.sound()[0]

    added = with_drums - without
    assert np.sqrt(np.mean(added**2)) > 0.1 * np.sqrt(np.mean(without**2))
    assert np.abs(with_drums).max() < 1.0


def test_major_less_minor_is_a_mean_over_pieces_with_students_interval() -> None:
    heard = {}
    for sound in one_knob.sounds():
        moved = 0.0
        if isinstance(sound, ControlledSound) and sound.knobs.mode == "major":
            # Pieces differ; keys and instruments of one piece do not.
            moved = 0.1 + 0.01 * sound.knobs.seed
        heard[sound.sound_id] = told(moved, -moved)

    (row,) = [row for row in one_knob.effects(heard, ["told"]) if row["knob"] == "mode"]

    # Differences .10, .11, … .19: mean .145, sd .030277, t(9; .975) = 2.262157 (Fisher & Yates).
    assert row["pairs"] == 60
    assert row["valence"]["n"] == 10
    assert row["valence"]["estimate"] == pytest.approx(0.145)
    half_width = 2.262157 * 0.030277 / np.sqrt(10)
    assert row["valence"]["ci_low"] == pytest.approx(0.145 - half_width, abs=1e-6)
    assert row["arousal"]["ci_high"] == pytest.approx(-0.145 + half_width, abs=1e-6)


def test_the_composers_mode_is_turned_alone() -> None:
    for before, after in one_knob.composed_pairs():
        assert (before.cue, after.cue) == ("mode", "mode")
        assert before.points[0][0] == -after.points[0][0] < 0
        assert (before.seed, before.palette, before.points[0][1]) == (
            after.seed,
            after.palette,
            after.points[0][1],
        )


def test_steps_are_taken_between_windows_that_just_touch() -> None:
    onset_s = np.arange(10, dtype=np.float64)
    series = AffectSeries(onset_s, 2.0, np.where(onset_s >= 5, 0.4, 0.0), np.zeros(10), CARD)

    times_s, steps = steps_of(series)

    # Windows [3, 5) and [5, 7) touch at 5 s, where the prediction changes; [4, 6) and [6, 8) at 6 s.
    assert times_s[np.argmax(steps[:, 0])] == 5.0
    assert steps[:, 0].tolist() == pytest.approx([0, 0, 0, 0.4, 0.4, 0, 0, 0])
    assert times_s.tolist() == [2, 3, 4, 5, 6, 7, 8, 9]
