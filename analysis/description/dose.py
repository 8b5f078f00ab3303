"""What was felt by how much was heard: a description, never a test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.effects.endpoint import Outcome
from analysis.tables.build import StudyTables
from study.protocol import StudyProtocol


def dose_of(protocol: StudyProtocol, tables: StudyTables, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The endpoint by arm and share of the session heard."""
    return {}
