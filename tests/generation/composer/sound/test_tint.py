"""Brightness does not depend on who plays."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from generation.audio import SAMPLE_RATE_HZ
from generation.composer.palettes import INSTRUMENTS
from generation.composer.score import Note, Part
from generation.composer.sound.sampler import shared_sampler
from generation.composer.sound.strike import Strike
from generation.composer.sound.tint import LARGEST_DB, USUAL_DB, Tints, ratio_db, tint_of


def notes_on(instrument: str, key: int, part: Part = Part.MELODY) -> list[Note]:
    step = 0 if part is Part.PERCUSSION else 1
    return [Note(float(k), 0.9, key + k * step, 0.5, part, instrument) for k in range(4)]


def strikes_of(notes: list[Note]) -> list[Strike]:
    sampler = shared_sampler()
    return [
        sampler.strike(INSTRUMENTS[n.instrument], n.key, n.duration_s, n.velocity, SAMPLE_RATE_HZ)
        for n in notes
    ]


def test_a_bright_instrument_is_turned_down_and_a_mellow_one_up() -> None:
    violin, piano = notes_on("violin", 78), notes_on("piano", 50)
    found = [ratio_db(notes, strikes_of(notes)) for notes in (violin, piano)]
    tints = [tint_of(notes, strikes_of(notes)) for notes in (violin, piano)]

    assert found[0] is not None
    assert found[1] is not None
    assert found[0] > USUAL_DB > found[1]
    assert tints[0] < 1.0 < tints[1]
    after = [ratio + 20.0 * np.log10(tint) for ratio, tint in zip(found, tints, strict=True) if ratio]
    assert abs(after[0] - after[1]) < 0.6 * abs(found[0] - found[1])


def test_no_section_is_tinted_beyond_the_limit_and_drums_do_not_count() -> None:
    bass, drums = notes_on("bass", 30), notes_on("brushes", 42, Part.PERCUSSION)

    assert tint_of(bass, strikes_of(bass)) == pytest.approx(10.0 ** (LARGEST_DB / 20.0))
    assert tint_of(drums, strikes_of(drums)) == 1.0
    both = sorted([*bass, *drums])
    assert tint_of(both, strikes_of(both)) == pytest.approx(tint_of(bass, strikes_of(bass)))


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
