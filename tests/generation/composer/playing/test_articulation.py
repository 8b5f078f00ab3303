"""How long each note sounds: legato and detached, repeated notes, leaps, breaths, the pedal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from generation.composer.playing.articulation import change_moments, lifted_s, sounding_s
from generation.composer.score import Part
from tests.generation.composer.playing.test_dynamics import DOMINANT, TONIC

STEPS = np.array([60.0, 62.0, 64.0, 65.0, 67.0])
HALVES = np.full(5, 0.5)


def sung(
    keys: np.ndarray[tuple[int], np.dtype[np.float64]], articulation: float, contrast: float = 0.0
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    n = len(keys)
    return sounding_s(Part.MELODY, keys, np.full(n, 0.5), np.full(n, articulation), np.full(n, contrast))


def test_a_line_is_bound_or_detached_as_the_cue_says() -> None:
    np.testing.assert_allclose(sung(STEPS, 1.05)[:4], 0.525)
    np.testing.assert_allclose(sung(STEPS, 0.6)[:4], 0.3)


def test_bound_notes_overlap_by_a_few_hundredths_of_a_second_however_slow_they_are() -> None:
    slow = sounding_s(Part.MELODY, STEPS, np.full(5, 4.0), np.full(5, 1.2), np.zeros(5))

    assert slow[:4].max() == pytest.approx(4.06)


def test_a_repeated_note_is_let_go_before_it_is_struck_again() -> None:
    keys = np.array([60.0, 60.0, 62.0, 64.0])

    sounding = sung(keys, 1.05)

    assert sounding[0] == pytest.approx(0.43)
    assert sounding[1] == pytest.approx(0.525)


def test_a_leap_is_parted_and_more_so_in_detached_playing() -> None:
    keys = np.array([60.0, 62.0, 69.0, 67.0, 65.0])

    bound, detached = sung(keys, 1.0), sung(keys, 0.6)

    assert 0.0 < bound[0] - bound[1] < detached[0] - detached[1] < 0.03


def test_a_player_breathes_at_the_end_and_after_long_notes() -> None:
    spans_s = np.array([0.5, 0.5, 1.5, 0.5, 0.5])

    sounding = sounding_s(Part.MELODY, STEPS, spans_s, np.ones(5), np.zeros(5))

    assert spans_s[0] - sounding[0] == 0.0
    assert 0.03 < spans_s[2] - sounding[2] < 0.1
    assert 0.03 < spans_s[4] - sounding[4] < 0.1


def test_the_pedal_is_changed_with_the_harmony() -> None:
    again = replace(TONIC, onset_beat=2.0, pitch_classes=(0, 4, 7, 11))

    assert change_moments([TONIC, again, DOMINANT]) == [0.0, 4.0]
    onsets_s, sounding = np.array([0.0, 3.0, 4.0]), np.array([3.0, 3.0, 3.0])
    np.testing.assert_allclose(lifted_s(onsets_s, sounding, np.array([0.0, 4.0])), [3.0, 1.12, 3.0])
