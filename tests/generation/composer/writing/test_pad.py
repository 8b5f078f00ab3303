"""Suspensions and colours: prepared, dissonant, resolved; ever more of them as tension rises."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from generation.composer.score import Chord, WrittenNote
from generation.composer.streams import stream
from generation.composer.writing.bass import lead_bass
from generation.composer.writing.pad import write_colour, write_pad
from generation.composer.writing.suspensions import Sounding, suspend
from generation.composer.writing.voicing import voice_chords
from tests.generation.composer.writing.composed import JOURNEY, chords_of, music
from tests.generation.composer.writing.progressions import SCALES

SUBDOMINANT = Chord(0.0, 4.0, 0, 4, 3, (5, 9, 0), SCALES[4], 5)
TONIC = Chord(4.0, 4.0, 0, 4, 0, (0, 4, 7), SCALES[4], 0)


def _soundings(share: float, seed: int = 1) -> list[Sounding]:
    chords = chords_of(music(JOURNEY))
    basses = lead_bass(chords, None)
    voicings = voice_chords(chords, 60.0, None, basses, share)
    return suspend(chords, voicings, basses, None, share, stream(seed, "test"))


def _held(soundings: list[Sounding]) -> list[tuple[Sounding, Sounding, Sounding]]:
    whole = list(zip(soundings, soundings[1:], soundings[2:], strict=False))
    return [(before, held, after) for before, held, after in whole if held.held]


@pytest.fixture(scope="module")
def strained() -> list[Sounding]:
    return _soundings(0.9)


def test_a_four_three_suspension_holds_half_the_chord() -> None:
    chords, voicings = [SUBDOMINANT, TONIC], [(57, 60, 65), (55, 60, 64)]

    plain = write_pad(suspend(chords, voicings, [41, 48], None, 0.0, np.random.default_rng(1)))
    strained = write_pad(suspend(chords, voicings, [41, 48], None, 1.0, np.random.default_rng(1)))

    assert [(n.onset_beat, n.beats) for n in plain if n.key == 65] == [(0.0, 4.0)]
    assert [(n.onset_beat, n.beats) for n in strained if n.key == 65] == [(0.0, 6.0)]
    assert [(n.onset_beat, n.beats) for n in strained if n.key == 64] == [(6.0, 2.0)]


def test_every_suspension_is_prepared_foreign_and_falls_by_step(strained: list[Sounding]) -> None:
    suspensions = _held(strained)

    assert len(suspensions) > 20
    for before, held, after in suspensions:
        for voice in held.held:
            prepared = before.bass if voice < 0 else before.upper[voice]
            kept = held.bass if voice < 0 else held.upper[voice]
            fallen = after.bass if voice < 0 else after.upper[voice]
            assert prepared == kept
            assert kept % 12 not in held.chord.pitch_classes
            assert kept - fallen in (1, 2)
            assert after.chord is held.chord


def test_suspensions_grow_with_tension_and_vanish_without_it() -> None:
    counts = [len(_held(_soundings(share))) for share in (0.0, 0.3, 0.6, 0.9)]

    assert counts[0] == 0
    assert counts == sorted(counts)
    assert counts[-1] > 1.5 * counts[1] > 0


def test_soundings_have_no_gaps(strained: list[Sounding]) -> None:
    for now, coming in itertools.pairwise(strained):
        assert now.end_beat == pytest.approx(coming.onset_beat)


def test_a_voice_that_stays_is_tied_for_six_beats_at_most() -> None:
    pad = write_pad(_soundings(0.2))

    for key in {note.key for note in pad}:
        line = [note for note in pad if note.key == key]
        for now, coming in itertools.pairwise(line):
            assert now.onset_beat + now.beats <= coming.onset_beat + 1e-6
    assert sum(note.beats > 4.0 for note in pad) > 5
    assert np.percentile([note.beats for note in pad], 99) <= 8.0


def _semitones(pad: list[WrittenNote], colour: list[WrittenNote]) -> int:
    return sum(
        abs(one.key - other.key) == 1
        and one.onset_beat < other.onset_beat + other.beats
        and other.onset_beat < one.onset_beat + one.beats
        for one in colour
        for other in pad
    )


def test_semitones_in_the_middle_multiply_with_tension() -> None:
    soundings = _soundings(0.3)
    pad = write_pad(soundings)
    coloured = [write_colour(soundings, tension, stream(3, "test")) for tension in (0.2, 0.5, 0.75, 1.0)]

    assert coloured[0] == []
    rubs = [_semitones(pad, notes) for notes in coloured]
    assert rubs == sorted(rubs)
    assert rubs[-1] > 20
    assert all(53 <= note.key <= 72 for notes in coloured for note in notes)
