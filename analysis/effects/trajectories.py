"""How reports move during a session: a mixed model with time."""

from __future__ import annotations

from analysis.result_row import ResultRow
from analysis.tables.build import StudyTables
from study.protocol import StudyProtocol


def trajectory_rows(protocol: StudyProtocol, tables: StudyTables) -> tuple[ResultRow, ...]:
    """Slopes by arm and their differences, per axis."""
    return ()
