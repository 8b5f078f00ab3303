"""Whether a difference is small enough not to matter: two one-sided tests."""

from __future__ import annotations

from analysis.effects.estimate import Effects
from analysis.result_row import ResultRow
from study.protocol import StudyProtocol


def equivalence_rows(protocol: StudyProtocol, primary: Effects) -> tuple[ResultRow, ...]:
    """One row for each contrast that aims at equivalence or non-inferiority."""
    return ()
