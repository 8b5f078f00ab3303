"""What a sample size rests on, each figure with where it is from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from analysis.planning.simulated_outcomes import Scenario
from analysis.planning.truth import halves, true_difference, with_difference, with_sd
from study.affect import Affect
from study.analysis_plan import Aim, PlanningSpec
from study.errors import OutOfRange
from study.protocol import StudyProtocol

OWN = "isopath's default"
PUBLISHED: Mapping[str, float] = {
    "music and stress recovery in healthy people, g = 0.15 [−0.21, 0.52] (Adiasto et al. 2022)": 0.15,
    "music and psychological outcomes of stress, d = 0.545 (de Witte et al. 2020)": 0.545,
}
"""Standardised differences found in meta-analyses, for context."""

_SAME = OWN + ", or the same in the protocol's planning"
_SMALL = "isopath's default, a small effect, below what meta-analyses found in patients; see the context"
_ARRIVING = Affect(-0.45, 0.4)
_ARRIVING_SD = 0.22
_RECOVERY = 0.6
_NEAR = 0.3


@dataclass(frozen=True)
class Assumption:
    """One figure of the plan.

    Args:
        name: as the protocol's `analysis.planning` spells it, where it is there.
        value: a number or two (valence and arousal).
        unit: in words.
        source: the option, the protocol or isopath's default.
    """

    name: str
    value: float | tuple[float, float]
    unit: str
    source: str


@dataclass(frozen=True)
class Assumptions:
    """Everything a plan rests on.

    Args:
        planning: with `difference` filled in.
        said: the same, and the rest, for people.
        scenario: what is simulated, the primary contrast truly differing by `difference`.
    """

    planning: PlanningSpec
    said: tuple[Assumption, ...]
    scenario: Scenario

    @property
    def difference(self) -> float:
        """Of the primary contrast, in the endpoint's unit."""
        return self.planning.difference or 0.0


def assumptions_of(
    protocol: StudyProtocol, difference: float | None = None, power: float | None = None
) -> Assumptions:
    """The protocol's figures, with what was asked instead, and isopath's where there are none.

    Args:
        difference, power: instead of the protocol's.

    Raises:
        OutOfRange: a figure with which nothing can be shown, or which the scale has no room for.
    """
    stated = protocol.analysis.planning
    spec = stated or PlanningSpec()
    own = PlanningSpec()
    cited = "the protocol's planning" + (f": {spec.source}" if spec.source else "")

    def source(name: str) -> str:
        if stated is None:
            return OWN
        return cited if getattr(spec, name) != getattr(own, name) else _SAME

    wanted, why = _difference(protocol, spec, difference, cited)
    chosen = replace(spec, difference=wanted, power=spec.power if power is None else power)
    _check(protocol, chosen)
    scenario = _scenario(protocol, chosen)
    unit = "circumplex unit"
    d_source = cited if source("effect_size") == cited else _SMALL
    fixed = difference is not None or spec.difference is not None
    said = [
        Assumption("difference", wanted, unit, why),
        *(() if fixed else (Assumption("effect_size", spec.effect_size, "standard deviations", d_source),)),
        Assumption("difference_sd", spec.difference_sd, unit, source("difference_sd")),
        Assumption("sd", spec.sd, unit + ", of the outcome within an arm", source("sd")),
        Assumption("correlation", spec.correlation, "of before and after, each axis", source("correlation")),
        Assumption("drop_out", spec.drop_out, "share of those allocated", source("drop_out")),
        Assumption("power", chosen.power, "wanted", "the option --power" if power else source("power")),
        Assumption("pre_mean", scenario.pre_mean, "valence, arousal", _of_start(protocol)),
        Assumption("pre_sd", scenario.pre_sd, unit + ", each axis", OWN + ", as rehearsals have it"),
        Assumption(
            "post_mean", scenario.post_mean, "valence, arousal", OWN + ": 0.6 of the way to the target"
        ),
    ]
    if protocol.session_count > 1:
        words = "share of what varies between sessions that is the person's"
        said.append(
            Assumption("person_share", scenario.person_share, words, "taken equal to the correlation")
        )
    return Assumptions(chosen, tuple(said), scenario)


def _difference(
    protocol: StudyProtocol, spec: PlanningSpec, asked: float | None, cited: str
) -> tuple[float, str]:
    if asked is not None:
        return asked, "the option --difference"
    if spec.difference is not None:
        return spec.difference, cited
    if protocol.analysis.primary_contrast.aim is not Aim.SUPERIORITY:
        return 0.0, OWN + ": arms that do not differ"
    sign = -1.0 if protocol.analysis.higher_is_better is False else 1.0
    return sign * spec.effect_size * spec.sd, "effect_size × sd"


def _check(protocol: StudyProtocol, planning: PlanningSpec) -> None:
    contrast = protocol.analysis.primary_contrast
    difference, margin = planning.difference or 0.0, contrast.margin or 0.0
    if not math.isfinite(difference):
        raise OutOfRange("--difference", f"{difference} is not a number", "write one such as 0.12")
    if not protocol.analysis.alpha < planning.power < 1:
        raise OutOfRange("--power", f"{planning.power:g} cannot be planned for", "write one such as 0.8")
    sign = -1.0 if protocol.analysis.higher_is_better is False else 1.0
    if contrast.aim is Aim.SUPERIORITY and difference == 0:
        raise OutOfRange(
            "--difference", "no study shows that arms differ that do not", "write one such as 0.12"
        )
    if contrast.aim is Aim.EQUIVALENCE and abs(difference) >= margin:
        raise OutOfRange(
            "--difference",
            f"arms that differ by {difference:g} are not equivalent within {margin:g}",
            "write a smaller difference",
        )
    if contrast.aim is Aim.NON_INFERIORITY and sign * difference <= -margin:
        raise OutOfRange(
            "--difference", f"{difference:g} is inferior by the margin of {margin:g}", "write a better one"
        )


def _scenario(protocol: StudyProtocol, planning: PlanningSpec) -> Scenario:
    start, target = _start(protocol), protocol.target
    after = start.toward(target, _RECOVERY)
    rough = Scenario(
        endpoint=protocol.analysis.endpoint,
        moves={},
        pre_mean=(start.valence, start.arousal),
        post_mean=(after.valence, after.arousal),
        post_sd=planning.sd,
        pre_sd=_ARRIVING_SD,
        correlation=(planning.correlation, planning.correlation),
        person_share=planning.correlation,
        drop_out=planning.drop_out,
    )
    scaled = with_sd(protocol, rough, planning.sd)
    arms = protocol.analysis.primary_contrast.arm_ids
    return with_difference(protocol, scaled, arms, planning.difference or 0.0)


def movable(protocol: StudyProtocol, assumptions: Assumptions) -> tuple[Scenario, float]:
    """A scenario whose primary contrast truly differs, and by how much.

    For effects that are themselves uncertain: its moves, scaled, make other differences
    (in proportion, which the scale's ends bend a little).
    """
    if assumptions.difference:
        return assumptions.scenario, assumptions.difference
    arms = protocol.analysis.primary_contrast.arm_ids
    moved = replace(assumptions.scenario, moves=halves(arms, assumptions.planning.sd))
    return moved, true_difference(protocol, moved, arms).value


def _start(protocol: StudyProtocol) -> Affect:
    if protocol.start is not None:
        return protocol.start
    if _ARRIVING.distance_to(protocol.target) >= _NEAR:
        return _ARRIVING
    return Affect(-protocol.target.valence, -protocol.target.arousal)


def _of_start(protocol: StudyProtocol) -> str:
    if protocol.start is not None:
        return "the protocol's start"
    if _start(protocol) == _ARRIVING:
        return OWN + ": people arrive tense and low, as in rehearsals"
    return OWN + ": opposite the target"
