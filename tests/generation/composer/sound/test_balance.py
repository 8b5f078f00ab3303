"""Sections with other instruments are not louder or softer than the path asks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from generation.audio import SAMPLE_RATE_HZ
from generation.composer.compose import compose
from generation.composer.cues import CueCurves
from generation.composer.engine import ComposerEngine
from generation.composer.palettes import DEFAULT_PALETTE, PALETTES
from generation.composer.sound.balance import LARGEST_DB, balance_gains
from generation.composer.sound.sampler import shared_sampler
from generation.loudness import block_loudness
from tests.generation.composer.plans import make_plan


@pytest.mark.parametrize("seed", [1, 2])
def test_a_mood_that_stays_keeps_its_level_from_section_to_section(seed: int) -> None:
    plan = make_plan([(0.1, 0.0)], 600.0, seed)

    sound = next(iter(ComposerEngine().generate([plan], lambda _: None))).samples

    power = 10.0 ** (block_loudness(sound, SAMPLE_RATE_HZ)[50:-90] / 10.0)
    slow_db = 10.0 * np.log10(gaussian_filter1d(power, 50))
    # Measured: .36 and .34 LU; without the balance .67 and .76. Ten minutes, because
    # the few sections of a shorter piece can be alike by chance.
    assert slow_db.std() < 0.5


def test_gains_are_bounded_and_one_for_all_notes_of_a_section() -> None:
    plan = make_plan([(-0.6, 0.6), (0.6, -0.6)], 180.0)
    curves = CueCurves(plan.path)
    score = compose(curves, plan.seed, PALETTES[DEFAULT_PALETTE])

    gains_db = 20.0 * np.log10(balance_gains(score, curves, shared_sampler()))

    assert len(gains_db) == len(score.notes)
    assert np.abs(gains_db).max() <= LARGEST_DB + 1e-9
    sections = len({phrase.section for phrase in score.phrases})
    assert 1 < len(np.unique(gains_db.round(9))) <= sections


def test_a_session_of_one_section_is_left_as_it_is() -> None:
    plan = make_plan([(0.2, 0.2)], 12.0)
    curves = CueCurves(plan.path)
    score = compose(curves, plan.seed, PALETTES[DEFAULT_PALETTE])

    assert (balance_gains(score, curves, shared_sampler()) == 1.0).all()
