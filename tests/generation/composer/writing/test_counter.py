"""The second voice of composed sessions, as a teacher of counterpoint would mark it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.composer.engine import ComposerEngine
from generation.composer.score import Cadence, Chord, Part, Phrase, PhraseKind, WrittenNote
from generation.composer.streams import stream
from generation.composer.writing.counter import write_counter
from generation.composer.writing.counterpoint import Voice, encounters, top_voice, voice_of
from generation.composer.writing.melody import chords_at, write_melody
from generation.composer.writing.motifs import make_motifs
from tests.generation.composer.plans import make_plan
from tests.generation.composer.writing.progressions import progression
from tests.generation.composer.writing.test_melody import parallels

PHRASE = Phrase(0.0, 4, 4, PhraseKind.ANTECEDENT, 0, 0, 0, 3, False, 0, 0, 4, Cadence.HALF)
Written = Mapping[Part, Sequence[WrittenNote]]


@pytest.fixture(scope="module")
def duets() -> list[tuple[Phrase, Sequence[Chord], Written]]:
    """Phrases of composed sessions in which melody and second voice sound together."""
    found = []
    for seed, point in enumerate([(0.5, 0.3), (-0.6, 0.1), (0.6, -0.5), (-0.2, 0.6)]):
        score = ComposerEngine().compose(make_plan([point], 200.0, 40 + seed))
        found += [
            (phrase, chords, written)
            for phrase, chords, written in zip(score.phrases, score.chords, score.written, strict=True)
            if Part.COUNTER in written and Part.MELODY in written
        ]
    assert len(found) >= 15
    return found


def test_a_second_voice_makes_hardly_a_parallel_with_melody_or_bass(
    duets: list[tuple[Phrase, Sequence[Chord], Written]],
) -> None:
    found = counted = 0
    for _, _, written in duets:
        for part in (Part.MELODY, Part.BASS):
            parallel, both = parallels(voice_of(written[Part.COUNTER]), voice_of(written[part]))
            found, counted = found + parallel, counted + both

    assert counted >= 100
    assert found <= 0.01 * counted


def test_it_moves_where_the_melody_holds_and_against_it_where_both_move(
    duets: list[tuple[Phrase, Sequence[Chord], Written]],
) -> None:
    kinds = {"oblique": 0, "contrary": 0, "similar": 0}
    for _, _, written in duets:
        melody, counter = voice_of(written[Part.MELODY]), voice_of(written[Part.COUNTER])
        beats = sorted({*melody.onset_beats, *counter.onset_beats})
        for earlier, later in itertools.pairwise(beats):
            keys = [voice.key_at(beat) for voice in (melody, counter) for beat in (earlier, later)]
            if None in keys:
                continue
            a0, a1, b0, b1 = (key or 0 for key in keys)
            product = (a1 - a0) * (b1 - b0)
            kinds["oblique" if product == 0 else "contrary" if product < 0 else "similar"] += 1
    total = sum(kinds.values())

    # Measured: .80 oblique; contrary and similar alike.
    assert kinds["oblique"] >= 0.65 * total
    assert kinds["contrary"] >= 0.7 * kinds["similar"]


def test_thirds_and_sixths_prevail_where_it_strikes(
    duets: list[tuple[Phrase, Sequence[Chord], Written]],
) -> None:
    intervals = []
    for _, _, written in duets:
        melody = voice_of(written[Part.MELODY])
        struck = [(melody.key_at(note.onset_beat), note.key) for note in written[Part.COUNTER]]
        intervals += [abs(key - other) % 12 for key, other in struck if key is not None]
    sharp = np.mean([interval in (1, 11) for interval in intervals])

    assert np.mean([interval in (3, 4, 8, 9) for interval in intervals]) >= 0.5
    assert sharp <= 0.04


def test_it_stays_on_its_side_of_the_melody(duets: list[tuple[Phrase, Sequence[Chord], Written]]) -> None:
    stays = []
    for _, _, written in duets:
        melody = voice_of(written[Part.MELODY])
        struck = [(melody.key_at(note.onset_beat), note.key) for note in written[Part.COUNTER]]
        sides = [np.sign(other - key) for key, other in struck if key is not None]
        stays += [side == np.median(sides) != 0 for side in sides]

    assert np.mean(stays) >= 0.98


def test_its_foreign_notes_resolve_by_step(duets: list[tuple[Phrase, Sequence[Chord], Written]]) -> None:
    resolved = []
    for _, chords, written in duets:
        notes = written[Part.COUNTER]
        under = chords_at(chords, [note.onset_beat for note in notes])
        for (note, following), chord in zip(itertools.pairwise(notes), under, strict=False):
            if note.key % 12 not in chord.pitch_classes:
                resolved.append(abs(following.key - note.key) in (1, 2))

    assert np.mean(resolved) >= 0.96


def test_it_answers_the_theme_while_the_melody_holds() -> None:
    theme = make_motifs(stream(5, "theme"), 4)
    chords = progression(PHRASE, 5)
    held = [WrittenNote(8.0 * bar, 8.0, 76, 0.8) for bar in range(2)]
    notes = write_counter(
        PHRASE, chords, theme, held, lambda _: 0.5, lambda _: 76.0, 0.0, None, stream(5, "counter")
    )
    face = {1.0 + tone.slot / 4 for tone in theme.idea.tones if tone.opens_at <= 0.3 and tone.slot < 24}

    assert face <= {note.onset_beat for note in notes}


def test_it_holds_under_a_melody_that_runs() -> None:
    theme = make_motifs(stream(6, "theme"), 4)
    chords = progression(PHRASE, 6)
    running = [WrittenNote(k / 2, 0.5, 72 + k % 5, 0.5) for k in range(32)]
    notes = write_counter(
        PHRASE, chords, theme, running, lambda _: 0.9, lambda _: 74.0, 0.0, None, stream(6, "counter")
    )

    assert {note.onset_beat for note in notes} == {c.onset_beat for c in chords if c.onset_beat < 16.0}


def test_voices_meet_where_both_are_struck_and_are_known_to_move_where_one_is() -> None:
    bass = Voice([0.0, 2.0, 4.0], [40, 45, 43])

    met = encounters([bass], [0.0, 1.0, 2.0, 3.0, 4.0])

    assert [m.moved for m in met] == [(), (), ((40, 45),), (), ((45, 43),)]
    assert [m.struck for m in met] == [((0, 40, 40),), (), ((0, 40, 45),), (), ((0, 45, 43),)]
    assert [m.against for m in met] == [0, 0, 1, 0, -1]


def test_the_top_voice_of_a_pad_is_its_highest_key_that_sounds() -> None:
    pad = [WrittenNote(0.0, 8.0, 67, 0.6), WrittenNote(0.0, 4.0, 60, 0.6), WrittenNote(4.0, 4.0, 62, 0.6)]

    assert top_voice(pad) == Voice([0.0, 4.0], [67, 67])


@settings(max_examples=40, deadline=None)
@given(
    bars=st.integers(1, 8),
    beats_per_bar=st.integers(2, 6),
    density=st.floats(-0.5, 1.5),
    centre=st.floats(40.0, 100.0),
    dissonance=st.floats(0.0, 1.0),
    low=st.integers(28, 60),
    has_melody=st.booleans(),
    is_last=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_a_second_voice_to_any_phrase_is_a_line_within_it_and_within_its_instrument(
    bars: int,
    beats_per_bar: int,
    density: float,
    centre: float,
    dissonance: float,
    low: int,
    has_melody: bool,
    is_last: bool,
    seed: int,
) -> None:
    phrase = replace(PHRASE, bars=bars, beats_per_bar=beats_per_bar, is_last=is_last)
    chords = progression(phrase, seed)
    theme = make_motifs(stream(seed, "theme"), beats_per_bar)
    rng = stream(seed, "lines")
    cues = (lambda _: density), (lambda _: centre)
    melody = write_melody(phrase, chords, theme, *cues, dissonance, None, rng) if has_melody else []
    notes = write_counter(
        phrase, chords, theme, melody, *cues, dissonance, None, rng, compass=(low, low + 30)
    )

    high = min(low + 30, 84)
    assert notes
    assert notes[0].onset_beat >= phrase.onset_beat
    assert (notes[-1].onset_beat == phrase.end_beat) == is_last
    assert all(note.beats > 0.0 and max(low, 43) <= note.key <= high for note in notes)
    for note, following in itertools.pairwise(notes):
        assert note.onset_beat + note.beats <= following.onset_beat + 1e-9
