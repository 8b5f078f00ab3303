"""Each cue follows its own cause on controlled sound, and the others no farther than is written here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.analysis.mer.controlled_audio import Knobs
from tests.analysis.mer.cues.one_knob import CUES, KNOBS, PLAIN, affect_with, measured_table

#: Cue, the knob that is its own cause, and the slope between them: measured on two scores, held to
#: what is right (1 of its unit for each of the knob's) where the knob has the cue's unit.
OWN_CAUSE: Mapping[str, tuple[str, float, float]] = {
    "mean_pitch": ("transposed", 1.0, 0.1),
    "log2_note_rate": ("notes", 1.0, 0.05),
    "log2_tempo": ("pulse", 1.0, 0.02),
    "loudness_lufs": ("gain", 1.0, 0.01),
    "detachment": ("detached", 1.0, 0.1),
    # Of the 2 from one mode to the other; clarity takes the rest.
    "mode": ("mode", 1.7, 0.25),
    # A semitone beside each inner voice: three fifths of what is rough in the roughest of music.
    "roughness": ("clusters", 0.15, 0.04),
}

#: The farthest, in standard deviations of real music, that a cue may move from one end of a knob to
#: the other when the knob is not its cause.
QUIET = 0.5
#: Where it moves farther, how far, and why.
LOUDER: Mapping[tuple[str, str], tuple[float, str]] = {
    ("mode", "clusters"): (2.4, "semitone neighbours of the thirds blur the mode"),
    ("clarity", "clusters"): (1.6, "semitone neighbours blur the key"),
    ("clarity", "mode"): (0.9, "minor, with two sevenths, is a little less clear than major"),
    ("clarity", "notes"): (0.9, "more chords are a clearer key"),
    ("mode", "notes"): (0.8, "more chords are a clearer key"),
    ("roughness", "transposed"): (0.9, "critical bands are wider than a third in the bass"),
    ("roughness", "notes"): (1.8, "notes that ring on beat with the next ones"),
    ("loudness_lufs", "notes"): (1.4, "struck notes fade: more of them are louder"),
    ("loudness_lufs", "pulse"): (0.8, "struck notes fade: more of them are louder"),
    ("loudness_lufs", "detached"): (0.8, "what is cut off is energy"),
    ("log2_flux", "notes"): (1.5, "it counts what begins"),
    ("log2_flux", "detached"): (2.5, "out of silence a note rises farther"),
    ("log2_flux", "transposed"): (1.6, "low partials share bands and rise less"),
    ("log2_note_rate", "pulse"): (1.0, "the same cause"),
    ("log2_tempo", "notes"): (5.0, "the same cause, folded to the octave near 120"),
}
#: Instruments are different sounds: mode and tempo are to be heard through them, timbre is what they are.
THROUGH_INSTRUMENTS = ("log2_tempo", "range_lu")
WITH_INSTRUMENTS: Mapping[str, float] = {
    # Of 3.5 from minor to major.
    "mode": 0.9,
    "clarity": 1.2,
    "mean_pitch": 1.3,
    "detachment": 1.25,
    # Pads and bowed strings begin softly: fewer notes are counted, and they rise less.
    "log2_note_rate": 2.4,
    "log2_flux": 2.6,
    # Level is set over a longer sound than the window.
    "loudness_lufs": 2.8,
    "roughness": 2.8,
    "brightness_db": 4.5,
}


@pytest.fixture(scope="module")
def table() -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["cue"], row["knob"]): row for row in measured_table()}


@pytest.mark.parametrize("cue", OWN_CAUSE)
def test_a_cue_follows_its_own_cause(cue: str, table: dict[tuple[str, str], dict[str, Any]]) -> None:
    knob, slope, within = OWN_CAUSE[cue]

    assert table[cue, knob]["slope"] == pytest.approx(slope, abs=within)


@pytest.mark.parametrize("knob", [name for name in KNOBS if name != "instrument"])
def test_the_other_cues_stay(knob: str, table: dict[tuple[str, str], dict[str, Any]]) -> None:
    for cue in CUES:
        if cue in OWN_CAUSE and OWN_CAUSE[cue][0] == knob:
            continue
        bound, _ = LOUDER.get((cue, knob), (QUIET, ""))
        assert table[cue, knob]["moved_sd"] < bound, cue


def test_mode_and_tempo_are_heard_through_every_instrument(
    table: dict[tuple[str, str], dict[str, Any]],
) -> None:
    for cue in CUES:
        bound = QUIET if cue in THROUGH_INSTRUMENTS else WITH_INSTRUMENTS[cue]
        assert table[cue, "instrument"]["moved_sd"] < bound, cue
    assert table["brightness_db", "instrument"]["moved_sd"] > 2.0


def test_mode_and_gain_move_one_cue_alone(table: dict[tuple[str, str], dict[str, Any]]) -> None:
    for cue in CUES:
        if cue not in {"mode", "clarity"}:
            assert table[cue, "mode"]["moved_sd"] < 0.4, cue
        if cue != "loudness_lufs":
            assert table[cue, "gain"]["moved_sd"] < 0.01, cue


def _change(before: Knobs, after: Knobs) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(affect_with(after) - affect_with(before))


def test_major_is_heard_as_more_pleasant_than_minor_and_not_as_more_aroused() -> None:
    valence, arousal = _change(replace(PLAIN, mode="minor"), PLAIN)

    assert valence > 0.5
    assert abs(arousal) < 0.1


def test_more_notes_are_heard_as_more_aroused() -> None:
    _, arousal = _change(replace(PLAIN, notes_per_s=1.2), replace(PLAIN, notes_per_s=4.4))

    assert arousal > 0.5


def test_louder_is_heard_as_more_aroused() -> None:
    _, arousal = _change(replace(PLAIN, gain_db=-6.0), replace(PLAIN, gain_db=6.0))

    assert arousal > 0.1


def test_detached_is_heard_as_more_aroused() -> None:
    _, arousal = _change(PLAIN, replace(PLAIN, articulation=0.3))

    assert arousal > 0.2


def test_higher_is_heard_as_more_pleasant() -> None:
    valence, _ = _change(
        replace(PLAIN, mode="minor", transpose_semitones=-5),
        replace(PLAIN, mode="minor", transpose_semitones=5),
    )

    assert valence > 0.2
