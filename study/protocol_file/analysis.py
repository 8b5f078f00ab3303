"""The protocol file's analysis block as an `AnalysisSpec`."""

from __future__ import annotations

from types import MappingProxyType

from study.analysis_plan import (
    AgreementSpec,
    Aim,
    AnalysisSpec,
    Contrast,
    Estimand,
    InterimSpec,
    MissingSpec,
    Model,
    PlanningSpec,
    Reliability,
)
from study.protocol import Design
from study.protocol_file.draft import Part
from study.protocol_file.shape import default_number

HIGHER_IS_BETTER = {"projected_progress": True, "distance": False}
"""Endpoints whose better direction needs no word of the protocol."""


def analysis_of(part: Part, design: Design, session_count: int) -> AnalysisSpec:
    """The block as the analysis reads it, with what it leaves out filled in."""
    interim, better = part.get("interim"), part.get("higher_is_better")
    return AnalysisSpec(
        endpoint=part["endpoint"].text,
        instrument_id=part["instrument"].text,
        estimand=_estimand(part["estimand"]),
        covariates=tuple(part["covariates"].texts),
        contrasts=tuple(_contrast(contrast) for contrast in part["contrasts"].parts()),
        multiplicity=part["multiplicity"].text,
        alpha=part["alpha"].number,
        agreement=_agreement(part["agreement"]),
        model=Model(_text_or(part, "model", str(usual_model(design, session_count)))),
        higher_is_better=(HIGHER_IS_BETTER.get(part["endpoint"].text) if better is None else better.is_true),
        missing=_missing(part.get("missing")),
        interim=None
        if interim is None
        else InterimSpec(tuple(look.number for look in interim["looks"].parts()), interim["spending"].text),
        planning=_planning(part.get("planning")),
    )


def usual_model(design: Design, session_count: int) -> Model:
    """The model of a protocol that names none."""
    if design is Design.CROSSOVER:
        return Model.WITHIN_PERSON
    return Model.MMRM if session_count > 1 else Model.ANCOVA


def _estimand(part: Part) -> Estimand:
    return Estimand(
        part["population"].text,
        part["variable"].text,
        part["summary"].text,
        MappingProxyType({name: strategy.text for name, strategy in part["intercurrent_events"].fields()}),
        _number_or(part, "composite_value", None),
    )


def _contrast(part: Part) -> Contrast:
    return Contrast(
        part["id"].text,
        (part["arms"].texts[0], part["arms"].texts[1]),
        part["primary"].is_true,
        Aim(_text_or(part, "aim", str(Aim.SUPERIORITY))),
        _number_or(part, "margin", None),
    )


def _agreement(part: Part) -> AgreementSpec:
    windows = [
        default_number("analysis", "agreement", name) if part.get(name) is None else part[name].number
        for name in ("probe_window_s", "post_window_s")
    ]
    stated = part.get("reliability")
    reliability = (
        Reliability()
        if stated is None
        else Reliability(stated["valence"].number, stated["arousal"].number, stated["source"].text)
    )
    return AgreementSpec(part["predictor"].text, windows[0], windows[1], reliability)


def _missing(part: Part | None) -> MissingSpec:
    if part is None:
        return MissingSpec()
    number, reference = part.get("imputations"), part.get("reference_arm")
    return MissingSpec(
        _text_or(part, "method", "complete_cases"),
        int(default_number("analysis", "missing", "imputations")) if number is None else number.whole,
        None if reference is None else reference.text,
    )


def _planning(part: Part | None) -> PlanningSpec | None:
    if part is None:
        return None
    source = part.get("source")
    figures = {
        name: default_number("analysis", "planning", name) if part.get(name) is None else part[name].number
        for name in ("difference_sd", "effect_size", "sd", "correlation", "drop_out", "power")
    }
    return PlanningSpec(
        difference=_number_or(part, "difference", None),
        source=None if source is None else source.text,
        **figures,
    )


def _text_or(part: Part, name: str, otherwise: str) -> str:
    found = part.get(name)
    return otherwise if found is None else found.text


def _number_or(part: Part, name: str, otherwise: float | None) -> float | None:
    found = part.get(name)
    return otherwise if found is None else found.number
