"""What happened in each arm: heard, missed, distress, adverse events, deviations."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd

from analysis.arm_names import arm_name, group_name
from analysis.description.counts import how_many, share
from analysis.tables.build import StudyTables
from study.instruments import Perspective
from study.protocol import Phase, StudyProtocol


def adherence_of(protocol: StudyProtocol, tables: StudyTables) -> list[dict[str, Any]]:
    """Listening by arm: sessions, seconds heard, pauses, stops. Counts are sessions."""
    rows = []
    for arm in protocol.arms:
        sessions = tables.sessions[tables.sessions["arm"] == arm.arm_id]
        started = sessions[sessions["started"].fillna(False).astype(bool)]
        heard = started["heard_s"].astype(float)
        stops = Counter(str(reason) for reason in started["stop_reason"].dropna())
        rows.append(
            {
                "arm": arm.arm_id,
                "label": arm_name(arm.arm_id),
                "sessions": len(sessions),
                "started": share(len(started), len(sessions)),
                "completed": share(how_many(started["completed"]), len(started)),
                "paused": share(int((started["pauses"].fillna(0) > 0).sum()), len(started)),
                "pauses": int(started["pauses"].fillna(0).sum()),
                "stopped": {reason: stops[reason] for reason in sorted(stops)},
                "planned_s": arm.path.duration_s,
                "heard_s": _five_numbers(heard),
                "heard_share_mean": _mean(started["heard_share"]),
            }
        )
    return rows


def missingness_of(protocol: StudyProtocol, tables: StudyTables) -> list[dict[str, Any]]:
    """Reports due, given and missing with reasons, by arm, phase and instrument.

    A follow-up belongs to no session: its rows are by group.
    """
    status = dict(zip(tables.participants["participant_id"], tables.participants["status"], strict=True))
    reports = _reports_of(tables)
    rows = []
    for phase in (Phase.PRE, Phase.PROBE, Phase.POST):
        for assessment in protocol.assessments_at(phase):
            onsets: tuple[float | None, ...] = assessment.at_s if phase is Phase.PROBE else (None,)
            for instrument_id in assessment.instrument_ids:
                found = _given(reports, phase, instrument_id)
                for arm in protocol.arms:
                    sessions = tables.sessions[tables.sessions["arm"] == arm.arm_id]
                    reasons: Counter[str] = Counter()
                    given = 0
                    for session in sessions.to_dict("records"):
                        key = (session["participant_id"], session["session_id"])
                        for at_s in onsets:
                            reason = found.get((*key, at_s), _unanswered(phase, session, str(status[key[0]])))
                            if reason is None:
                                given += 1
                            else:
                                reasons[reason] += 1
                    rows.append(
                        {
                            "arm": arm.arm_id,
                            "label": arm_name(arm.arm_id),
                            "phase": str(phase),
                            "instrument_id": instrument_id,
                            "given": share(given, len(sessions) * len(onsets)),
                            "missing": dict(sorted(reasons.items())),
                        }
                    )
    return rows + _follow_up(protocol, tables, reports[reports["phase"] == Phase.FOLLOW_UP])


def _reports_of(tables: StudyTables) -> pd.DataFrame:
    """Instruments and questionnaires alike: one row each. A questionnaire's blank items are ordinary."""
    columns = [
        "participant_id",
        "session_id",
        "sequence",
        "phase",
        "instrument_id",
        "probe_at_s",
        "missed",
        "missed_reason",
        "missed_items",
    ]
    whole = tables.questionnaire_answers.rename(columns={"questionnaire_id": "instrument_id"})
    whole = whole.drop_duplicates("sequence")
    whole = whole.assign(
        missed=whole["missed_reason"].notna(), missed_items=pd.Series(pd.NA, whole.index, "string")
    )
    both = [part for part in (tables.self_reports[columns], whole[columns]) if len(part)]
    return pd.concat(both, ignore_index=True) if both else tables.self_reports[columns]


def _follow_up(protocol: StudyProtocol, tables: StudyTables, reports: pd.DataFrame) -> list[dict[str, Any]]:
    due = Counter(
        instrument_id
        for assessment in protocol.assessments_at(Phase.FOLLOW_UP)
        for instrument_id in assessment.instrument_ids
    )
    rows = []
    for instrument_id, times in due.items():
        for group in protocol.allocation.groups:
            people = tables.participants[tables.participants["group"] == group.group_id]
            reasons: Counter[str] = Counter()
            given = 0
            for who, status in zip(people["participant_id"], people["status"], strict=True):
                mine = reports[
                    (reports["participant_id"] == who) & (reports["instrument_id"] == instrument_id)
                ]
                usable = mine[~mine["missed"].astype(bool) & mine["missed_items"].isna()]
                given += len(usable)
                reasons.update(str(reason) for reason in mine["missed_reason"].dropna())
                reasons["an item was left out"] += int(mine["missed_items"].notna().sum())
                reasons[_unasked(str(status))] += max(times - len(mine), 0)
            rows.append(
                {
                    "arm": group.group_id,
                    "label": group_name(protocol, group.group_id),
                    "phase": str(Phase.FOLLOW_UP),
                    "instrument_id": instrument_id,
                    "given": share(given, times * len(people)),
                    "missing": {reason: n for reason, n in sorted(reasons.items()) if n},
                }
            )
    return rows


def safety_of(protocol: StudyProtocol, tables: StudyTables) -> dict[str, Any]:
    """Distress by the protocol's rule, stops for it, and adverse events, by arm."""
    rule = protocol.safety
    reports = tables.self_reports
    distressed = reports[
        (reports["perspective"] == Perspective.FELT)
        & (reports["valence"] <= rule.distress_valence)
        & (reports["arousal"] >= rule.distress_arousal)
    ]
    arms = []
    for arm in protocol.arms:
        sessions = tables.sessions[tables.sessions["arm"] == arm.arm_id]
        people = sessions["participant_id"].nunique()
        mine = distressed[distressed["arm"] == arm.arm_id]
        events = tables.adverse_events[tables.adverse_events["arm"] == arm.arm_id]
        stopped = sessions[sessions["stop_reason"] == "distress"]
        ended = tables.participants[
            tables.participants["participant_id"].isin(list(sessions["participant_id"]))
            & (tables.participants["status"] == "stopped_for_safety")
        ]
        arms.append(
            {
                "arm": arm.arm_id,
                "label": arm_name(arm.arm_id),
                "distress": {
                    str(phase): share(mine[mine["phase"] == phase]["participant_id"].nunique(), people)
                    for phase in (Phase.PRE, Phase.PROBE, Phase.POST)
                },
                "stopped_for_distress": share(stopped["participant_id"].nunique(), people),
                "ended_for_safety": share(len(ended), people),
                "with_adverse_event": share(events["participant_id"].nunique(), people),
                "adverse_events": len(events),
            }
        )
    return {
        "rule": {"valence_at_most": rule.distress_valence, "arousal_at_least": rule.distress_arousal},
        "arms": arms,
        "adverse_events": [_adverse_event(event) for event in tables.adverse_events.to_dict("records")],
    }


def deviations_of(tables: StudyTables) -> list[dict[str, Any]]:
    """Recorded deviations from the protocol, in order."""
    return [
        {
            "sequence": int(row["sequence"]),
            "at": row["at"].isoformat(),
            "participant_id": _text(row["participant_id"]),
            "session_id": _text(row["session_id"]),
            "arm": _text(row["arm"]),
            "description": _text(row["description"]),
            "reason": _text(row["deviation_reason"]),
        }
        for row in tables.deviations.to_dict("records")
    ]


def _given(
    reports: pd.DataFrame, phase: Phase, instrument_id: str
) -> dict[tuple[str, str, float | None], str | None]:
    """(participant, session, onset) to why the report cannot be used; None where it can."""
    mine = reports[(reports["phase"] == phase) & (reports["instrument_id"] == instrument_id)]
    found: dict[tuple[str, str, float | None], str | None] = {}
    for row in mine.to_dict("records"):
        at_s = None if pd.isna(row["probe_at_s"]) else float(row["probe_at_s"])
        reason = None
        if row["missed"]:
            reason = str(row["missed_reason"])
        elif not pd.isna(row["missed_items"]):
            reason = "an item was left out"
        found[row["participant_id"], row["session_id"], at_s] = reason
    return found


def _unanswered(phase: Phase, session: dict[Any, Any], status: str) -> str:
    if phase is Phase.PROBE and not pd.isna(session["stop_reason"]):
        return "not reached: session stopped early"
    return _unasked(status)


def _unasked(status: str) -> str:
    return {
        "in_progress": "not yet given",
        "completed": "not asked",
        "imported": "not in the imported file",
    }.get(status, status.replace("_", " "))


def _adverse_event(row: dict[Any, Any]) -> dict[str, Any]:
    names = ("participant_id", "session_id", "arm", "category", "severity", "relatedness", "description")
    return {name: _text(row[name]) for name in names}


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)


def _mean(values: pd.Series[float]) -> float | None:
    present = values.dropna()
    return float(present.mean()) if len(present) else None


def _five_numbers(values: pd.Series[float]) -> dict[str, float | None]:
    names = ("min", "q1", "median", "q3", "max")
    if not len(values):
        return dict.fromkeys(names)
    return dict(zip(names, (float(values.quantile(q)) for q in (0, 0.25, 0.5, 0.75, 1)), strict=True))
