"""The cue sheet: one row a bar, and every figure in it is the score's, the path's or the cues' own."""

from __future__ import annotations

import csv
import io
import itertools
import json
from dataclasses import fields

import pytest

from generation.composer.audit.bars import BeatClock, bars_of
from generation.composer.audit.cue_sheet import COLUMNS, cue_sheet, cue_sheet_csv, cue_sheet_json
from generation.composer.cues import CueCurves, Cues
from generation.composer.engine import ComposerEngine
from generation.composer.score import Score
from generation.composer.writing.chord_names import chord_name
from study.session import SessionPlan
from tests.generation.composer.plans import make_plan

PLAN = make_plan([(-0.6, 0.5), (0.0, 0.0), (0.6, -0.4)], 120.0)


def music(plan: SessionPlan) -> tuple[Score, CueCurves]:
    engine = ComposerEngine()
    return engine.compose(plan), engine.curves(plan)


@pytest.fixture(scope="module")
def score() -> Score:
    return music(PLAN)[0]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, float | int | str | None]]:
    return cue_sheet(*music(PLAN), PLAN.path)


def test_the_bars_fill_the_session_without_gaps(score: Score) -> None:
    bars = bars_of(score)

    assert bars[0].onset_s == pytest.approx(score.beat_times_s[0])
    assert bars[-1].end_s == score.duration_s
    assert all(before.end_s == pytest.approx(after.onset_s) for before, after in itertools.pairwise(bars))
    assert [bar.number for bar in bars] == list(range(1, len(bars) + 1))
    assert sum(bar.beats for bar in bars[:-1]) == sum(phrase.beats for phrase in score.phrases)


def test_each_row_tells_the_plan_and_every_cue_at_its_onset(
    rows: list[dict[str, float | int | str | None]],
) -> None:
    _, curves = music(PLAN)

    for row in rows:
        at_s = row["onset_s"]
        assert isinstance(at_s, float)
        for field in fields(Cues):
            assert row[f"cue_{field.name}"] == pytest.approx(curves.one(field.name, at_s), abs=0.01)
    assert (rows[0]["valence"], rows[0]["arousal"]) == (-0.6, 0.5)
    assert (rows[-1]["valence"], rows[-1]["arousal"]) == (0.6, -0.4)


def test_each_chord_is_named_in_the_bars_where_it_sounds(
    score: Score, rows: list[dict[str, float | int | str | None]]
) -> None:
    clock = BeatClock(score.beat_times_s)
    onsets_s = [row["onset_s"] for row in rows]

    for chord in (chord for phrase in score.chords for chord in phrase):
        middle_s = clock.second(chord.onset_beat + 0.01)
        row = rows[sum(isinstance(at, float) and at <= middle_s for at in onsets_s) - 1]
        assert chord_name(chord) in str(row["chord_names"]).split(" ")


def test_each_phrase_has_its_cadence_in_the_bar_of_its_last_chord(
    score: Score, rows: list[dict[str, float | int | str | None]]
) -> None:
    told = [(row["phrase"], row["cadence"]) for row in rows if row["cadence"]]

    assert told == [(number, str(phrase.cadence)) for number, phrase in enumerate(score.phrases, 1)]
    assert rows[0]["section"] == "A"


def test_the_csv_and_the_json_hold_the_same_rows(rows: list[dict[str, float | int | str | None]]) -> None:
    read = list(csv.DictReader(io.StringIO(cue_sheet_csv(rows))))
    whole = json.loads(cue_sheet_json(rows, {"seed": 1}))

    assert tuple(read[0]) == COLUMNS
    assert whole["about"] == {"seed": 1}
    assert whole["bars"] == rows
    assert [{name: "" if row[name] is None else str(row[name]) for name in COLUMNS} for row in rows] == read


def test_a_session_of_one_chord_has_one_row() -> None:
    plan = make_plan([(0.2, 0.1)], 1.0)

    (row,) = cue_sheet(*music(plan), plan.path)

    assert (row["bar"], row["section"], row["cadence"]) == (1, None, None)
    assert row["chord_names"]
