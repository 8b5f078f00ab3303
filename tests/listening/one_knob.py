"""Sounds that differ in one property: how far each moves a prediction, and mode above all.

A unit is a piece (a seed): its differences are averaged over tonics and instruments first, since sounds of
one piece resemble each other; the interval is over pieces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tests.analysis.mer.controlled_audio import Knobs
from tests.listening.hearing import HeardSound
from tests.listening.intervals import mean_effect
from tests.listening.made_sounds import ComposedSound, ControlledSound

SEEDS = range(10)
INSTRUMENTS = ("piano", "guitar", "strings")
TONICS = (0, 9)
DURATION_S = 15.0

COMPOSED_SEEDS = range(1, 9)
COMPOSED_S = 30.0
PALETTES = ("chamber", "acoustic", "ambient")
_TOLD_VALENCE = 0.8


@dataclass(frozen=True)
class Knob:
    """One comparison: the sound with the knob turned, less the sound without.

    Args:
        title: what is turned, from what to what.
        expected: sign of its effect on (valence, arousal) by the published cues; 0 where they say little.
    """

    title: str
    pairs: Sequence[tuple[ControlledSound, ControlledSound]]
    expected: tuple[int, int]


def knobs() -> dict[str, Knob]:
    """Every comparison by name; mode is the first."""
    plain = [Knobs(instrument=i, seed=s, duration_s=DURATION_S) for s in SEEDS for i in INSTRUMENTS]
    in_keys = [replace(knob, tonic=tonic) for knob in plain for tonic in TONICS]
    piano = [knob for knob in plain if knob.instrument == "piano"]

    def turned(
        title: str, expected: tuple[int, int], before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> Knob:
        return Knob(
            title,
            [
                (ControlledSound(replace(knob, **before)), ControlledSound(replace(knob, **after)))
                for knob in plain
            ],
            expected,
        )

    return {
        "mode": Knob(
            "minor → major",
            [(ControlledSound(replace(knob, mode="minor")), ControlledSound(knob)) for knob in in_keys],
            (1, 1),
        ),
        "register": turned(
            "ten semitones higher", (1, 0), {"transpose_semitones": -5}, {"transpose_semitones": 5}
        ),
        "tempo": turned("1 → 4 notes a second", (1, 1), {"notes_per_s": 1.0}, {"notes_per_s": 4.0}),
        "loudness": turned("12 dB louder", (-1, 1), {"gain_db": -6.0}, {"gain_db": 6.0}),
        "articulation": turned("legato → staccato (.3)", (1, 1), {}, {"articulation": 0.3}),
        "dissonance": turned("plain → clusters (3)", (-1, 1), {}, {"dissonance": 3}),
        "drums": Knob(
            "without → with a brush kit",
            [(ControlledSound(knob), ControlledSound(knob, drums=True)) for knob in plain],
            (0, 1),
        ),
        "strings": Knob(
            "piano → strings",
            [(ControlledSound(knob), ControlledSound(replace(knob, instrument="strings"))) for knob in piano],
            (0, 0),
        ),
        "synthesiser": Knob(
            "piano → synthesiser pad",
            [
                (ControlledSound(knob), ControlledSound(replace(knob, instrument="warm pad")))
                for knob in piano
            ],
            (0, 0),
        ),
    }


def composed_pairs() -> list[tuple[ComposedSound, ComposedSound]]:
    """Minor and major by the composer itself: valence moves its mode alone, all other cues stay neutral."""
    return [
        (_moded(-_TOLD_VALENCE, palette, seed), _moded(_TOLD_VALENCE, palette, seed))
        for seed in COMPOSED_SEEDS
        for palette in PALETTES
    ]


def _moded(valence: float, palette: str, seed: int) -> ComposedSound:
    return ComposedSound("mode", ((valence, 0.0),), COMPOSED_S, seed, palette, "mode")


def sounds() -> list[ControlledSound | ComposedSound]:
    """Each sound once."""
    controlled = {sound.sound_id: sound for knob in knobs().values() for pair in knob.pairs for sound in pair}
    composed = {sound.sound_id: sound for pair in composed_pairs() for sound in pair}
    return [*controlled.values(), *composed.values()]


def effects(heard: Mapping[str, HeardSound], predictors: Sequence[str]) -> list[dict[str, Any]]:
    """One row a knob and predictor: effect on valence and on arousal."""
    rows = []
    for name, knob in knobs().items():
        pairs = [(a.sound_id, b.sound_id, a.knobs.seed) for a, b in knob.pairs]
        rows += _rows(name, knob.title, knob.expected, pairs, heard, predictors)
    composed = [(a.sound_id, b.sound_id, a.seed) for a, b in composed_pairs()]
    rows += _rows("composed_mode", "the composer's minor → major", (1, 1), composed, heard, predictors)
    return rows


def predictions(heard: Mapping[str, HeardSound], predictors: Sequence[str]) -> dict[str, Any]:
    """Means of the first piece's plain and minor sound: a test hears them anew."""
    knob = Knobs(instrument=INSTRUMENTS[0], seed=SEEDS[0], duration_s=DURATION_S)
    some = [ControlledSound(knob), ControlledSound(replace(knob, mode="minor"))]
    return {
        sound.sound_id: {
            name: [round(value, 4) for value in mean]
            for name in predictors
            if (mean := heard[sound.sound_id].mean(name)) is not None
        }
        for sound in some
    }


def _rows(
    name: str,
    title: str,
    expected: tuple[int, int],
    pairs: Sequence[tuple[str, str, int]],
    heard: Mapping[str, HeardSound],
    predictors: Sequence[str],
) -> list[dict[str, Any]]:
    rows = []
    for predictor in predictors:
        by_piece: dict[int, list[tuple[float, float]]] = {}
        for before_id, after_id, seed in pairs:
            before, after = heard[before_id].mean(predictor), heard[after_id].mean(predictor)
            if before is not None and after is not None:
                by_piece.setdefault(seed, []).append((after[0] - before[0], after[1] - before[1]))
        differences = np.array([np.mean(own, axis=0) for own in by_piece.values()])
        rows.append(
            {
                "knob": name,
                "title": title,
                "predictor": predictor,
                "expected": list(expected),
                "pairs": sum(map(len, by_piece.values())),
                "valence": mean_effect(differences[:, 0]),
                "arousal": mean_effect(differences[:, 1]),
            }
        )
    return rows
