"""Rows of QS: one for each item of a rating scale or questionnaire, and one for each total."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.export.cdisc.codes import ShortNames
from analysis.export.cdisc.people import FOLLOW_UP, TREATMENT, Row, Rows, present, stamp, subject_id, visit
from analysis.export.content import ExportContent
from study.instruments import instrument_kind

_EPOCHS: Mapping[str, str] = {"baseline": "BASELINE", "follow_up": FOLLOW_UP}
_ON_CIRCUMPLEX = "UNIT [-1, 1]"


def questionnaires(content: ExportContent) -> Rows:
    """Items of rating scales and questionnaires in the order in which they were recorded, by person.

    QSORRES is the answer as it was given. QSSTRESN of valence and arousal is their value on the circumplex
    in [-1, 1], of other numbers the number itself.
    """
    names = ShortNames()
    rows = [*_scales(content, names), *_questions(content, names)]
    order = {str(who): place for place, who in enumerate(content.tables["participants"]["participant_id"])}
    return sorted(rows, key=lambda row: (order[row.pop("_who")], str(row["QSDTC"]), row["QSTPTNUM"] or 0.0))


def _scales(content: ExportContent, names: ShortNames) -> Rows:
    rows: Rows = []
    for report in content.tables["self_reports"].to_dict("records"):
        kind = instrument_kind(content.instruments[report["instrument_id"]].kind)
        about = _assessed(content, report, str(report["instrument_id"]))
        raw = {} if pd.isna(report["responses"]) else json.loads(report["responses"])
        scores = {} if pd.isna(report["scores"]) else json.loads(report["scores"])
        for item, scale in kind.items.items():
            code = _code(names, f"{kind.kind}.{item}", item)
            if item not in raw:
                rows.append(about | code | _not_done(report["missed_reason"]))
                continue
            felt = item if kind.affect_items is not None and item in kind.affect_items else None
            value = present(report[felt]) if felt else raw[item]
            unit = _ON_CIRCUMPLEX if felt else scale.name
            rows.append(about | code | _answered(raw[item], scale.name, value, unit))
        for name, total in scores.items():
            code = _code(names, f"{kind.kind}.{name}", name)
            rows.append(about | code | _answered(total, None, total, None) | {"QSDRVFL": "Y"})
    return rows


def _questions(content: ExportContent, names: ShortNames) -> Rows:
    rows: Rows = []
    for answer in content.tables["questionnaire_answers"].to_dict("records"):
        questionnaire_id, item = str(answer["questionnaire_id"]), str(answer["item_id"])
        about = _assessed(content, answer, questionnaire_id)
        code = _code(names, f"{questionnaire_id}.{item}", item)
        number = present(answer["answer_number"])
        words = present(answer["answer_option"]) or present(answer["answer_text"])
        if number is None and words is None:
            rows.append(about | code | _not_done(answer["missed_reason"]))
        else:
            given = words if number is None else number
            rows.append(about | code | _answered(given, None, number, None))
    return rows


def _assessed(content: ExportContent, row: Mapping[Any, Any], category: str) -> Row:
    phase, probe_at_s = str(row["phase"]), present(row["probe_at_s"])
    return {
        "_who": str(row["participant_id"]),
        "USUBJID": subject_id(content, row["participant_id"]),
        "QSCAT": category,
        "QSSCAT": phase,
        **visit(row["session_id"]),
        "EPOCH": _EPOCHS.get(phase, TREATMENT),
        "QSDTC": stamp(row["at"]),
        "QSTPT": None if probe_at_s is None else f"{probe_at_s:g} s into the sound",
        "QSTPTNUM": probe_at_s,
        "QSDRVFL": None,
    }


def _code(names: ShortNames, key: str, item: str) -> Row:
    return {"QSTESTCD": names.of(key, item), "QSTEST": key[-40:]}


def _answered(given: Any, unit: str | None, value: float | None, standard_unit: str | None) -> Row:
    text = f"{given:.12g}" if isinstance(given, (int, float)) else str(given)
    return {
        "QSORRES": text,
        "QSORRESU": unit,
        "QSSTRESC": text if value is None else f"{value:.12g}",
        "QSSTRESN": value,
        "QSSTRESU": None if value is None else standard_unit,
        "QSSTAT": None,
        "QSREASND": None,
    }


def _not_done(reason: Any) -> Row:
    empty: Row = dict.fromkeys(("QSORRES", "QSORRESU", "QSSTRESC", "QSSTRESN", "QSSTRESU"))
    return empty | {"QSSTAT": "NOT DONE", "QSREASND": present(reason)}
