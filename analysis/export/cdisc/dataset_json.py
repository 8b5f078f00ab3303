"""The domains as files of CDISC Dataset-JSON 1.1, with their metadata beside them.

Source: CDISC Dataset-JSON Specification 1.1 (2024-12-05). A missing value is null. The date of creation is
that of the record's last row, so that the same record gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from analysis.export.cdisc import people
from analysis.export.cdisc.people import Row, Rows
from analysis.export.cdisc.questionnaires import questionnaires
from analysis.export.cdisc.variables import DATE, DOMAINS, Domain, Variable
from analysis.export.content import ExportContent, Told

DATASET_JSON_VERSION = "1.1.0"
STANDARD = "SDTMIG 3.4"

_ROWS: Mapping[str, Callable[[ExportContent], Rows]] = {
    "DM": people.demographics,
    "SUPPDM": people.qualifiers,
    "DS": people.disposition,
    "EX": people.exposure,
    "QS": questionnaires,
    "AE": people.adverse_events,
    "DV": people.deviations,
}

_README = (
    "CDISC Dataset-JSON 1.1, one file a domain; domains are shaped after SDTMIG 3.4. define.json tells every",
    "variable's label, type, origin and key. This is an exchange of tabulated data, not a submission: there",
    "is no Define-XML, nothing is coded by MedDRA, and values keep their full length.",
    "EX: one row a session that began; EXDOSE is the seconds of sound that were heard.",
    "QS: one row an item. QSORRES is the answer as given; QSSTRESN of valence and arousal lies on [-1, 1].",
    "AE, DV: --DTC is when it was recorded. Erased people are marked in SUPPDM.",
)
_README_BLINDED = (
    "Arms are null in DM and EXTRT says MASKED. EXDOSE is the share heard times the planned length.",
)


def write_dataset_json(content: ExportContent, folder: Path, told: Told) -> None:
    """Every domain that has rows, and DM.

    Args:
        folder: exists and is empty.
    """
    written = []
    for done, (name, domain) in enumerate(DOMAINS.items()):
        told("writing domains", done, len(DOMAINS))
        rows = _ROWS[name](content)
        if rows or name == "DM":
            _write(folder / f"{name.lower()}.json", _dataset(content, domain, rows))
            written.append(domain)
    _write(folder / "define.json", _define(content, written))
    says = (*_README, *(_README_BLINDED if content.is_blinded else ()))
    (folder / "README.txt").write_text("\n".join((*content.about(), "", *says)) + "\n", "utf-8")


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")


def _dataset(content: ExportContent, domain: Domain, rows: Rows) -> dict[str, Any]:
    name, _, version = content.software.partition(" ")
    dated = content.dated.isoformat(timespec="seconds")
    table = [
        [row.get(variable.name) for variable in domain.variables] for row in _numbered(content, domain, rows)
    ]
    return {
        "datasetJSONCreationDateTime": dated,
        "datasetJSONVersion": DATASET_JSON_VERSION,
        "fileOID": f"{content.protocol.study_id}.{domain.name}.{content.head.sha256}",
        "dbLastModifiedDateTime": dated,
        "originator": name,
        "sourceSystem": {"name": name, "version": version},
        "studyOID": content.protocol.study_id,
        "metaDataVersionOID": f"MDV.{content.protocol.study_id}.{content.protocol.version}",
        "metaDataRef": "define.json",
        "itemGroupOID": f"IG.{domain.name}",
        "records": len(table),
        "name": domain.name,
        "label": domain.label,
        "columns": [
            _column(content, domain, variable, [row[place] for row in table])
            for place, variable in enumerate(domain.variables)
        ],
        "rows": table,
    }


def _numbered(content: ExportContent, domain: Domain, rows: Rows) -> Rows:
    """Rows with STUDYID, DOMAIN and --SEQ, which counts within a person."""
    numbers: dict[str, int] = {}
    made: Rows = []
    for row in rows:
        number = numbers[row["USUBJID"]] = numbers.get(row["USUBJID"], 0) + 1
        own: Row = {
            "STUDYID": content.protocol.study_id,
            "DOMAIN": domain.name,
            f"{domain.name}SEQ": number,
        }
        made.append({**row, **own})
    return made


def _column(content: ExportContent, domain: Domain, variable: Variable, values: list[Any]) -> dict[str, Any]:
    about: dict[str, Any] = {
        "itemOID": f"IT.{domain.name}.{variable.name}",
        "name": variable.name,
        "label": variable.label,
        "dataType": _data_type(content, variable),
    }
    if variable.data_type == "string":
        about["length"] = max([1, *(len(value) for value in values if value is not None)])
    if variable.key is not None:
        about["keySequence"] = variable.key
    return about


def _data_type(content: ExportContent, variable: Variable) -> str:
    return "date" if variable.data_type == DATE and content.is_blinded else variable.data_type


def _define(content: ExportContent, domains: list[Domain]) -> dict[str, Any]:
    return {
        "studyOID": content.protocol.study_id,
        "studyName": content.protocol.title,
        "metaDataVersionOID": f"MDV.{content.protocol.study_id}.{content.protocol.version}",
        "standard": STANDARD,
        "protocolSha256": content.protocol.sha256,
        "recordHead": {"rows": content.head.sequence, "sha256": content.head.sha256},
        "blinded": content.is_blinded,
        "datasets": [
            {
                "itemGroupOID": f"IG.{domain.name}",
                "name": domain.name,
                "label": domain.label,
                "structure": domain.structure,
                "file": f"{domain.name.lower()}.json",
                "variables": [
                    {
                        "itemOID": f"IT.{domain.name}.{variable.name}",
                        "name": variable.name,
                        "label": variable.label,
                        "dataType": _data_type(content, variable),
                        "origin": variable.origin,
                        **({"keySequence": variable.key} if variable.key else {}),
                    }
                    for variable in domain.variables
                ],
            }
            for domain in domains
        ],
    }
