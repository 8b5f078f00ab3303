"""What will be estimated, as the protocol fixes it before anyone is enrolled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Model(StrEnum):
    """How the endpoint is modelled.

    `WITHIN_PERSON` belongs to crossovers, `MMRM` and `RANDOM_EFFECTS` to parallel designs of
    several sessions.
    """

    ANCOVA = "ancova"
    WITHIN_PERSON = "within_person"
    MMRM = "mmrm"
    RANDOM_EFFECTS = "random_effects"


class Aim(StrEnum):
    """What a contrast sets out to show."""

    SUPERIORITY = "superiority"
    EQUIVALENCE = "equivalence"
    NON_INFERIORITY = "non_inferiority"


class Strategy(StrEnum):
    """How an intercurrent event is dealt with (ICH E9(R1), A.3.2)."""

    TREATMENT_POLICY = "treatment_policy"
    HYPOTHETICAL = "hypothetical"
    COMPOSITE = "composite"
    WHILE_ON_TREATMENT = "while_on_treatment"
    PRINCIPAL_STRATUM = "principal_stratum"


@dataclass(frozen=True)
class Contrast:
    """A comparison of two arms; `arm_ids[0]` minus `arm_ids[1]`.

    Args:
        margin: of equivalence or non-inferiority, above 0, in the endpoint's unit; None for superiority.
    """

    contrast_id: str
    arm_ids: tuple[str, str]
    is_primary: bool
    aim: Aim = Aim.SUPERIORITY
    margin: float | None = None


@dataclass(frozen=True)
class Estimand:
    """ICH E9(R1): population, variable, intercurrent events with their strategies.

    Args:
        intercurrent_events: event to a value of `Strategy`.
        composite_value: the endpoint's value of whoever met an event of the composite strategy.
    """

    population: str
    variable: str
    summary: str
    intercurrent_events: Mapping[str, str]
    composite_value: float | None = None


@dataclass(frozen=True)
class Reliability:
    """How far people agree with themselves: the ceiling of any agreement with them.

    Args:
        valence, arousal: test-retest correlation, above 0 to 1.
        source: where the figures are from.
    """

    valence: float = 0.752
    arousal: float = 0.741
    source: str = "Larwood (2019), 30-s clips rated twice by 119 people"


@dataclass(frozen=True)
class AgreementSpec:
    """What self-report is paired with: seconds of sound heard before the report."""

    predictor: str
    probe_window_s: float
    post_window_s: float
    reliability: Reliability = Reliability()


@dataclass(frozen=True)
class MissingSpec:
    """What is done about outcomes that are missing.

    Args:
        method: ``complete_cases`` or ``multiple_imputation``, of the primary analysis.
        imputations: number of imputed data sets, here and in the sensitivity analyses.
        reference_arm_id: whom people are thought to have become like after they left, in
            jump to reference; None means each contrast's comparator.
    """

    method: str = "complete_cases"
    imputations: int = 50
    reference_arm_id: str | None = None


@dataclass(frozen=True)
class InterimSpec:
    """Looks at the arms before the end.

    Args:
        looks: share of the planned outcomes at each look, ascending, the last 1.
        spending: ``obrien_fleming``, ``pocock`` (equal spacing), ``lan_demets_obrien_fleming``
            or ``lan_demets_pocock``.
    """

    looks: tuple[float, ...]
    spending: str


@dataclass(frozen=True)
class PlanningSpec:
    """What the sample size rests on.

    Args:
        difference: of the primary contrast, in the endpoint's unit; None: `effect_size` × `sd`.
        difference_sd: how uncertain that is, as the SD of a normal distribution; 0 is certain.
        effect_size: standardised difference.
        sd: of the outcome within an arm, in the endpoint's unit.
        correlation: of `pre` and `post` on each axis.
        drop_out: share of those allocated who give no outcome.
        power: that the study is to have.
        source: where the figures are from.
    """

    difference: float | None = None
    difference_sd: float = 0.0
    effect_size: float = 0.3
    sd: float = 0.4
    correlation: float = 0.5
    drop_out: float = 0.1
    power: float = 0.8
    source: str | None = None


@dataclass(frozen=True)
class AnalysisSpec:
    """What will be estimated.

    Args:
        endpoint: ``projected_progress``, ``distance``, ``valence`` or ``arousal``.
        covariates: adjusted for.
        multiplicity: ``none``, ``holm`` or ``gatekeeping``.
        alpha: two-sided.
        higher_is_better: of the endpoint; None where the protocol does not say and nothing needs it.
    """

    endpoint: str
    instrument_id: str
    estimand: Estimand
    covariates: tuple[str, ...]
    contrasts: tuple[Contrast, ...]
    multiplicity: str
    alpha: float
    agreement: AgreementSpec
    model: Model = Model.ANCOVA
    higher_is_better: bool | None = None
    missing: MissingSpec = field(default_factory=MissingSpec)
    interim: InterimSpec | None = None
    planning: PlanningSpec | None = None

    @property
    def primary_contrast(self) -> Contrast:
        """The contrast that decides the study."""
        return next(contrast for contrast in self.contrasts if contrast.is_primary)
