"""What `isopath hear` found, as tables for people, and as JSON and CSV for scripts."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from analysis.mer.bands import Bands, PredictorBands
from analysis.mer.comparison import HeardMean, HeardRow
from analysis.mer.files import HeardFile
from analysis.mer.predictor import PERSPECTIVE, AffectPredictor, AffectSeries
from dashboards.cli.progress import clock
from dashboards.cli.sound_batch import shown_path
from study.canonical import plain
from study.errors import AudioError

NO_BANDS = "No bands: no rated audio was given (isopath bands calibrates them on a lab's own)."
_FOREIGN = 0.5
_FULL_RATE_HZ = 16_000
_WIDTH = 120
_CSV_COLUMNS = (
    "file",
    "predictor",
    "version",
    "onset_s",
    "duration_s",
    "valence_pred",
    "arousal_pred",
    "valence_spread",
    "arousal_spread",
    "domain_distance",
    "is_foreign",
)


def print_heard(
    predictors: Sequence[AffectPredictor], heard: Sequence[HeardFile], row_s: float, bands: Bands | None
) -> None:
    """One file: a table of its rows; several: a row for each. Then what must be known to read it."""
    if not heard:
        return
    console = Console(highlight=False)
    # A pipe has no width: what reads it gets whole lines.
    console = console if console.is_terminal else Console(highlight=False, width=_WIDTH)
    names = [one.card.name for one in predictors]
    widths = {one.card.name: bands.for_card(one.card) if bands else None for one in predictors}
    if len(heard) == 1:
        console.print(shown_path(heard[0].path), markup=False, soft_wrap=True)
        console.print(_table_of_rows(heard[0], names, row_s, widths))
    else:
        folder = _shared_folder(heard)
        if folder is not None:
            console.print(f"in {shown_path(folder)}:", markup=False, soft_wrap=True)
        console.print(_table_of_files(heard, folder, names, widths))
    for sentence in _sentences(predictors, heard, bands):
        console.print(sentence, style="dim", markup=False, soft_wrap=True)


def _table_of_rows(
    file: HeardFile, names: Sequence[str], row_s: float, bands: Mapping[str, PredictorBands | None]
) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_footer=True, pad_edge=False)
    table.add_column("\ntime", footer=f"whole, {clock(file.duration_s)}", no_wrap=True)
    footer = _cells(file.whole, names, bands)
    for head, foot in zip(_heads(names), footer, strict=True):
        table.add_column(head, footer=foot, justify="right", no_wrap=True)
    for row in file.rows(row_s):
        span = f"{clock(row.onset_s)} – {clock(row.onset_s + row.duration_s)}"
        table.add_row(span, *_cells(row, names, {}))
    return table


def _shared_folder(heard: Sequence[HeardFile]) -> Path | None:
    shared = os.path.commonpath([file.path.absolute().parent for file in heard])
    found = Path(shared)
    return None if found == Path(found.anchor) else found


def _table_of_files(
    heard: Sequence[HeardFile],
    folder: Path | None,
    names: Sequence[str],
    bands: Mapping[str, PredictorBands | None],
) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("\nfile", overflow="fold")
    table.add_column("\nlength", justify="right", no_wrap=True)
    for head in _heads(names):
        table.add_column(head, justify="right", no_wrap=True)
    for file in heard:
        path = file.path if folder is None else file.path.absolute().relative_to(folder)
        table.add_row(escape(shown_path(path)), clock(file.duration_s), *_cells(file.whole, names, bands))
    return table


def _heads(names: Sequence[str]) -> list[str]:
    heads = [f"{name}\n{axis}" for name in names for axis in ("valence", "arousal")]
    return heads + (["differ\nvalence", "differ\narousal"] if len(names) > 1 else [])


def _cells(row: HeardRow, names: Sequence[str], bands: Mapping[str, PredictorBands | None]) -> list[str]:
    cells = []
    for name in names:
        cells += _mean_cells(row.by.get(name), bands.get(name))
    if len(names) > 1:
        cells += [
            "–" if value is None else f"{value:.2f}"
            for value in (row.valence_disagreement, row.arousal_disagreement)
        ]
    return cells


def _mean_cells(mean: HeardMean | None, bands: PredictorBands | None) -> list[str]:
    if mean is None:
        return ["–", "–"]
    star = "*" if (mean.foreign_share or 0.0) > _FOREIGN else ""
    reaches = ["", ""]
    if bands is not None:
        reaches = [f" ±{axis.half_width:.2f}" for axis in (bands.valence, bands.arousal)]
    return [
        f"{value:+.2f}{reach}{star}"
        for value, reach in zip((mean.valence_pred, mean.arousal_pred), reaches, strict=True)
    ]


def _sentences(
    predictors: Sequence[AffectPredictor], heard: Sequence[HeardFile], bands: Bands | None
) -> list[str]:
    told = []
    if len(predictors) > 1:
        told.append("Differ: the largest minus the smallest of the predictors, which are never averaged.")
    for predictor in predictors:
        card = predictor.card
        told.append(f"{card.name} {card.version}. " + " ".join(card.limits))
        told += _foreign_sentence(card.name, [file.series[card.name] for file in heard])
        n_silent = sum(file.n_silent[card.name] for file in heard)
        if n_silent:
            told.append(f"{card.name}: {n_silent} silent window{'s' * (n_silent != 1)} left out.")
    return [*told, *_sound_sentences(heard), *band_sentences(bands)]


def _sound_sentences(heard: Sequence[HeardFile]) -> list[str]:
    """What was done to a sound, or is missing from it."""
    told = []
    for file in heard:
        name = shown_path(file.path.name)
        if file.sample_rate_hz < _FULL_RATE_HZ:
            told.append(
                f"{name}: sampled at {file.sample_rate_hz:,} Hz, so nothing above"
                f" {file.sample_rate_hz // 2:,} Hz is in it; the predictors were made for sound up to"
                f" {_FULL_RATE_HZ // 2:,} Hz."
            )
        if file.offset:
            told.append(f"{name}: a constant offset of {file.offset:+.3f} was taken off its samples.")
    return told


def _foreign_sentence(name: str, series: Sequence[AffectSeries]) -> list[str]:
    known = [one.is_foreign for one in series if one.is_foreign is not None]
    n_foreign, n = sum(int(one.sum()) for one in known), sum(len(one) for one in known)
    if not n_foreign:
        return []
    return [
        f"{name}: {n_foreign} of {n} windows ({100 * n_foreign / n:.0f} %) sound unlike the music it was"
        " calibrated on; what it says there is a guess. * marks where most of them do."
    ]


def band_sentences(bands: Bands | None) -> list[str]:
    """What bands promise and how they held; or that there are none."""
    if bands is None:
        return [NO_BANDS]
    percent = f"{100 * bands.level:g} %"
    told = [
        f"±: with a probability of {percent} or more, listeners' mean rating of the whole of a track like"
        f" those rated ({bands.shortest_s:.0f} to {bands.longest_s:.0f} s long) lies inside, each axis by"
        " itself; it says nothing of single rows."
    ]
    for one in bands.of:
        axes = [
            f"{name} ±{axis.half_width:.2f} held for {100 * axis.coverage:.0f} %"
            f" [{100 * axis.ci_low:.0f}, {100 * axis.ci_high:.0f}]"
            for name, axis in (("valence", one.valence), ("arousal", one.arousal))
        ]
        told.append(
            f"{one.predictor} {one.version}, calibrated on {one.n_calibrated} rated tracks:"
            f" {' and '.join(axes)} of {one.n_held_out} others."
        )
    return told


def written_json(
    predictors: Sequence[AffectPredictor],
    heard: Sequence[HeardFile],
    refused: Sequence[AudioError],
    row_s: float,
    bands: Bands | None,
) -> str:
    """Cards; per file its rows and each predictor's windows; what was refused. NaN never."""
    facts = {
        "perspective": PERSPECTIVE,
        "row_s": row_s,
        "predictors": {one.card.name: plain(one.card) for one in predictors},
        "bands": plain(bands),
        "files": [
            {
                "file": str(file.path),
                "duration_s": file.duration_s,
                "whole": plain(file.whole),
                "rows": plain(file.rows(row_s)),
                "windows": {name: _windows(series) for name, series in file.series.items()},
                "n_silent": dict(file.n_silent),
                "sample_rate_hz": file.sample_rate_hz,
                "offset": file.offset,
            }
            for file in heard
        ],
        "refused": [{"file": r.where, "problem": r.problem, "remedy": r.remedy} for r in refused],
    }
    text = json.dumps(facts, ensure_ascii=False, allow_nan=False)
    # A name's bytes that are no UTF-8 are kept, as JSON's own escapes.
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text)


def _windows(series: AffectSeries) -> dict[str, Any]:
    distance = series.domain_distance
    return {
        "window_s": series.window_s,
        "onset_s": series.onset_s.tolist(),
        "valence_pred": series.valence_pred.tolist(),
        "arousal_pred": series.arousal_pred.tolist(),
        "valence_spread": series.spread[:, 0].tolist(),
        "arousal_spread": series.spread[:, 1].tolist(),
        "domain_distance": None if distance is None else distance.tolist(),
    }


def written_csv(heard: Sequence[HeardFile]) -> bytes:
    """One line for each window of each predictor; an empty cell is what a predictor cannot tell."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_CSV_COLUMNS)
    for file in heard:
        for name, series in file.series.items():
            distance, is_foreign = series.domain_distance, series.is_foreign
            for number, onset_s in enumerate(series.onset_s.tolist()):
                rows.writerow(
                    [
                        str(file.path),
                        name,
                        series.card.version,
                        f"{onset_s:.6g}",
                        f"{series.window_s:.6g}",
                        f"{series.valence_pred[number]:.6f}",
                        f"{series.arousal_pred[number]:.6f}",
                        f"{series.spread[number, 0]:.6f}",
                        f"{series.spread[number, 1]:.6f}",
                        "" if distance is None else f"{distance[number]:.4f}",
                        "" if is_foreign is None else int(is_foreign[number]),
                    ]
                )
    # The very bytes of a name, whatever they are.
    return text.getvalue().encode("utf-8", "surrogateescape")
