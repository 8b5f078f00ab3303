"""Brightness does not depend on who plays."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from generation.audio import SAMPLE_RATE_HZ
from generation.composer.cues import CueCurves
from generation.composer.palettes import INSTRUMENTS
from generation.composer.score import Note, Part
from generation.composer.sound.sampler import shared_sampler
from generation.composer.sound.strike import Strike
from generation.composer.sound.tint import (
    BRIGHTEST,
    DARKEST,
    USUAL_HZ,
    Tints,
    section_centre_hz,
    tint_of,
    wanted_hz,
)
from tests.generation.composer.plans import make_plan


def curves_at(arousal: float) -> CueCurves:
    return CueCurves(make_plan([(0.0, arousal)], 30.0).path)


def notes_on(instrument: str, key: int, part: Part = Part.MELODY) -> list[Note]:
    step = 0 if part is Part.PERCUSSION else 1
    return [Note(float(k), 0.9, key + k * step, 0.5, part, instrument) for k in range(4)]


def strikes_of(notes: list[Note]) -> list[Strike]:
    sampler = shared_sampler()
    return [
        sampler.strike(INSTRUMENTS[n.instrument], n.key, n.duration_s, n.velocity, SAMPLE_RATE_HZ)
        for n in notes
    ]


def centres_hz(notes: list[Note], arousal: float) -> tuple[float, float]:
    """As played, and through the shelf that the section gets."""
    curves, strikes = curves_at(arousal), strikes_of(notes)
    shelf = tint_of(notes, strikes, curves) * curves.one("brightness", 1.0)
    before, after = section_centre_hz(notes, strikes), section_centre_hz(notes, strikes, shelf)
    assert before is not None
    assert after is not None
    return before, after


def test_a_bright_instrument_is_turned_down_and_a_mellow_one_up_to_the_same_brightness() -> None:
    piano, triangle = (
        centres_hz(notes, 0.0) for notes in (notes_on("piano", 50), notes_on("triangle lead", 67))
    )

    assert piano[0] > 1.15 * USUAL_HZ
    assert triangle[0] < 0.9 * USUAL_HZ
    assert piano[1] == pytest.approx(USUAL_HZ, rel=0.01)
    assert triangle[1] == pytest.approx(USUAL_HZ, rel=0.02)


def test_the_same_notes_are_brighter_the_higher_the_arousal() -> None:
    notes = notes_on("piano", 50)

    heard = [centres_hz(notes, arousal)[1] for arousal in (-0.6, -0.3, 0.0, 0.3, 0.6)]

    wanted = [wanted_hz(curves_at(arousal).one("brightness", 1.0)) for arousal in (-0.6, -0.3, 0.0, 0.3, 0.6)]
    assert heard == pytest.approx(wanted, rel=0.01)
    assert all(later > 1.05 * earlier for earlier, later in pairwise(heard))


def test_the_shelf_has_its_limits_and_drums_do_not_count() -> None:
    curves = curves_at(0.0)
    bass, oboe = notes_on("bass", 30), notes_on("oboe", 84)
    drums = notes_on("brushes", 42, Part.PERCUSSION)

    assert tint_of(bass, strikes_of(bass), curves) == pytest.approx(BRIGHTEST)
    assert tint_of(oboe, strikes_of(oboe), curves) == pytest.approx(DARKEST)
    assert tint_of(drums, strikes_of(drums), curves) == 1.0
    both = sorted([*notes_on("clarinet", 67), *drums])
    alone = notes_on("clarinet", 67)
    assert tint_of(both, strikes_of(both), curves) == pytest.approx(tint_of(alone, strikes_of(alone), curves))


def test_a_section_takes_over_without_a_step() -> None:
    tints = Tints()
    tints.add(0.1, 0.5)
    before = tints.at(20.0)
    tints.add(20.0, 1.5)

    moments = [tints.at(moment_s) for moment_s in np.linspace(18.0, 24.0, 121).tolist()]

    assert before == moments[0] == 0.5
    assert moments[-1] == 1.5
    assert max(abs(b - a) for a, b in pairwise(moments)) < 0.03
    assert Tints().at(3.0) == 1.0
