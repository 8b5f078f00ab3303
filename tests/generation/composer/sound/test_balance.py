"""Sections with other instruments are not louder or softer than the path asks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from generation.audio import SAMPLE_RATE_HZ
from generation.composer.compose import compose
from generation.composer.cues import CueCurves
from generation.composer.palettes import DEFAULT_PALETTE, INSTRUMENTS, PALETTES
from generation.composer.score import Note, Part
from generation.composer.sound.balance import LevelPlan
from generation.composer.sound.mix import render_score
from generation.composer.sound.sampler import shared_sampler
from generation.composer.sound.strike import Strike
from generation.loudness import block_loudness, integrated_loudness
from tests.generation.composer.plans import Point, make_plan


def _strikes(notes: list[Note]) -> list[Strike]:
    return [
        shared_sampler().strike(
            INSTRUMENTS[note.instrument], note.key, note.duration_s, note.velocity, SAMPLE_RATE_HZ
        )
        for note in notes
    ]


def test_a_mood_that_stays_keeps_its_level_from_section_to_section() -> None:
    plan = make_plan([(0.1, 0.0)], 200.0, 1)
    curves = CueCurves(plan.path)
    score = compose(curves, plan.seed, PALETTES[DEFAULT_PALETTE])

    sound = render_score(score, curves, shared_sampler(), lambda _: None)

    power = 10.0 ** (block_loudness(sound, SAMPLE_RATE_HZ)[50:-120] / 10.0)
    slow_db = 10.0 * np.log10(gaussian_filter1d(power, 50))
    assert slow_db.std() < 0.8


@pytest.mark.parametrize("palette", ["chamber", "ambient"])
@pytest.mark.parametrize("points", [[(-0.6, 0.5), (0.0, 0.0), (0.6, -0.4)], [(0.0, 0.8)], [(-0.4, -0.8)]])
def test_a_session_is_near_the_level_of_its_path_before_mastering(palette: str, points: list[Point]) -> None:
    plan = make_plan(points, 30.0, 4)
    curves = CueCurves(plan.path)
    score = compose(curves, plan.seed, PALETTES[palette])

    sound = render_score(score, curves, shared_sampler(), lambda _: None)

    loudness = integrated_loudness(sound, SAMPLE_RATE_HZ)
    assert loudness is not None
    assert abs(loudness - LevelPlan(curves).wanted_lufs(0.0, 30.0)) < 1.5


def test_a_mood_in_the_middle_is_at_minus_23_lufs_and_others_keep_their_own_level() -> None:
    calm, middle, lively = (
        LevelPlan(CueCurves(make_plan([(0.0, arousal)], 30.0).path)).wanted_lufs(0.0, 30.0)
        for arousal in (-0.8, 0.0, 0.8)
    )

    assert middle == pytest.approx(-23.0, abs=1e-6)
    assert 1.5 < middle - calm < 3.0
    assert 1.5 < lively - middle < 3.0


def test_a_sections_gains_bring_its_notes_to_the_level_that_the_path_asks_for() -> None:
    curves = CueCurves(make_plan([(-0.6, 0.6), (0.6, -0.6)], 60.0).path)
    score = compose(curves, 3, PALETTES[DEFAULT_PALETTE])
    notes = [note for note in score.notes if 10.0 < note.onset_s < 14.0]
    plan = LevelPlan(curves)

    gains_db = 20.0 * np.log10(plan.gains(notes, _strikes(notes)))
    end_s = max(note.onset_s + note.duration_s for note in notes)

    wanted = plan.wanted_lufs(notes[0].onset_s, end_s)
    assert np.ptp(gains_db) == pytest.approx(0.0)
    assert plan.estimated_lufs(notes, _strikes(notes)) + gains_db[0] == pytest.approx(wanted, abs=0.01)


def test_a_section_leans_with_the_path_and_a_flat_one_does_not_step() -> None:
    curves = CueCurves(make_plan([(0.0, 0.8), (0.0, -0.8)], 40.0).path)
    even = [Note(0.5 * k, 0.4, 60, 0.5, Part.MELODY, "piano") for k in range(80)]

    gains_db = 20.0 * np.log10(LevelPlan(curves).gains(even, _strikes(even)))

    # Equal notes, and a path that falls by four decibels and more: half of it in each half.
    assert np.all(np.diff(gains_db) < 0.0)
    assert np.abs(np.diff(gains_db)).max() < 0.1


def test_the_path_asks_for_more_level_where_arousal_is_higher() -> None:
    plan = LevelPlan(CueCurves(make_plan([(0.0, 0.8), (0.0, -0.8)], 60.0).path))

    assert 3.0 < plan.wanted_lufs(5.0, 20.0) - plan.wanted_lufs(40.0, 55.0) < 6.5
