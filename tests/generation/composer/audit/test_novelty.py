"""Whether the form can be read off the notes."""

from __future__ import annotations

import numpy as np
import pytest

from generation.composer.audit.novelty import KERNEL_BARS, Novelty, novelty_of
from generation.composer.audit.novelty_picture import draw_novelty
from generation.composer.engine import ComposerEngine
from generation.composer.score import Note, Part, Score
from tests.generation.composer.plans import make_plan

ENGINE = ComposerEngine()


def composed(seed: int, duration_s: float = 240.0) -> Score:
    return ENGINE.compose(make_plan([(-0.5, 0.4), (0.1, 0.0), (0.6, -0.4)], duration_s, seed))


@pytest.fixture(scope="module")
def sessions() -> list[Novelty]:
    return [novelty_of(composed(seed)) for seed in range(20, 23)]


def test_novelty_peaks_where_sections_begin(sessions: list[Novelty]) -> None:
    found = sum(novelty.found for novelty in sessions)
    by_chance = sum(novelty.by_chance for novelty in sessions)
    sections = sum(len(novelty.sections) for novelty in sessions)

    # Measured over eight sessions of ten minutes: 158 of 190 sections, 87 by chance.
    assert sections >= 12
    assert found >= 0.6 * sections
    assert found >= 1.3 * by_chance


def test_every_bar_is_like_itself_and_likeness_has_no_direction(sessions: list[Novelty]) -> None:
    for novelty in sessions:
        assert np.diag(novelty.similarity) == pytest.approx(1.0)
        assert novelty.similarity == pytest.approx(novelty.similarity.T)
        assert novelty.curve.max() == pytest.approx(1.0)


def test_a_change_of_chord_and_player_is_the_one_peak_of_a_piece_that_changes_once() -> None:
    like = composed(0, 60.0)
    half_s = like.duration_s / 2
    notes = [
        Note(second + 0.01, 0.9, key, 0.5, Part.FIGURE, "harp" if second < half_s else "piano")
        for second in range(1, int(like.duration_s) - 1)
        for key in ((60, 64, 67) if second < half_s else (61, 65, 68))
    ]

    novelty = novelty_of(Score(like.duration_s, like.sections, like.chords, notes, like.beat_times_s))

    at_s = float(novelty.onsets_s[int(np.argmax(novelty.curve))])
    assert at_s == pytest.approx(half_s, abs=4.0)
    assert [peak for peak in novelty.peaks if novelty.curve[peak] > 0.5] == [int(np.argmax(novelty.curve))]
    assert novelty.curve[KERNEL_BARS // 4] < 0.2


def test_the_picture_names_every_section() -> None:
    score = composed(1, 120.0)

    figure = draw_novelty(score, novelty_of(score), "a title")

    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert len(texts) == len(score.sections)


def test_the_shortest_session_has_a_form_too() -> None:
    novelty = novelty_of(composed(0, 1.0))

    assert novelty.sections == ()
    assert novelty.similarity.shape == (1, 1)
