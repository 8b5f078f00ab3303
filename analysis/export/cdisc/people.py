"""Rows of DM, SUPPDM, DS, EX, AE and DV, from the study's tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

import pandas as pd

from analysis.export.cdisc.codes import ShortNames
from analysis.export.content import ExportContent

Row = dict[str, Any]
Rows = list[Row]

TREATMENT, FOLLOW_UP, SCREENING = "TREATMENT", "FOLLOW-UP", "SCREENING"
MASKED = "MASKED"
"""What a blinded export says in place of a treatment's name."""

_DISPOSITION: Mapping[str, str] = {
    "completed": "COMPLETED",
    "declined": "SCREEN FAILURE",
    "not_eligible": "SCREEN FAILURE",
    "withdrew": "WITHDRAWAL BY SUBJECT",
    "lost_to_follow_up": "LOST TO FOLLOW-UP",
    "dropped_out": "OTHER",
    "stopped_for_safety": "OTHER",
    "sound_check_failed": "OTHER",
    "erased": "OTHER",
}
"""Column `status` to a term of CDISC's codelist NCOMPLT; the study's own word stands in DSTERM."""

_MILESTONES: Mapping[str, tuple[str, str]] = {
    "ConsentGiven": ("INFORMED CONSENT OBTAINED", SCREENING),
    "ParticipantAllocated": ("RANDOMIZED", SCREENING),
}


def subject_id(content: ExportContent, participant_id: object) -> str:
    """USUBJID: the study and the participant."""
    return f"{content.protocol.study_id}-{participant_id}"


def stamp(value: Any) -> str | None:
    """ISO 8601; a day in a blinded export, else to the second with its offset."""
    if pd.isna(value):
        return None
    return value.isoformat(timespec="seconds") if isinstance(value, pd.Timestamp) else str(value)


def visit(session_id: Any) -> Row:
    """VISIT and VISITNUM of a session; null outside one."""
    if pd.isna(session_id):
        return {"VISITNUM": None, "VISIT": None}
    return {"VISITNUM": int(str(session_id).rpartition("-")[2]), "VISIT": str(session_id)}


def present(value: Any) -> Any:
    """A value, or None for any kind of missing."""
    return None if pd.isna(value) else value


def demographics(content: ExportContent) -> Rows:
    """One row a person; SITEID and SEX come from strata of those names, age and country are not asked."""
    exposed = _exposure_times(content)
    consents = _first_times(content, "ConsentGiven")
    last = content.tables["events"].groupby("participant_id")["at"].last()
    rows = []
    for person in content.tables["participants"].to_dict("records"):
        who = person["participant_id"]
        sessions = [times for (participant, _), times in exposed.items() if participant == who]
        rows.append(
            {
                "USUBJID": subject_id(content, who),
                "SUBJID": who,
                "RFSTDTC": min((times[0] for times in sessions), default=None),
                "RFENDTC": max((times[1] for times in sessions), default=None),
                "RFICDTC": consents.get(str(who)),
                "RFPENDTC": stamp(last.get(who)),
                "SITEID": present(person.get("stratum_site")),
                "SEX": _sex(person.get("stratum_sex")),
                "COUNTRY": None,
                **_arm(content, person),
            }
        )
    return rows


def _sex(level: Any) -> str:
    text = "" if pd.isna(level) else str(level).strip().lower()
    return {"f": "F", "female": "F", "m": "M", "male": "M"}.get(text, "U")


def _arm(content: ExportContent, person: Mapping[Any, Any]) -> Row:
    nobody: Row = dict.fromkeys(("ARMCD", "ARM", "ACTARMCD", "ACTARM"))
    if content.is_blinded:
        return nobody | {"ARMNRS": None}
    group = present(person.get("group"))
    if group is None:
        failed = person["status"] in ("declined", "not_eligible")
        return nobody | {"ARMNRS": "SCREEN FAILURE" if failed else "NOT ASSIGNED"}
    name = _group_label(content, str(group))
    # People hear what they were allocated; what was heard of it is in EX.
    return {"ARMCD": group, "ARM": name, "ACTARMCD": group, "ACTARM": name, "ARMNRS": None}


def _group_label(content: ExportContent, group_id: str) -> str:
    arms = content.groups[group_id].arm_ids
    return " then ".join(content.arms[arm_id].label for arm_id, _ in groupby(arms))


def qualifiers(content: ExportContent) -> Rows:
    """Strata, and whether a person is simulated or was erased, as supplemental qualifiers of DM."""
    table = content.tables["participants"]
    names, rows = ShortNames(), []
    for person in table.to_dict("records"):
        for column in ("simulated", "erased", *(c for c in table.columns if c.startswith("stratum_"))):
            value = present(person[column])
            if value is not None:
                rows.append(
                    {
                        "RDOMAIN": "DM",
                        "USUBJID": subject_id(content, person["participant_id"]),
                        "IDVAR": None,
                        "IDVARVAL": None,
                        "QNAM": names.of(str(column), str(column).removeprefix("stratum_")),
                        "QLABEL": str(column).replace("_", " ").capitalize()[:40],
                        "QVAL": ("Y" if value else "N") if isinstance(value, bool) else str(value),
                        "QORIG": "CRF" if str(column).startswith("stratum_") else "Derived",
                        "QEVAL": None,
                    }
                )
    return rows


def disposition(content: ExportContent) -> Rows:
    """Consent, allocation and the end of each person's part."""
    rows: Rows = []
    events = content.tables["events"]
    for person in content.tables["participants"].to_dict("records"):
        mine = events[events["participant_id"] == person["participant_id"]]
        for event in mine[mine["kind"].isin(list(_MILESTONES))].to_dict("records"):
            term, epoch = _MILESTONES[event["kind"]]
            rows.append(_disposed(content, person, term, term, "PROTOCOL MILESTONE", epoch, event["at"]))
        status = str(person["status"])
        if status in _DISPOSITION and len(mine):
            ended = mine[mine["kind"] == "ParticipantDiscontinued"]["at"]
            at = ended.iloc[0] if len(ended) else mine["at"].iloc[-1]
            term = status.replace("_", " ").upper()
            rows.append(_disposed(content, person, term, _DISPOSITION[status], "DISPOSITION EVENT", None, at))
    return rows


def _disposed(
    content: ExportContent,
    person: Mapping[Any, Any],
    term: str,
    decoded: str,
    category: str,
    epoch: str | None,
    at: Any,
) -> Row:
    return {
        "USUBJID": subject_id(content, person["participant_id"]),
        "DSTERM": term,
        "DSDECOD": decoded,
        "DSCAT": category,
        "EPOCH": epoch,
        "DSSTDTC": stamp(at),
    }


def exposure(content: ExportContent) -> Rows:
    """One row a session that began: the dose is the seconds heard."""
    times = _exposure_times(content)
    rows = []
    for session in content.tables["sessions"].to_dict("records"):
        key = (str(session["participant_id"]), str(session["session_id"]))
        if not present(session["started"]):
            continue
        began, ended = times.get(key, (None, None))
        arm = session.get("arm")
        rows.append(
            {
                "USUBJID": subject_id(content, key[0]),
                "EXTRT": MASKED if pd.isna(arm) else content.arms[str(arm)].label,
                "EXDOSE": present(session.get("heard_s", session["heard_planned_s"])),
                "EXDOSU": "s",
                "EXDOSFRM": "SOUND",
                "EXADJ": present(session["stop_reason"]),
                **visit(key[1]),
                "EPOCH": TREATMENT,
                "EXSTDTC": began,
                "EXENDTC": ended,
            }
        )
    return rows


def adverse_events(content: ExportContent) -> Rows:
    """One row an adverse event; its time is when it was recorded. Nothing is coded by a dictionary."""
    return [
        {
            "USUBJID": subject_id(content, event["participant_id"]),
            "AETERM": event["description"],
            "AEDECOD": None,
            "AECAT": present(event["category"]),
            "AESEV": str(event["severity"]).upper(),
            "AEREL": str(event["relatedness"]).upper(),
            **visit(event["session_id"]),
            "EPOCH": TREATMENT if present(event["session_id"]) else None,
            "AEDTC": stamp(event["at"]),
        }
        for event in content.tables["adverse_events"].to_dict("records")
    ]


def deviations(content: ExportContent) -> Rows:
    """One row a deviation that names a person."""
    table = content.tables["deviations"]
    return [
        {
            "USUBJID": subject_id(content, deviation["participant_id"]),
            "DVTERM": deviation["description"],
            "DVREAS": present(deviation["deviation_reason"]),
            **visit(deviation["session_id"]),
            "EPOCH": TREATMENT if present(deviation["session_id"]) else None,
            "DVSTDTC": stamp(deviation["at"]),
        }
        for deviation in table[table["participant_id"].notna()].to_dict("records")
    ]


def _exposure_times(content: ExportContent) -> dict[tuple[str, str], tuple[str, str]]:
    """(participant_id, session_id) to when its player's first and last event was recorded."""
    events = content.tables["events"]
    played = events[events["kind"].str.startswith("Playback") & events["session_id"].notna()]
    return {
        (str(who), str(session_id)): (str(stamp(mine["at"].iloc[0])), str(stamp(mine["at"].iloc[-1])))
        for (who, session_id), mine in played.groupby(["participant_id", "session_id"], sort=False)
    }


def _first_times(content: ExportContent, kind: str) -> dict[str, str | None]:
    return dict(reversed(list(_times(content, kind))))


def _times(content: ExportContent, kind: str) -> Iterator[tuple[str, str | None]]:
    events = content.tables["events"]
    for event in events[events["kind"] == kind].to_dict("records"):
        yield str(event["participant_id"]), stamp(event["at"])
