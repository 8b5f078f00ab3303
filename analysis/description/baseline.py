"""Table 1: who was allocated, by group. Descriptive only: no test compares the groups."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.description.counts import share
from analysis.tables.build import StudyTables
from study.instruments import instrument_kind
from study.protocol import Phase, StudyProtocol
from study.questionnaire import ItemKind, Questionnaire
from study.session import session_id_of


def baseline_of(protocol: StudyProtocol, tables: StudyTables) -> dict[str, Any]:
    """Characteristics before allocation, by group and overall.

    Returns:
        groups (ids), labels, n (by group, then overall) and rows: each with
        characteristic, level, kind (``mean_sd`` or ``count``) and one cell by
        group, then overall; a cell is {n, mean, sd} or {n, of}.
    """
    allocated = tables.participants[tables.participants["group"].notna()]
    groups = [group.group_id for group in protocol.allocation.groups]
    members = [list(allocated[allocated["group"] == group]["participant_id"]) for group in groups]
    members.append(list(allocated["participant_id"]))
    rows: list[dict[str, Any]] = []
    for factor in protocol.allocation.strata:
        column = allocated.set_index("participant_id")[f"stratum_{factor.factor}"]
        for level in factor.levels:
            cells = [share(int((column.reindex(ids) == level).sum()), len(ids)) for ids in members]
            rows.append(
                {
                    "characteristic": factor.factor.replace("_", " "),
                    "level": level,
                    "kind": "count",
                    "cells": cells,
                }
            )
    for name, values in _measures(protocol, tables).items():
        cells = [_mean_sd(values, ids) for ids in members]
        rows.append({"characteristic": name, "level": None, "kind": "mean_sd", "cells": cells})
    return {"groups": groups, "n": [len(ids) for ids in members], "rows": rows}


def _measures(protocol: StudyProtocol, tables: StudyTables) -> dict[str, pd.Series[float]]:
    """Name to values by participant: reports at baseline and before the first session."""
    reports = tables.self_reports
    first = reports["session_id"].isna() | (reports["session_id"] == session_id_of(1))
    found: dict[str, pd.Series[float]] = {}
    for phase in (Phase.BASELINE, Phase.PRE):
        for assessment in protocol.assessments_at(phase):
            for instrument_id in assessment.instrument_ids:
                questionnaire = protocol.questionnaire(instrument_id)
                if questionnaire is not None:
                    found |= _scales(tables.questionnaire_answers, phase, questionnaire)
                    continue
                kind = instrument_kind(protocol.instrument(instrument_id).kind)
                mine = reports[
                    first & (reports["phase"] == phase) & (reports["instrument_id"] == instrument_id)
                ]
                mine = mine.set_index("participant_id")
                words = f"{protocol.instrument(instrument_id).perspective}, {phase} ({instrument_id})"
                if kind.affect_items is not None:
                    found[f"Valence {words}"] = mine["valence"]
                    found[f"Arousal {words}"] = mine["arousal"]
                if kind.total_name is not None:
                    totals = [_total(text, kind.total_name) for text in mine["scores"]]
                    name = f"{kind.total_name.replace('_', ' ')}, {phase} ({instrument_id})"
                    found[name] = pd.Series(totals, index=mine.index, dtype=float)
    return found


def _scales(answers: pd.DataFrame, phase: Phase, questionnaire: Questionnaire) -> dict[str, pd.Series[float]]:
    """Name to values by participant, for each scale of a questionnaire."""
    first = answers["session_id"].isna() | (answers["session_id"] == session_id_of(1))
    mine = answers[
        first & (answers["phase"] == phase) & (answers["questionnaire_id"] == questionnaire.questionnaire_id)
    ]
    return {
        f"{item.item_id}, 1 to {item.points}, {phase} ({questionnaire.questionnaire_id})": (
            mine[mine["item_id"] == item.item_id].set_index("participant_id")["answer_number"]
        )
        for item in questionnaire.items
        if item.kind is ItemKind.SCALE
    }


def _total(scores: Any, name: str) -> float | None:
    return None if pd.isna(scores) else json.loads(scores).get(name)


def _mean_sd(values: pd.Series[float], participant_ids: Sequence[str]) -> dict[str, Any]:
    present = values.reindex(list(participant_ids)).dropna().to_numpy(dtype=float)
    return {
        "n": len(present),
        "mean": float(np.mean(present)) if len(present) else None,
        "sd": float(np.std(present, ddof=1)) if len(present) > 1 else None,
    }
