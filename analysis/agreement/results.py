"""Everything the results hold of agreement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.agreement.attenuation import attenuation_rows
from analysis.agreement.engine import engine_rows
from analysis.agreement.pair_sets import arms_without_music, difference_points, pair_sets, unpaired_counts
from analysis.agreement.path_null_rows import null_rows
from analysis.agreement.path_rows import figure_rows
from analysis.agreement.path_sets import path_sets
from analysis.agreement.predictor_pairs import parts_of, predictor_pair_rows
from analysis.agreement.rows import agreement_rows, estimate_set
from analysis.mer.hearing import SessionKey
from analysis.tables.build import StudyTables
from study.manifest import RenderManifest
from study.protocol import StudyProtocol


def agreement_of(
    protocol: StudyProtocol, tables: StudyTables, manifests: Mapping[SessionKey, RenderManifest]
) -> dict[str, Any]:
    """Rows and points of every comparison, and what was not paired, as JSON values.

    Args:
        manifests: of rendered sessions; which predictors helped to make their sound stands there.
    """
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
        "predictors": [row.to_plain() for row in predictor_pair_rows(protocol, tables)],
        "path_following": _path_following(protocol, tables, manifests),
        "unpaired": unpaired_counts(tables),
        "arms_without_music": list(arms_without_music(protocol)),
    }


def _path_following(
    protocol: StudyProtocol, tables: StudyTables, manifests: Mapping[SessionKey, RenderManifest]
) -> dict[str, Any]:
    """Planned against generated, by arm and predictor: figures, nulls, and every session's own figures."""
    sets = list(path_sets(protocol, tables, manifests))
    nulls, points = [], []
    for one in sets:
        rows, sessions = null_rows(protocol, one)
        nulls += [row.to_plain() for row in rows]
        points += sessions
    return {
        "parts": parts_of(tables, sets),
        "rows": [row.to_plain() for one in sets for row in figure_rows(protocol, one)],
        "nulls": nulls,
        "points": points,
    }
