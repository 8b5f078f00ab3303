"""The cue sheet: what was meant and what was written, bar by bar."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np

from generation.composer.audit.bars import Bar, bars_of
from generation.composer.audit.key_names import mode_name, section_name
from generation.composer.cues import CueCurves, Cues
from generation.composer.score import Chord, Score
from generation.composer.writing.chord_names import chord_name, key_name
from study.path import AffectPath

Value = float | int | str | None

CUE_COLUMNS = tuple(f"cue_{field.name}" for field in fields(Cues))
"""Each cue in its own unit (`cues.Cues`), at the bar's onset."""

COLUMNS = (
    "bar",
    "onset_s",
    "duration_s",
    "beats",
    "section",
    "section_kind",
    "phrase",
    "phrase_kind",
    "key",
    "mode",
    "chords",
    "chord_names",
    "cadence",
    "valence",
    "arousal",
    *CUE_COLUMNS,
)
"""In the order of the CSV. Chords of one bar are separated by a space; a bar without a cadence has none."""

_S_DIGITS = 3
_CUE_DIGITS = 4


def cue_sheet(score: Score, curves: CueCurves, path: AffectPath) -> list[dict[str, Value]]:
    """One row a bar, columns as `COLUMNS`.

    Valence and arousal are the path's at the bar's onset; the cues follow the path smoothed over a phrase.
    Keys and modes are those that the bar's first chord is written in. Numbers are rounded (onsets to 1 ms,
    cues to 4 decimals), so that the sheet is the same on any machine.

    Args:
        curves: the session's cues.
        path: its planned affect.

    Raises:
        OutOfRange: the path has no planned affect.
    """
    bars = bars_of(score)
    onsets_s = np.array([bar.onset_s for bar in bars])
    planned = path.affect_at(onsets_s)
    cues = curves.at(onsets_s)
    columns = [np.asarray(getattr(cues, field.name)) for field in fields(Cues)]
    phrases = {phrase: number for number, phrase in enumerate(score.phrases, 1)}
    return [
        {
            **_written(bar, phrases[bar.phrase] if bar.phrase else None),
            "valence": _rounded(planned[index, 0], _CUE_DIGITS),
            "arousal": _rounded(planned[index, 1], _CUE_DIGITS),
            **{
                name: _rounded(column[index], _CUE_DIGITS)
                for name, column in zip(CUE_COLUMNS, columns, strict=True)
            },
        }
        for index, bar in enumerate(bars)
    ]


def cue_sheet_csv(rows: Sequence[Mapping[str, Value]]) -> str:
    """The rows as CSV with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def cue_sheet_json(rows: Sequence[Mapping[str, Value]], about: Mapping[str, object]) -> str:
    """The rows as JSON: ``{"about": …, "bars": […]}``.

    Args:
        about: version, seed, palette and whatever else the reader should know.
    """
    return json.dumps({"about": dict(about), "bars": list(rows)}, ensure_ascii=False, indent=1) + "\n"


def _written(bar: Bar, phrase_number: int | None) -> dict[str, Value]:
    first = bar.chords[0]
    return {
        "bar": bar.number,
        "onset_s": _rounded(bar.onset_s, _S_DIGITS),
        "duration_s": _rounded(bar.end_s - bar.onset_s, _S_DIGITS),
        "beats": round(bar.beats, 6),
        "section": section_name(bar.section) if bar.section else None,
        "section_kind": str(bar.section.kind) if bar.section else None,
        "phrase": phrase_number,
        "phrase_kind": str(bar.phrase.kind) if bar.phrase else None,
        "key": key_name(first.tonic, first.mode),
        "mode": mode_name(first.mode),
        "chords": " ".join(_roman(chord) for chord in bar.chords),
        "chord_names": " ".join(chord_name(chord) for chord in bar.chords),
        "cadence": str(bar.cadence) if bar.cadence else None,
    }


def _roman(chord: Chord) -> str:
    return chord.roman or "?"


def _rounded(value: float, digits: int) -> float:
    # Adding 0 makes no difference between 0 and -0.
    return round(float(value), digits) + 0.0
