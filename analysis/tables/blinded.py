"""The tables without what tells an arm: a column that is not listed here is left out.

For the same reasons as in `study.oversight.blinding`: times are cut to the day,
what the music was perceived to express is left out, and so are clips, pairs and
every hash, seed, start, target and length of a sound.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.tables.build import StudyTables
from study.events import History
from study.oversight.blinding import perceived_instruments, sound_deviations
from study.protocol import StudyProtocol

#: Table to the columns that tell no arm; stratum_ columns follow the participants'.
HARMLESS_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "participants": (
        "participant_id",
        "simulated",
        "enrolled_at",
        "consented",
        "eligible",
        "status",
        "erased",
    ),
    "sessions": (
        "participant_id",
        "session_id",
        "period",
        "rendered",
        "started",
        "heard_share",
        "heard_planned_s",
        "pauses",
        "stop_reason",
        "completed",
        "muted_s",
        "hidden_s",
        "stalls",
        "longest_gap_s",
        "ratings",
    ),
    "self_reports": (
        "participant_id",
        "session_id",
        "at",
        "phase",
        "instrument_id",
        "perspective",
        "probe_at_s",
        "missed",
        "missed_reason",
        "missed_items",
        "corrected",
        "responses",
        "scores",
        "valence",
        "arousal",
        "language",
        "item_order",
        "untouched_items",
        "response_time_s",
    ),
    "questionnaire_answers": (
        "participant_id",
        "session_id",
        "at",
        "phase",
        "questionnaire_id",
        "probe_at_s",
        "item_id",
        "measures",
        "missed",
        "missed_reason",
        "corrected",
        "answer_number",
        "answer_option",
        "answer_text",
        "language",
        "item_order",
        "response_time_s",
    ),
    "sound_checks": (
        "participant_id",
        "session_id",
        "at",
        "attempt",
        "volume",
        "headphone_test",
        "correct",
        "trials",
        "passed",
    ),
    "events": ("sequence", "at", "actor", "kind", "participant_id", "session_id", "erased"),
    "adverse_events": (
        "participant_id",
        "session_id",
        "at",
        "category",
        "severity",
        "relatedness",
        "description",
    ),
    "deviations": ("participant_id", "session_id", "at", "description", "deviation_reason"),
}

_FACTOR = "stratum_"


def blinded_tables(protocol: StudyProtocol, events: History, tables: StudyTables) -> dict[str, pd.DataFrame]:
    """Table name to table, for who may not know arms.

    Args:
        events: the record the tables were built from.
    """
    found = {}
    for name, columns in HARMLESS_COLUMNS.items():
        table = getattr(tables, name, None)
        if table is None:
            continue
        kept = _rows(protocol, events, name, table)
        factors = [column for column in table.columns if column.startswith(_FACTOR)]
        chosen = kept[[column for column in (*columns, *factors) if column in table.columns]].copy()
        for column in chosen.columns:
            if isinstance(chosen[column].dtype, pd.DatetimeTZDtype):
                chosen[column] = chosen[column].dt.strftime("%Y-%m-%d")
        found[name] = chosen.reset_index(drop=True)
    return found


def _rows(protocol: StudyProtocol, events: History, name: str, table: pd.DataFrame) -> pd.DataFrame:
    if name == "self_reports":
        return table[~table["instrument_id"].isin(perceived_instruments(protocol))]
    if name == "questionnaire_answers":
        return table[(table["measures"] != "arm_guess").fillna(True)]
    if name == "deviations":
        return table[~table["sequence"].isin(sound_deviations(events))]
    return table
