"""The plan as the report tells it, and what a reader must know where the analysis differs from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.arm_names import arm_name
from analysis.effects.endpoint import AT_TARGET, ENDPOINTS, endpoint_method
from analysis.effects.endpoint_rows import method_of
from analysis.effects.estimate import Effects
from analysis.missing.imputed_effects import imputed_method
from analysis.result_row import json_ready
from study.analysis_plan import Model
from study.canonical import plain
from study.protocol import Design, StudyProtocol


def study_of(protocol: StudyProtocol) -> dict[str, Any]:
    """Title, design, arms, endpoint, estimand and method, as JSON values."""
    spec = protocol.analysis
    content: dict[str, Any] = json_ready(
        plain(
            {
                "study_id": protocol.study_id,
                "title": protocol.title,
                "version": protocol.version,
                "design": str(protocol.design),
                "sample_size": protocol.sample_size,
                "session_count": protocol.session_count,
                "duration_s": protocol.duration_s,
                "time_lapse_of_s": protocol.time_lapse_of_s,
                "start": protocol.start,
                "target": protocol.target,
                "arms": [
                    {
                        "arm": arm.arm_id,
                        "name": arm_name(arm.arm_id),
                        "label": arm.label,
                        "kind": str(arm.path.kind),
                    }
                    for arm in protocol.arms
                ],
                "endpoint": spec.endpoint,
                "endpoint_label": ENDPOINTS[spec.endpoint],
                "instrument_id": spec.instrument_id,
                "perspective": str(protocol.instrument(spec.instrument_id).perspective),
                "covariates": spec.covariates,
                "multiplicity": spec.multiplicity,
                "alpha": spec.alpha,
                "contrasts": spec.contrasts,
                "estimand": spec.estimand,
                "agreement": spec.agreement,
                "loudness_lufs": protocol.safety.loudness_lufs,
                "method": imputed_method(protocol) if _is_imputed(protocol) else method_of(protocol),
                "endpoint_method": endpoint_method(protocol),
            }
        )
    )
    return content


def _is_imputed(protocol: StudyProtocol) -> bool:
    spec = protocol.analysis
    return spec.model is Model.ANCOVA and spec.missing.method == "multiple_imputation"


def notes_of(protocol: StudyProtocol, primary: Effects, provenance: Mapping[str, Any]) -> list[str]:
    """Sentences on what was left out, not adjusted for, or done otherwise than the protocol says."""
    notes = []
    factors = [s.factor for s in protocol.allocation.strata if s.factor not in protocol.analysis.covariates]
    if factors and protocol.design is Design.PARALLEL:
        notes.append(
            f"Allocation was stratified by {', '.join(factors)}, which the protocol does not adjust for."
        )
    if primary.left_out:
        names = ", ".join(name.replace("_", " ") for name in primary.left_out)
        notes.append(f"Left out of the model because they do not vary in this sample: {names}.")
    if primary.missing.get(AT_TARGET):
        notes.append(
            f"{primary.missing[AT_TARGET]} started exactly at the target, so progress has no direction for "
            "them; they are left out of that endpoint and kept in the others."
        )
    used = {predictor["name"] for predictor in provenance["predictors"]}
    if used and protocol.analysis.agreement.predictor not in used:
        notes.append(
            f"The protocol names the predictor {protocol.analysis.agreement.predictor}; "
            f"predictions here are by {', '.join(sorted(used))}."
        )
    return notes
