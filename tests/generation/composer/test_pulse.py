"""The beat: along the tempo cue, arched over each phrase, never adrift, and slowing at the end."""

from __future__ import annotations

import numpy as np
import pytest

from generation.composer.cues import CueCurves
from generation.composer.pulse import Pulse
from generation.composer.score import Cadence, Phrase, PhraseKind
from tests.generation.composer.plans import Point, make_plan


def phrases_of(count: int, bars: int = 4, beats_per_bar: int = 4) -> list[Phrase]:
    return [
        Phrase(
            onset_beat=float(number * bars * beats_per_bar),
            bars=bars,
            beats_per_bar=beats_per_bar,
            kind=PhraseKind.ANTECEDENT,
            theme=0,
            variant=0,
            section=0,
            texture=0,
            melody_rests=False,
            tonic=0,
            next_tonic=0,
            mode=4,
            cadence=Cadence.HALF,
        )
        for number in range(count)
    ]


def pulse_of(points: list[Point], duration_s: float) -> Pulse:
    return Pulse(CueCurves(make_plan(points, duration_s).path), 0.15, duration_s - 7.5)


def test_the_tempo_is_the_cue_until_it_broadens_before_the_final_chord() -> None:
    pulse = pulse_of([(0.0, 0.0)], 120.0)

    pace_s = np.diff(pulse.seconds(np.arange(int(pulse.natural_beats) + 1.0)))

    np.testing.assert_allclose(pace_s[:100], 60.0 / 83.0, rtol=1e-6)
    assert (np.diff(pace_s[-7:]) > 0).all()
    assert 1.3 < pace_s[-1] / pace_s[0] < 1.7


def test_the_final_chord_falls_on_the_beat_it_is_fitted_to() -> None:
    pulse = pulse_of([(-0.5, 0.6), (0.5, -0.6)], 120.0)
    beats = round(pulse.natural_beats) + 2

    pulse.fit(beats)

    assert pulse.second(float(beats)) == pytest.approx(pulse.final_s, abs=1e-6)
    assert pulse.second(0.0) == pytest.approx(pulse.first_s, abs=1e-6)


def test_a_phrase_that_breathes_begins_and_ends_where_it_did() -> None:
    pulse = pulse_of([(0.3, -0.6), (0.3, 0.6)], 180.0)
    phrases = phrases_of(10)
    edges = np.array([phrase.onset_beat for phrase in phrases] + [phrases[-1].end_beat])
    inside = edges[:-1, None] + np.linspace(0.0, 16.0, 65)[None, :]
    strict_edges, strict = pulse.seconds(edges), pulse.seconds(inside)

    pulse.breathe(phrases)

    np.testing.assert_allclose(pulse.seconds(edges), strict_edges, atol=0.002)
    sway = np.abs(pulse.seconds(inside) - strict).max(axis=1)
    assert (sway > 0.02).all()
    assert (sway < 0.12).all()


def test_phrases_are_broader_at_their_ends_and_more_so_in_calm_music() -> None:
    def depth(arousal: float) -> float:
        pulse = pulse_of([(0.0, arousal)], 120.0)
        pulse.breathe(phrases_of(4))
        pace_s = np.diff(pulse.seconds(np.arange(17.0)))
        assert pace_s[0] > pace_s[4] > pace_s[7]
        assert pace_s[15] > pace_s[11] > pace_s[8]
        return float(pace_s[0] / pace_s[7])

    # The arch cue is 1.36 at -.6 and .64 at .6; ε is .035 times that.
    assert depth(-0.6) == pytest.approx(1.0 + 2 * 0.035 * 1.36, abs=0.01)
    assert depth(0.6) == pytest.approx(1.0 + 2 * 0.035 * 0.64, abs=0.01)


def test_the_tempo_never_jumps_from_one_beat_to_the_next() -> None:
    pulse = pulse_of([(-0.9, 0.9), (0.9, -0.9), (-0.9, 0.9)], 180.0)
    pulse.breathe(phrases_of(12))

    tempo = 30.0 / np.diff(pulse.seconds(np.arange(0.0, 12 * 16.0, 0.5)))

    assert np.ptp(np.log2(tempo)) > 1.0
    assert np.abs(np.diff(np.log2(tempo))).max() < 0.03


def test_one_beat_is_read_as_many_are() -> None:
    pulse = pulse_of([(-0.9, 0.9), (0.9, -0.9)], 60.0)
    pulse.breathe(phrases_of(3))
    beats = np.concatenate([[0.0], np.linspace(0.01, pulse.natural_beats + 4.0, 200)])

    one_by_one = [pulse.second(beat) for beat in beats.tolist()]

    np.testing.assert_allclose(one_by_one, pulse.seconds(beats), atol=2e-9)
    assert (np.diff(one_by_one) > 0).all()


@pytest.mark.parametrize("duration_s", [0.2, 1.0, 3.0])
def test_a_session_of_a_second_has_a_beat_too(duration_s: float) -> None:
    curves = CueCurves(make_plan([(0.0, 0.0)], duration_s).path)

    pulse = Pulse(curves, 0.03 * duration_s, 0.55 * duration_s)

    assert np.isfinite(pulse.seconds(np.arange(4.0))).all()
    assert pulse.natural_beats > 0.0
