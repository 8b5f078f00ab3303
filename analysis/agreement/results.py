"""Everything the results hold of agreement."""

from __future__ import annotations

from typing import Any

from analysis.agreement.attenuation import attenuation_rows
from analysis.agreement.engine import engine_rows
from analysis.agreement.pair_sets import arms_without_music, difference_points, pair_sets, unpaired_counts
from analysis.agreement.rows import agreement_rows, estimate_set
from analysis.tables.build import StudyTables
from study.protocol import StudyProtocol


def agreement_of(protocol: StudyProtocol, tables: StudyTables) -> dict[str, Any]:
    """Rows and points of every comparison, and what was not paired, as JSON values."""
    sets = [(one, estimate_set(protocol, one)) for one in pair_sets(tables)]
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
                "rows": [row.to_plain() for row in agreement_rows(protocol, one, found)],
                "points": difference_points(one) if one.phase is not None else None,
            }
            for one, found in sets
        ],
        "attenuation": [
            row.to_plain() for one, found in sets for row in attenuation_rows(protocol, one, found)
        ],
        "engine": [row.to_plain() for row in engine_rows(protocol, tables)],
        "unpaired": unpaired_counts(tables),
        "arms_without_music": list(arms_without_music(protocol)),
    }
