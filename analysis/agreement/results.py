"""Everything the results hold of agreement."""

from __future__ import annotations

from typing import Any

from analysis.agreement.rows import (
    agreement_rows,
    arms_without_music,
    difference_points,
    pair_sets,
    unpaired_counts,
)
from analysis.result_row import json_ready
from analysis.tables.build import StudyTables
from study.protocol import StudyProtocol


def agreement_of(protocol: StudyProtocol, tables: StudyTables) -> dict[str, Any]:
    """Rows and points of every comparison, and what was not paired, as JSON values."""
    sets = pair_sets(tables)
    return {
        "sets": [
            {
                "set_id": one.set_id,
                "label": one.label,
                "first": one.first,
                "second": one.second,
                "phase": one.phase,
                "n_pairs": len(one.frame),
                "unit": one.design.unit,
                "rows": [row.to_plain() for row in agreement_rows(protocol, one)],
                "points": json_ready(difference_points(one)) if one.phase is not None else None,
            }
            for one in sets
        ],
        "attenuation": [],
        "engine": [],
        "unpaired": unpaired_counts(tables),
        "arms_without_music": list(arms_without_music(protocol)),
    }
