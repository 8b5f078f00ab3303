"""Accompaniment figures: each has a face that it keeps while it thins out and fills up."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.composer.score import Cadence, Chord, Phrase, PhraseKind, WrittenNote
from generation.composer.streams import stream
from generation.composer.writing.bass import lead_bass
from generation.composer.writing.figures import FigureStyle, style_weights, write_figure
from generation.composer.writing.suspensions import Sounding, suspend
from generation.composer.writing.voicing import voice_chords
from tests.generation.composer.writing.progressions import progression

STYLES = tuple(FigureStyle)


def _phrase(bars: int = 4, beats_per_bar: int = 4) -> Phrase:
    return Phrase(
        onset_beat=8.0,
        bars=bars,
        beats_per_bar=beats_per_bar,
        kind=PhraseKind.CONSEQUENT,
        theme=0,
        variant=0,
        section=0,
        texture=1,
        melody_rests=False,
        tonic=2,
        next_tonic=2,
        mode=4,
        cadence=Cadence.AUTHENTIC,
    )


def _soundings(phrase: Phrase) -> list[Sounding]:
    chords: list[Chord] = progression(phrase, 1)
    basses = lead_bass(chords, None)
    voicings = voice_chords(chords, 60.0, None, basses)
    return suspend(chords, voicings, basses, None, 0.0, np.random.default_rng(1))


def _figure(style: FigureStyle, density: float, phrase: Phrase, seed: int = 1) -> list[WrittenNote]:
    return write_figure(
        phrase, _soundings(phrase), style, lambda _beat: density, lambda _beat: 74.0, stream(seed, "figure")
    )


def _struck(notes: Sequence[WrittenNote]) -> set[tuple[float, int]]:
    return {(note.onset_beat, note.key) for note in notes}


@pytest.mark.parametrize("style", STYLES)
def test_what_sounds_goes_on_sounding_as_density_rises(style: FigureStyle) -> None:
    phrase = _phrase()

    steps = [_struck(_figure(style, density, phrase)) for density in np.linspace(0.0, 1.0, 9)]

    for thin, full in itertools.pairwise(steps):
        assert thin <= full
    assert len(steps[-1]) > 1.5 * len(steps[0])


@pytest.mark.parametrize("style", STYLES)
def test_every_tone_belongs_to_its_chord(style: FigureStyle) -> None:
    phrase = _phrase()
    chords = progression(phrase, 1)

    for note in _figure(style, 0.8, phrase):
        chord = next(c for c in chords if c.onset_beat <= note.onset_beat < c.end_beat)
        assert note.key % 12 in chord.pitch_classes


def test_styles_sound_unlike_each_other() -> None:
    phrase = _phrase()
    struck = [_struck(_figure(style, 0.6, phrase)) for style in STYLES]

    likeness = [len(a & b) / len(a | b) for a, b in itertools.combinations(struck, 2)]
    assert max(likeness) < 0.75
    assert np.mean(likeness) < 0.35


def test_the_quiet_end_is_never_still() -> None:
    for style, beats_per_bar in itertools.product(STYLES, (2, 3, 4, 5, 6)):
        phrase = _phrase(beats_per_bar=beats_per_bar)
        onsets = sorted({note.onset_beat for note in _figure(style, 0.0, phrase)})
        edges = [phrase.onset_beat, *onsets, phrase.end_beat]

        # The slowest beat lasts 1.25 s.
        assert max(np.diff(edges)) <= 3.0, style


def test_bells_hang_about_the_melody_and_others_stay_below() -> None:
    phrase = _phrase()

    assert np.mean([note.key for note in _figure(FigureStyle.BELLS, 0.3, phrase)]) == pytest.approx(74, abs=4)
    for style in STYLES:
        if style != FigureStyle.BELLS:
            assert max(note.key for note in _figure(style, 0.3, phrase)) <= 74


def test_rest_rocks_and_rings_and_drive_pulses() -> None:
    calm, driven = style_weights(0.0, 0.5, 4), style_weights(1.0, 0.5, 4)

    for style in (FigureStyle.ROCKING, FigureStyle.BELLS):
        assert calm[style] > 1.0 > driven[style]
    for style in (FigureStyle.PULSE, FigureStyle.OSTINATO):
        assert driven[style] > 0.8 > calm[style]
    assert style_weights(0.5, 0.5, 3)[FigureStyle.WALTZ] > 5 * style_weights(0.5, 0.5, 4)[FigureStyle.WALTZ]


@settings(max_examples=40, deadline=None)
@given(
    style=st.sampled_from(STYLES),
    bars=st.integers(1, 8),
    beats_per_bar=st.integers(2, 6),
    density=st.floats(-0.5, 1.5),
    ceiling=st.floats(40.0, 100.0),
    seed=st.integers(0, 1000),
)
def test_any_phrase_has_a_figure_within_it(
    style: FigureStyle, bars: int, beats_per_bar: int, density: float, ceiling: float, seed: int
) -> None:
    phrase = _phrase(bars, beats_per_bar)

    notes = write_figure(
        phrase,
        _soundings(phrase),
        style,
        lambda _beat: density,
        lambda _beat: ceiling,
        stream(seed, "figure"),
    )

    assert notes
    assert notes == sorted(notes, key=lambda note: note.onset_beat)
    for note in notes:
        assert phrase.onset_beat <= note.onset_beat < phrase.end_beat
        assert 0.0 < note.beats <= 4.0
        assert 36 <= note.key <= 100
