"""The bass line: a line, within its range, calm on pedal points and busy with steps."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from generation.composer.palettes import INSTRUMENTS
from generation.composer.score import Part
from generation.composer.writing.bass import BASS_HIGHEST, BASS_LOWEST, lead_bass, with_pedals
from tests.generation.composer.writing.composed import CALM, JOURNEY, LIVELY, TENSE, chords_of, music


def test_the_bass_has_the_chords_own_bass_and_leaps_no_sevenths() -> None:
    chords = chords_of(music(JOURNEY))
    line = lead_bass(chords, None)
    leaps = np.abs(np.diff(line))

    assert [key % 12 for key in line] == [chord.bass for chord in chords]
    assert all(BASS_LOWEST <= key <= BASS_HIGHEST for key in line)
    assert not {9, 10, 11} & set(leaps.tolist())
    assert np.mean(leaps <= 5) > 0.7


def test_the_line_goes_on_from_the_phrase_before() -> None:
    (chord, *_) = chords_of(music(JOURNEY))
    chord = replace(chord, bass=2)

    assert lead_bass([chord], 37) == [38]
    assert lead_bass([chord], 49) == [50]


def test_a_chord_of_several_beats_sounds_its_bass_on_the_first() -> None:
    for phrase in music(JOURNEY):
        bass = phrase.written[Part.BASS]
        for chord in phrase.chords:
            first = [n.key for n in bass if abs(n.onset_beat - chord.onset_beat) < 1e-6]
            # A bass may be suspended into the chord, and a pedal point holds on.
            sounding = [
                n.key for n in bass if n.onset_beat <= chord.onset_beat + 1e-6 < n.onset_beat + n.beats + 1e-6
            ]
            assert first or sounding


def test_pedal_points_belong_to_calm_music_and_to_both_chords() -> None:
    chords = chords_of(music(JOURNEY))

    calm = with_pedals(chords, 0.0, np.random.default_rng(1))
    lively = with_pedals(chords, 1.0, np.random.default_rng(1))

    assert lively == chords
    held = [(a, b) for a, b, own in zip(calm, calm[1:], chords[1:], strict=False) if b.bass != own.bass]
    assert len(held) >= 3
    for before, over in held:
        assert over.bass == before.bass
        assert over.bass in over.pitch_classes[:3]
    assert calm[-3:] == chords[-3:]


def test_the_bass_fills_up_with_density_without_a_note_out_of_range() -> None:
    rates = []
    for points in (CALM, JOURNEY, LIVELY):
        phrases = music(points)
        notes = [note for phrase in phrases for note in phrase.written[Part.BASS]]
        rates.append(len(notes) / phrases[-1].phrase.end_beat)
        assert all(INSTRUMENTS["bass"].low <= note.key <= INSTRUMENTS["bass"].high for note in notes)

    assert rates == sorted(rates)
    assert rates[-1] > 2 * rates[0]


def test_steps_into_a_chord_make_no_fifths_or_octaves_with_the_voices_above() -> None:
    pairs, parallels = 0, 0
    for phrase in (*music(LIVELY), *music(TENSE)):
        bass, pad = phrase.written[Part.BASS], phrase.written[Part.PAD]
        for old, new in itertools.pairwise(bass):
            above = [
                sorted(n.key for n in pad if n.onset_beat <= at < n.onset_beat + n.beats)
                for at in (new.onset_beat - 0.01, new.onset_beat + 0.01)
            ]
            if len(above[0]) != len(above[1]) or new.onset_beat > old.onset_beat + old.beats + 0.01:
                continue
            for before, after in zip(*above, strict=True):
                pairs += 1
                together = (after - before) * (new.key - old.key) > 0
                fifths = (before - old.key) % 12 in (0, 7) and (after - new.key) % 12 == (
                    before - old.key
                ) % 12
                parallels += together and fifths

    # Measured: .002.
    assert pairs > 500
    assert parallels <= 0.01 * pairs
