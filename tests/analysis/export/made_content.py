"""A made study as it is exported, blinded and not, for the tests of each format."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from pathlib import Path

import pandas as pd

from analysis.export.content import ExportContent
from analysis.tables.blinded import blinded_tables
from analysis.tables.build import StudyTables, build_tables
from study.chain import Head
from study.events import AdverseEventReported, DeviationRecorded, PlaybackPaused
from study.path import PathKind
from study.protocol import Design, StudyProtocol
from tests.analysis.made_study import MadeStudy, make_protocol, simulate

NASTY = '=cmd("calc")\n@SUM(1,2)\t"quoted", naïve, n/a'


def made_study(participants: int = 4, design: Design = Design.PARALLEL) -> MadeStudy:
    """A few people through to the end, one with a nasty adverse event, one erased in part."""
    study = simulate(make_protocol((PathKind.ISO, PathKind.TARGET_ONLY), design), participants)
    study.add(AdverseEventReported("emotional", "mild", "possible", NASTY), "sub-001", "ses-01")
    study.add(DeviationRecorded("late by a day", "snow"), "sub-002", "ses-01")
    study.add(None, "sub-003", "ses-01", PlaybackPaused.__name__)
    return study


def content_of(
    study: MadeStudy, is_blinded: bool = False, sounds: dict[str, Path] | None = None
) -> ExportContent:
    """The study as it is exported."""
    protocol: StudyProtocol = study.protocol
    made = build_tables(
        protocol, study.events, {} if is_blinded else study.manifests, {} if is_blinded else study.predictions
    )
    tables = blinded_tables(protocol, study.events, made) if is_blinded else tables_of(made)
    return ExportContent(
        protocol,
        tables,
        is_blinded=is_blinded,
        may_join_arms=not is_blinded,
        is_simulated=True,
        head=Head(len(study.events), "a" * 64),
        last_at=study.events[-1].at,
        software="isopath test",
        manifests={} if is_blinded else study.manifests,
        sounds=sounds or {},
        predictions={} if is_blinded else study.predictions,
    )


@cache
def made_content(is_blinded: bool = False) -> ExportContent:
    """The study of `made_study`, made once: no test changes it."""
    return content_of(made_study(), is_blinded)


def made_sounds(study: MadeStudy, folder: Path) -> dict[str, Path]:
    """A file for each rendered session, of the bytes whose hash the manifest names."""
    found = {}
    for (who, session_id), manifest in study.manifests.items():
        path = folder / f"{who}-{session_id}.flac"
        path.write_bytes(f"{who}/{session_id}".encode())
        found[manifest.audio_sha256] = path
    return found


def tables_of(made: StudyTables) -> dict[str, pd.DataFrame]:
    """Every table by its name."""
    return {field.name: getattr(made, field.name) for field in fields(made)}


def no_progress(what: str, done: int, total: int) -> None:
    """Hears of the progress and says nothing."""
    assert 0 <= done <= total, what
