"""Palettes: worlds of sound that can play whatever the cues ask, each at the same level."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pyloudnorm
import pytest

from generation.composer.cues import Cues, cues_of
from generation.composer.engine import ComposerEngine
from generation.composer.palettes import INSTRUMENTS, PALETTES, Palette, playable
from generation.composer.sound.sources import BankChoice, sampler_of
from study.errors import OutOfRange, Refusals, UnknownName
from tests.generation.composer.plans import make_plan

#: Lowest and highest sounding key a professional is asked for (Adler, 2002; Rimsky-Korsakov, 1913).
PLAYERS = {
    "piano": (21, 108),
    "celesta": (60, 108),
    "vibraphone": (53, 89),
    "marimba": (45, 96),
    # Twenty frets.
    "guitar": (40, 84),
    "harp": (23, 104),
    "violin": (55, 103),
    "fiddle": (55, 103),
    "cello": (36, 84),
    "contrabass": (28, 67),
    "bass": (28, 67),
    "flute": (59, 98),
    "recorder": (65, 91),
    "oboe": (58, 93),
    "clarinet": (50, 94),
    "horn": (34, 77),
    "voices": (41, 84),
}


def test_there_is_a_palette_of_each_kind() -> None:
    assert set(PALETTES) == {"ambient", "chamber", "acoustic", "electronic"}


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_a_palette_has_colours_to_choose_from_in_every_part(palette: Palette) -> None:
    assert len(palette.melody) >= 4
    assert min(len(palette.figure), len(palette.pad), len(palette.counter)) >= 2
    assert set(palette.instruments) <= set(INSTRUMENTS)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_every_register_finds_two_instruments_that_play_a_melody_there(palette: Palette) -> None:
    for centre in range(58, 83):
        able = [
            name
            for name in palette.melody
            if INSTRUMENTS[name].low <= centre - 9 and centre + 10 <= INSTRUMENTS[name].high
        ]
        assert len(able) >= 2, centre


@pytest.mark.parametrize("name", PLAYERS)
def test_nobody_is_asked_for_a_key_beyond_a_players_range(name: str) -> None:
    low, high = PLAYERS[name]

    assert low <= INSTRUMENTS[name].low < INSTRUMENTS[name].high <= high


def test_a_key_out_of_range_moves_by_octaves() -> None:
    flute = INSTRUMENTS["flute"]

    assert playable(48, flute) == 60
    assert playable(99, flute) == 87
    assert playable(70, flute) == 70


def test_low_instruments_sit_in_the_middle_and_melodies_on_both_sides() -> None:
    for palette in PALETTES.values():
        assert abs(INSTRUMENTS[palette.bass].pan) <= 0.1
        pans = [INSTRUMENTS[name].pan for name in palette.melody]
        assert min(pans) <= -0.12
        assert max(pans) >= 0.1
        assert abs(np.mean([INSTRUMENTS[name].pan for name in palette.instruments])) < 0.12


@pytest.mark.parametrize("bank", [BankChoice.AUTO, BankChoice.SYNTHETIC])
def test_no_melody_instrument_is_much_louder_than_another(bank: BankChoice) -> None:
    meter = pyloudnorm.Meter(32_000)
    levels: dict[str, float] = {}
    for palette in PALETTES.values():
        sampler = sampler_of(bank, palette)
        for name in palette.melody:
            instrument = INSTRUMENTS[name]
            key = min(70, instrument.high)
            sound = np.resize(sampler.note(instrument, key, 0.9, 0.5), 32_000).astype(np.float64)
            levels[name] = meter.integrated_loudness(sound[:, None] * instrument.gain)

    middle = np.median(list(levels.values()))
    assert {name: level for name, level in levels.items() if abs(level - middle) > 3.0} == {}


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_a_palettes_bias_is_small_and_the_same_at_every_place_of_the_plane(palette: Palette) -> None:
    valence, arousal = (
        axis.ravel() for axis in np.meshgrid(np.linspace(-0.8, 0.8, 5), np.linspace(-0.8, 0.8, 5))
    )
    plain, biased = cues_of(valence, arousal), cues_of(valence, arousal, None, palette.cue_bias)

    for field in fields(Cues):
        before, after = getattr(plain, field.name), getattr(biased, field.name)
        offset = palette.cue_bias.get(field.name, 0.0)
        assert abs(offset) <= 0.25 * np.ptp(before)
        # The ends of a scale hold.
        assert (np.abs(after - before) <= abs(offset) + 1e-9).all()
        assert np.abs(after - before).max() == pytest.approx(abs(offset), abs=1e-9)


def test_ambient_is_slower_and_darker_than_electronic() -> None:
    ambient, electronic = PALETTES["ambient"].cue_bias, PALETTES["electronic"].cue_bias

    assert ambient["tempo_bpm"] < 0.0 < electronic["tempo_bpm"]
    assert ambient["brightness"] < 0.0 < electronic["brightness"]


@pytest.mark.parametrize("name", PALETTES)
def test_only_a_palettes_own_instruments_play(name: str) -> None:
    score = ComposerEngine(palette=name).compose(make_plan([(-0.5, 0.6), (0.6, -0.5)], 60.0))

    assert {note.instrument for note in score.notes} <= set(PALETTES[name].instruments)
    for note in score.notes:
        assert INSTRUMENTS[note.instrument].low <= note.key <= INSTRUMENTS[note.instrument].high


@pytest.mark.parametrize(
    ("options", "refusal", "said"),
    [
        ({"palete": "chamber"}, UnknownName, "'palete' is not an option"),
        ({"palette": "baroque"}, UnknownName, "'baroque' is not a palette"),
        ({"palette": None}, UnknownName, "None is not a palette"),
        ({"bank": "fluid"}, UnknownName, "'fluid' is not a bank; write auto, sampled, synthetic"),
        ({"bank": True}, UnknownName, "True is not a bank"),
        ({"compression": float("nan")}, OutOfRange, r"nan is not in \[0, 1\]"),
        ({"compression": True}, OutOfRange, r"True is not in \[0, 1\]"),
        ({"compression": "0.5"}, OutOfRange, r"'0.5' is not in \[0, 1\]"),
        ({"compression": 1.5}, OutOfRange, r"1.5 is not in \[0, 1\]"),
        (
            {"palette": "electronic", "bank": "sampled"},
            OutOfRange,
            "has no recording of: glass keys, soft square",
        ),
        ({"cue_weights": {"tempo": float("nan")}}, OutOfRange, r"nan is not in \[0, 1\]"),
        ({"cue_weights": {"tempo": True}}, OutOfRange, r"True is not in \[0, 1\]"),
        ({"cue_weights": {"tempi": 1}}, UnknownName, "'tempi' is not a cue"),
        ({"palette": "baroque", "bank": "fluid"}, Refusals, "baroque.*\n.*fluid"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: dict[str, object], refusal: type[Exception], said: str
) -> None:
    with pytest.raises(refusal, match=said):
        ComposerEngine.from_options(options)


def test_options_that_make_sense_are_kept() -> None:
    engine = ComposerEngine.from_options(
        {"palette": "ambient", "bank": "synthetic", "compression": 1, "cue_weights": {"mode": 0}}
    )

    assert engine == ComposerEngine("ambient", {"mode": 0.0}, BankChoice.SYNTHETIC, 1.0)
    assert ComposerEngine.from_options({}) == ComposerEngine()
