"""Whole sessions as they are played."""

from __future__ import annotations

import math

import numpy as np
import pytest

from generation.composer.compose import compose
from generation.composer.cues import CueCurves
from generation.composer.palettes import PALETTES
from generation.composer.playing.performance import Performance
from generation.composer.pulse import Pulse
from generation.composer.score import Note, Part, WrittenNote
from generation.composer.streams import stream
from generation.composer.writing.seats import Seat
from tests.generation.composer.plans import Point, make_plan
from tests.generation.composer.test_pulse import phrases_of

PHRASE = phrases_of(1)[0]
LINE = [WrittenNote(beat, 1.0, key, 0.6) for beat, key in enumerate([60, 62, 64, 65, 67, 65, 64, 62] * 2)]


def seat_of(part: Part, instrument: str, until_beat: float = math.inf) -> Seat:
    return Seat(part, instrument, 1.0, 1.0, 0.0, 16.0, until_beat=until_beat)


def played(point: Point, part: Part = Part.MELODY, seed: int = 1) -> list[Note]:
    curves = CueCurves(make_plan([point], 60.0).path)
    pulse = Pulse(curves, 0.15, 52.5)
    return Performance(curves, pulse).play(seat_of(part, "piano"), LINE, PHRASE, stream(seed, "touch"))


def test_lively_music_is_louder_and_more_detached_than_calm_music() -> None:
    calm, lively = played((0.0, -0.8)), played((0.0, 0.8))

    def touch(notes: list[Note]) -> float:
        return float(np.mean([note.velocity for note in notes]))

    def share(notes: list[Note]) -> float:
        gaps = np.diff([note.onset_s for note in notes])
        return float(np.median(np.array([note.duration_s for note in notes[:-1]]) / gaps))

    assert touch(lively) > touch(calm) + 0.15
    assert share(calm) > 1.0
    assert share(lively) < 0.75


def test_a_theme_is_heard_before_its_accompaniment() -> None:
    melody = np.array([[note.onset_s for note in played((0.0, 0.0), Part.MELODY, k)] for k in range(20)])
    bass = np.array([[note.onset_s for note in played((0.0, 0.0), Part.BASS, k)] for k in range(20)])

    assert (bass - melody)[:, 1:].mean() == pytest.approx(0.02, abs=0.004)


def test_a_seat_plays_only_the_beats_that_are_its_own() -> None:
    curves = CueCurves(make_plan([(0.0, 0.0)], 60.0).path)
    performance = Performance(curves, Pulse(curves, 0.15, 52.5))

    some = performance.play(seat_of(Part.MELODY, "piano", 4.0), LINE, PHRASE, stream(1, "touch"))

    assert [note.key for note in some] == [60, 62, 64, 65]
    assert performance.play(seat_of(Part.MELODY, "piano", 0.0), LINE, PHRASE, stream(1, "touch")) == []


def test_the_same_stream_plays_the_same_notes_and_another_plays_them_a_little_otherwise() -> None:
    first, again, other = played((0.2, 0.1)), played((0.2, 0.1)), played((0.2, 0.1), seed=2)

    assert first == again
    assert [note.key for note in first] == [note.key for note in other]
    away_s = np.array([a.onset_s - b.onset_s for a, b in zip(first, other, strict=True)])
    assert 0.0 < np.abs(away_s).max() < 0.05


def test_times_and_touch_have_no_digits_that_processors_differ_in() -> None:
    for note in played((0.3, 0.4)):
        assert note.onset_s == round(note.onset_s, 6)
        assert note.duration_s == round(note.duration_s, 6)
        assert note.velocity == round(note.velocity, 6)


def test_no_note_is_early_by_more_than_a_theme_may_lead() -> None:
    score = compose(CueCurves(make_plan([(-0.6, 0.5), (0.6, -0.4)], 60.0).path), 7, PALETTES["chamber"])
    beats = np.arange(len(score.beat_times_s))

    for phrase, written in zip(score.phrases, score.written, strict=True):
        start_s = float(np.interp(phrase.onset_beat, beats, score.beat_times_s))
        keys = {note.key for note in written.get(Part.MELODY, ()) if note.onset_beat == phrase.onset_beat}
        near = [n for n in score.notes if n.part == Part.MELODY and abs(n.onset_s - start_s) < 0.2]
        assert all(n.onset_s > start_s - 0.046 for n in near if n.key in keys)
