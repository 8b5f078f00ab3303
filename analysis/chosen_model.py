"""Which model the protocol chose, and the estimates of one endpoint by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from analysis.effects.endpoint import Outcome
from analysis.effects.estimate import Effects, estimate_effects, without_estimates
from analysis.effects.repeated import estimate_repeated
from analysis.missing.imputed_effects import estimate_imputed
from study.analysis_plan import Model
from study.protocol import StudyProtocol


def estimate_endpoint(
    protocol: StudyProtocol,
    outcomes: Sequence[Outcome],
    visits: Sequence[Outcome],
    endpoint: str,
    not_estimable: str | None = None,
) -> Effects:
    """Adjusted means and differences of one endpoint, by the protocol's model and no other.

    A model that cannot be fitted gives rows with a reason; another is never tried.

    Args:
        outcomes: as `outcomes_of` and `apply_strategies` made them.
        visits: as `visits_of` and `apply_strategies` made them; read by models of several sessions.
        endpoint: a key of `ENDPOINTS`.
        not_estimable: why the protocol's estimand has no estimate at all, or None.

    Raises:
        UnknownName: the protocol lists a covariate there is no column for.
    """
    if not_estimable is not None:
        return without_estimates(protocol, outcomes, endpoint, not_estimable)
    match protocol.analysis.model:
        case Model.MMRM | Model.RANDOM_EFFECTS:
            return estimate_repeated(protocol, visits, endpoint)
        case Model.ANCOVA if protocol.analysis.missing.method == "multiple_imputation":
            return estimate_imputed(protocol, outcomes, endpoint)
        case Model.ANCOVA | Model.WITHIN_PERSON:
            return estimate_effects(protocol, outcomes, endpoint)
        case other:
            assert_never(other)
