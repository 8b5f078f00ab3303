"""The kit: silent at rest, ghosts first, a groove in every metre, fills at section ends."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from generation.composer.score import Phrase, WrittenNote
from generation.composer.streams import stream
from generation.composer.writing.percussion import CLOSED_HAT as HAT
from generation.composer.writing.percussion import KICK, RIDE, TAP, write_percussion
from tests.generation.composer.writing.test_figures import _phrase


def _kit(
    level: float, groove: float = 0.6, phrase: Phrase | None = None, closes: bool = False, opens: bool = False
) -> list[WrittenNote]:
    return write_percussion(
        phrase or _phrase(), lambda _: level, lambda _: groove, stream(1, "kit"), closes, opens
    )


def test_there_are_no_drums_at_rest_and_ghosts_first() -> None:
    assert _kit(0.0, closes=True, opens=True) == []
    assert max(note.accent for note in _kit(0.2)) < 0.2


def test_each_stroke_grows_without_a_step() -> None:
    levels = np.linspace(0.0, 1.0, 201)
    touches: dict[tuple[float, int], list[float]] = {}
    for level in levels:
        now = {(note.onset_beat, note.key): note.accent for note in _kit(float(level), closes=True)}
        for place in {*touches, *now}:
            touches.setdefault(place, []).append(now.get(place, 0.0))

    assert len(touches) > 40
    for grown in touches.values():
        steps = np.diff([0.0, *grown])
        # A ghost stroke begins at an eighth of its loudness.
        assert steps.max() < 0.09
        assert steps.min() >= 0.0


@pytest.mark.parametrize("beats_per_bar", [2, 3, 4, 5, 6])
def test_every_metre_has_its_downbeat_and_the_bar_repeats(beats_per_bar: int) -> None:
    phrase = _phrase(4, beats_per_bar)
    notes = _kit(0.6, phrase=phrase)
    bars = [
        {
            (round(note.onset_beat - start, 3), note.key)
            for note in notes
            if start <= note.onset_beat < start + beats_per_bar
        }
        for start in (phrase.onset_beat + bar * beats_per_bar for bar in range(4))
    ]

    assert all(bar == bars[0] for bar in bars)
    assert (0.0, KICK) in bars[0]
    assert all(note.onset_beat < phrase.end_beat for note in notes)


def test_a_section_ends_with_a_fill_and_the_next_opens_on_the_ride() -> None:
    phrase = _phrase()
    plain, filled = _kit(0.7), _kit(0.7, closes=True)
    last_beat = phrase.end_beat - 1.0

    def taps(notes: list[WrittenNote]) -> int:
        return sum(note.key == TAP and note.onset_beat >= last_beat for note in notes)

    assert taps(filled) > taps(plain)
    assert [n for n in filled if n.onset_beat < last_beat - 1] == [
        n for n in plain if n.onset_beat < last_beat - 1
    ]
    assert [note.key for note in _kit(0.7, opens=True) if note.onset_beat == 8.0].count(RIDE) == 1
    assert _kit(0.7, phrase=replace(phrase, is_last=True), closes=True) == _kit(0.7)


def test_without_groove_a_bare_pulse_is_left() -> None:
    def loudness(groove: float) -> float:
        notes = _kit(0.8, groove)
        return sum(
            n.accent for n in notes if not (n.key == KICK or (n.key == HAT and n.onset_beat % 1.0 == 0.0))
        )

    heard = [loudness(groove) for groove in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert all(a < b for a, b in itertools.pairwise(heard))
    assert heard[0] < 0.3 * heard[-1]
