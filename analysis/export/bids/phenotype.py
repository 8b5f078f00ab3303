"""Rating scales and questionnaires as BIDS phenotype files: one for each instrument, phase and session.

Probes given while the music plays have an onset in it and are events, see `behaviour`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.export.bids.files import described, label, write_json, write_tsv
from analysis.export.content import ExportContent
from analysis.tables.data_dictionary import data_dictionary
from study.instruments import instrument_kind
from study.questionnaire import ItemKind, Text

_REPORT = ("at", "arm", "sequence", "perspective", "missed", "missed_reason", "missed_items", "corrected")
_AFFECT = ("valence", "arousal")
_SHOWN = ("language", "item_order", "untouched_items", "response_time_s")
_ANSWERED = ("at", "arm", "sequence", "probe_at_s", "missed_reason", "corrected", "language", "item_order")

Row = dict[str, Any]


def write_phenotype(content: ExportContent, folder: Path, subjects: Mapping[str, str]) -> None:
    """Every instrument and questionnaire that was answered or missed.

    Args:
        folder: made if there is anything to write.
        subjects: the study's id to BIDS' own.
    """
    _write_scales(content, folder, subjects)
    _write_questionnaires(content, folder, subjects)


def _write_scales(content: ExportContent, folder: Path, subjects: Mapping[str, str]) -> None:
    table = content.tables["self_reports"]
    asked = table[table["probe_at_s"].isna()]
    for (instrument_id, phase), given in asked.groupby(["instrument_id", "phase"], sort=True):
        instrument = content.instruments[str(instrument_id)]
        kind = instrument_kind(instrument.kind)
        rows = [_scale_row(row, subjects) for row in given.to_dict("records")]
        scores = sorted({name for row in rows for name in row if name.startswith("score_")})
        items = [f"item_{item}" for item in kind.items]
        known = [name for name in (*_REPORT, *_AFFECT, *_SHOWN) if name in table.columns]
        columns = ["participant_id", "session_id", *known, *items, *scores]
        sidecar = {
            "MeasurementToolMetadata": {
                "Description": f"{instrument.kind} ({phase}), {instrument.perspective}. {kind.source}"
            },
            **_known(known),
            **{
                f"item_{item}": {
                    "Description": f"Raw answer to {item}, as given.",
                    "Units": scale.name,
                    "Minimum": scale.low,
                    "Maximum": scale.high,
                }
                for item, scale in kind.items.items()
            },
            **{name: {"Description": f"Total {name.removeprefix('score_')}."} for name in scores},
        }
        _write(folder, (str(instrument_id), str(phase)), columns, rows, sidecar)


def _scale_row(row: Mapping[Any, Any], subjects: Mapping[str, str]) -> Row:
    raw = {} if pd.isna(row["responses"]) else json.loads(row["responses"])
    scores = {} if pd.isna(row["scores"]) else json.loads(row["scores"])
    return {
        **{str(name): value for name, value in row.items()},
        "participant_id": subjects[str(row["participant_id"])],
        **{f"item_{item}": float(value) for item, value in raw.items()},
        **{f"score_{name}": float(value) for name, value in scores.items()},
    }


def _write_questionnaires(content: ExportContent, folder: Path, subjects: Mapping[str, str]) -> None:
    table = content.tables["questionnaire_answers"]
    keys = [
        name for name in ("participant_id", "session_id", "sequence", "at", "probe_at_s") if name in table
    ]
    known = [name for name in _ANSWERED if name in table.columns]
    for (questionnaire_id, phase), given in table.groupby(["questionnaire_id", "phase"], sort=True):
        items = list(dict.fromkeys(given["item_id"].astype(str)))
        rows = [
            _answer_row(answered, known, subjects)
            for _, answered in given.groupby(keys, sort=False, dropna=False)
        ]
        sidecar = {
            "MeasurementToolMetadata": {
                "Description": f"Questionnaire {questionnaire_id} of the study ({phase})."
            },
            **_known(known),
            **{f"item_{item}": _about_item(content, str(questionnaire_id), item) for item in items},
        }
        columns = ["participant_id", "session_id", *known, *(f"item_{item}" for item in items)]
        _write(folder, (str(questionnaire_id), str(phase)), columns, rows, sidecar)


def _answer_row(answered: pd.DataFrame, known: list[str], subjects: Mapping[str, str]) -> Row:
    first = answered.iloc[0]
    row: Row = {name: first[name] for name in known}
    row |= {"participant_id": subjects[str(first["participant_id"])], "session_id": first["session_id"]}
    # One row holds all items: it tells that one of them was corrected, the other exports tell which.
    row["corrected"] = bool(answered["corrected"].any())
    for item in answered.to_dict("records"):
        given = [item[name] for name in ("answer_number", "answer_option", "answer_text")]
        row[f"item_{item['item_id']}"] = next((value for value in given if not pd.isna(value)), None)
    return row


def _about_item(content: ExportContent, questionnaire_id: str, item_id: str) -> dict[str, Any]:
    language, asked = content.protocol.languages[0], content.items[questionnaire_id, item_id]
    about: dict[str, Any] = {"Description": _words(asked.text, language)}
    match asked.kind:
        case ItemKind.SCALE:
            about |= {"Minimum": 1, "Maximum": asked.points}
        case ItemKind.CHOICE:
            about["Levels"] = {option: _words(text, language) for option, text in asked.options}
    return about


def _words(text: Text, language: str) -> str:
    """A text in the protocol's first language; in its own first one where an older version lacks that."""
    return text[language] if language in text else next(iter(text.values()))


def _known(names: list[str]) -> dict[str, Any]:
    columns = data_dictionary().columns
    return described(columns[name] for name in ("participant_id", "session_id", *names))


def _write(
    folder: Path, names: tuple[str, str], columns: list[str], rows: list[Row], sidecar: Mapping[str, Any]
) -> None:
    """One file for each session and each time it was asked there: a person may have one row in a file."""
    files: dict[tuple[str, int], list[Row]] = {}
    times: Counter[tuple[str, str]] = Counter()
    for row in rows:
        session = row["session_id"] if isinstance(row["session_id"], str) else ""
        times[row["participant_id"], session] += 1
        files.setdefault((session, times[row["participant_id"], session]), []).append(row)
    repeated = {key[0] for key in files if key[1] > 1}
    for (session, run), mine in files.items():
        parts = [label(name) for name in names]
        if session:
            parts.append(f"ses-{label(session.removeprefix('ses-'))}")
        if session in repeated:
            parts.append(f"run-{run}")
        write_tsv(folder / f"{'_'.join(parts)}.tsv", columns, mine)
        write_json(folder / f"{'_'.join(parts)}.json", sidecar)
