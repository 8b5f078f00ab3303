"""Articulation follows the share of its time that a note is held."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.mer.cues.articulation import LEGATO, articulation_ratio
from analysis.mer.cues.events import hear_events
from tests.analysis.mer.controlled_audio import Knobs
from tests.analysis.mer.cues.one_window import RATE_HZ, sine, window_of, window_with


def _ratio(knobs: Knobs) -> float:
    return articulation_ratio(hear_events(window_with(knobs)))


@pytest.mark.parametrize("instrument", ["piano", "electric piano", "guitar"])
@pytest.mark.parametrize("held", [0.25, 0.5, 0.75, 1.0])
def test_struck_notes_are_heard_for_the_share_they_are_held(instrument: str, held: float) -> None:
    heard = _ratio(Knobs(instrument=instrument, articulation=held, duration_s=12.0))

    assert heard == pytest.approx(held, abs=0.1)


@pytest.mark.parametrize(("instrument", "notes_per_s"), [("harp", 2.0), ("strings", 1.2)])
def test_notes_with_a_long_release_keep_their_order(instrument: str, notes_per_s: float) -> None:
    heard = [
        _ratio(Knobs(instrument=instrument, articulation=held, notes_per_s=notes_per_s))
        for held in (0.25, 0.5, 1.0)
    ]

    assert heard[0] + 0.1 < heard[1]
    assert heard[1] + 0.1 < heard[2]


def test_an_accompaniment_does_not_fill_the_gaps() -> None:
    detached = window_with(Knobs(articulation=0.25, duration_s=12.0)).samples
    drone = sine(55.0, 0.2) + sine(110.0, 0.1)

    heard = articulation_ratio(hear_events(window_of(detached + drone)))

    assert heard == pytest.approx(0.25, abs=0.15)


def test_it_does_not_follow_the_gain() -> None:
    softer, louder = (_ratio(Knobs(articulation=0.5, gain_db=gain)) for gain in (-20.0, 0.0))

    assert softer == pytest.approx(louder, abs=0.02)


def test_what_has_no_second_note_is_legato() -> None:
    held = np.concatenate([np.zeros(RATE_HZ, dtype=np.float32), sine(440.0, 0.2, 11.0)])

    assert articulation_ratio(hear_events(window_of(held))) == LEGATO
