"""The picture of a session."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.image import imread

from generation.composer.audit.note_boxes import PART_COLOURS
from generation.composer.audit.piano_roll import draw_piano_roll, write_piano_roll
from generation.composer.engine import ComposerEngine
from generation.composer.score import Part
from study.errors import OutOfRange
from tests.generation.composer.plans import make_plan

PLAN = make_plan([(-0.6, 0.5), (0.6, -0.4)], 40.0)
ENGINE = ComposerEngine()


def test_every_note_of_the_score_is_a_box_at_its_time_and_key() -> None:
    score = ENGINE.compose(PLAN)

    figure = draw_piano_roll(score, ENGINE.curves(PLAN), PLAN.path)

    boxes = [
        np.asarray(path.vertices, dtype=np.float64)
        for axes in figure.axes
        for collection in axes.collections
        if isinstance(collection, PolyCollection)
        for path in collection.get_paths()
    ]
    pitched = [note for note in score.notes if note.part != Part.PERCUSSION]
    drawn = {(round(float(box[0, 0]), 6), round(float(box[:4, 1].mean()), 6)) for box in boxes}
    assert len(boxes) == len(score.notes)
    assert {(round(note.onset_s, 6), float(note.key)) for note in pitched} <= drawn


def test_a_long_session_is_broken_into_systems_and_a_short_one_is_not() -> None:
    heights = []
    for duration_s in (30.0, 200.0):
        plan = make_plan([(-0.6, 0.5), (0.6, -0.4)], duration_s)
        heights.append(
            draw_piano_roll(ENGINE.compose(plan), ENGINE.curves(plan), plan.path).get_size_inches()[1]
        )

    assert heights[1] > heights[0] + 2


def test_the_picture_is_written_and_its_parts_have_their_colours(tmp_path: Path) -> None:
    out = tmp_path / "roll.png"

    write_piano_roll(out, ENGINE.compose(PLAN), ENGINE.curves(PLAN), PLAN.path, "a title")

    picture = (imread(out)[..., :3] * 255).round()
    melody = np.array([int(PART_COLOURS[Part.MELODY][k : k + 2], 16) for k in (1, 3, 5)])
    assert picture.shape[1] == 1650
    assert (np.abs(picture - melody).sum(axis=2) < 6).any()


def test_a_name_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutOfRange, match=r"\.png, \.svg, \.pdf"):
        write_piano_roll(tmp_path / "roll.gif", ENGINE.compose(PLAN), ENGINE.curves(PLAN), PLAN.path, "")
