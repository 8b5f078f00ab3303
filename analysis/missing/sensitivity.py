"""How far the result rests on what is assumed of missing outcomes.

Three assumptions beside each other: missing at random (multiple imputation),
missing as if in the reference arm, and missing and worse by a shift. Parallel
designs only. With several sessions the outcome is the last session's, drawn
from the first report and the strata; a mixed model of all sessions is a
further estimate under missing at random, and is not repeated here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from analysis.effects.endpoint import AT_TARGET, Outcome
from analysis.effects.endpoint_rows import estimand_of
from analysis.missing.imputation import impute
from analysis.missing.imputed_effects import fits_of, imputed_method, pooled_row
from analysis.missing.reference import jump_to_reference
from analysis.missing.tipping_point import find_tipping_point
from study.analysis_plan import Strategy
from study.protocol import Design, StudyProtocol


def missing_data_of(protocol: StudyProtocol, outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    """Imputed, delta-adjusted and reference-based estimates; None where no outcome is missing.

    Args:
        outcomes: as `apply_strategies` made them.

    Returns:
        n_missing, reasons (reason to n), imputations, reason (why nothing was drawn, or None),
        imputed and reference (a row for each contrast), tipping (see `TippingPoint`, or None).
        Who started at the target has no progress to miss and is not counted.

    Raises:
        UnknownName: the protocol lists a covariate there is no column for.
    """
    spec = protocol.analysis
    missing = Counter(
        outcome.reason_without(spec.endpoint)
        for outcome in outcomes
        if outcome.reason_without(spec.endpoint) not in (None, AT_TARGET)
    )
    if not missing:
        return None
    found: dict[str, Any] = {
        "n_missing": missing.total(),
        "reasons": dict(missing.most_common()),
        "imputations": 0,
        "reason": _why_not(protocol),
        "imputed": [],
        "reference": [],
        "tipping": None,
    }
    if found["reason"] is not None:
        return found
    imputed = impute(protocol, outcomes, spec.endpoint)
    if not imputed.is_drawn.any() and not imputed.refused:
        found["reason"] = "none of the missing outcomes can be drawn: " + "; ".join(
            reason for reason in imputed.left_out if reason != AT_TARGET
        )
        return found
    fits, method = fits_of(protocol, imputed), imputed_method(protocol)
    found["imputations"] = spec.missing.imputations
    found["imputed"] = [
        pooled_row(
            f"missing:imputed:{contrast.contrast_id}",
            contrast,
            imputed,
            fits,
            method,
            {
                "contrast_id": contrast.contrast_id,
                "arms": list(contrast.arm_ids),
                "is_primary": contrast.is_primary,
            },
            estimand_of(protocol, spec.endpoint),
        ).to_plain()
        for contrast in spec.contrasts
    ]
    found["reference"] = [
        jump_to_reference(protocol, outcomes, contrast).to_plain() for contrast in spec.contrasts
    ]
    found["tipping"] = find_tipping_point(protocol, imputed).to_plain()
    return found


def _why_not(protocol: StudyProtocol) -> str | None:
    if protocol.design is Design.CROSSOVER:
        return (
            "outcomes are drawn in parallel designs only; this crossover compares the periods "
            "that each person completed"
        )
    if Strategy.PRINCIPAL_STRATUM in protocol.analysis.estimand.intercurrent_events.values():
        return "a principal stratum is not estimable, so nothing was drawn for it"
    return None
