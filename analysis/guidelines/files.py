"""The guidelines' documents as files: for people HTML, Markdown and Word, for programs JSON, and the SVG."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from analysis.guidelines.checklist import Checklist
from analysis.guidelines.documents import (
    consort,
    consort_document,
    flow_picture,
    rg_mbi,
    rg_mbi_document,
    schedule_document,
)
from analysis.guidelines.markdown import render_markdown
from analysis.guidelines.schedule import make_schedule
from analysis.guidelines.trial import Trial
from analysis.report.build import Report
from analysis.report.file_format import Format
from analysis.report.formats import render
from study.canonical import plain
from study.protocol import StudyProtocol


def schedule_files(protocol: StudyProtocol) -> dict[str, bytes]:
    """File name to content of the SPIRIT 2025 schedule."""
    schedule = make_schedule(protocol)
    content = {
        "guideline": "SPIRIT 2025, item 18",
        **_of(protocol),
        "columns": list(schedule.columns),
        "sections": [
            {"heading": heading, "rows": [{"name": name, "marks": list(marks)} for name, marks in rows]}
            for heading, rows in schedule.sections
        ],
        "notes": list(schedule.notes),
    }
    return {**_written("schedule", schedule_document(protocol)), "schedule.json": _json(content)}


def guideline_files(trial: Trial) -> dict[str, bytes]:
    """File name to content of everything: schedule, flow, and both checklists.

    Raises:
        RecordError: the flow of participants does not add up.
    """
    flow = {
        "guideline": "CONSORT 2025, item 22",
        **_from(trial),
        "is_by_arm": trial.may_tell_arms,
        **plain(trial.flow),
    }
    return {
        **schedule_files(trial.protocol),
        **_written("consort", consort_document(trial)),
        "consort.json": _json({**_from(trial), **_checklist(consort(trial))}),
        "flow.json": _json(flow),
        "flow.svg": f'<?xml version="1.0" encoding="UTF-8"?>\n{flow_picture(trial).svg}'.encode(),
        **_written("rg-mbi", rg_mbi_document(trial)),
        "rg-mbi.json": _json({**_from(trial), **_checklist(rg_mbi(trial))}),
    }


def _written(stem: str, report: Report) -> dict[str, bytes]:
    return {
        f"{stem}.html": render(report, Format.HTML),
        f"{stem}.docx": render(report, Format.DOCX),
        f"{stem}.md": render_markdown(report).encode(),
    }


def _checklist(checklist: Checklist) -> dict[str, Any]:
    return {
        "guideline": checklist.guideline.name,
        "source": checklist.guideline.source,
        "counts": checklist.counts(),
        "items": [
            {
                **plain(item),
                "standing": str(checklist.answers[item.number].standing),
                **plain(checklist.answers[item.number]),
            }
            for item in checklist.guideline.items
        ],
    }


def _of(protocol: StudyProtocol) -> dict[str, Any]:
    return {
        "study_id": protocol.study_id,
        "protocol_version": protocol.version,
        "protocol_sha256": protocol.sha256,
    }


def _from(trial: Trial) -> dict[str, Any]:
    return {
        **_of(trial.protocol),
        "record_head_sha256": trial.facts.head_sha256,
        "simulated": trial.results.simulated,
    }


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
