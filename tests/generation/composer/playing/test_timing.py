"""When each note begins: swing, the theme's lead, human deviations."""

from __future__ import annotations

import numpy as np
import pytest

from generation.composer.playing.timing import human_s, lead_s, pink, swung
from generation.composer.score import Part
from generation.composer.streams import stream


def test_the_second_eighth_is_late_and_no_beat_moves() -> None:
    beats = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 2.0, 2.5])

    late = swung(beats, np.full(7, 0.04)) - beats

    np.testing.assert_allclose(late, [0.0, 0.02, 0.04, 0.02, 0.0, 0.0, 0.04], atol=1e-12)
    np.testing.assert_array_equal(swung(beats, np.zeros(7)), beats)


def test_the_theme_leads_by_twenty_milliseconds() -> None:
    assert lead_s(Part.MELODY) == 0.02
    assert lead_s(Part.BASS) == lead_s(Part.PAD) == lead_s(Part.PERCUSSION) == 0.0


@pytest.mark.parametrize("part", list(Part))
def test_players_stay_within_a_few_hundredths_and_are_not_late_on_the_whole(part: Part) -> None:
    onsets_s = np.linspace(0.0, 2_000.0, 4_000)

    late_s = human_s(onsets_s, part, stream(3, "touch"))

    assert 0.002 < late_s.std() < 0.013
    assert np.abs(late_s).max() < 0.035
    assert abs(late_s.mean()) < 0.5 * late_s.std()


def test_deviations_drift_instead_of_leaping() -> None:
    late_s = human_s(np.linspace(0.0, 2_000.0, 4_000), Part.FIGURE, stream(3, "touch"))
    shuffled = stream(4, "other").permutation(late_s)

    assert np.diff(late_s).std() < 0.85 * np.diff(shuffled).std()


def test_notes_of_one_chord_stay_together() -> None:
    onsets_s = np.repeat(np.arange(500) * 1.0, 3)

    late_s = human_s(onsets_s, Part.PAD, stream(3, "touch")).reshape(500, 3)

    assert np.ptp(late_s, axis=1).mean() < 0.6 * np.ptp(late_s[:, 0].reshape(-1, 4), axis=1).mean()


def test_pink_noise_falls_by_about_three_decibels_an_octave() -> None:
    noise = np.stack([pink(stream(number, "pink"), 256) for number in range(400)])
    power = (np.abs(np.fft.rfft(noise, axis=1)) ** 2).mean(axis=0)

    slope_db = np.polyfit(np.log2(np.arange(4, 100)), 10.0 * np.log10(power[4:100]), 1)[0]

    assert -4.5 < slope_db < -1.5
    assert noise.std() == pytest.approx(1.0, abs=0.1)
