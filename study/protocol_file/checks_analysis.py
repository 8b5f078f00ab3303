"""Checks of what is estimated: model, covariates, contrasts, strategies, missing data, looks."""

from __future__ import annotations

from collections.abc import Iterator

from study.analysis_plan import Aim, Model, Strategy
from study.protocol import SITE
from study.protocol_file.analysis import HIGHER_IS_BETTER
from study.protocol_file.draft import Part, run_checks, unknown
from study.protocol_file.text import Finding, did_you_mean, shown

_PRE_COVARIATES = ("pre_valence", "pre_arousal")
_CROSSOVER_COVARIATES = ("period", "sequence")


def check_analysis(draft: Part) -> Iterator[Finding]:
    """What is wrong with the analysis block."""
    yield from run_checks(
        (
            _model_fits_the_design,
            _covariates_are_known,
            _contrasts_compare_two_arms,
            _one_contrast_is_primary,
            _margins_belong_to_aims,
            _better_is_known,
            _composite_value_is_given,
            _looks_ascend,
            _missing_data_can_be_filled,
        ),
        draft,
    )


def _model_fits_the_design(top: Part) -> Iterator[Finding]:
    model = top["analysis"].get("model")
    if model is None:
        return
    is_crossover, several = top["design"].text == "crossover", top["session"]["count"].whole > 1
    if is_crossover != (model.text == Model.WITHIN_PERSON):
        remedy = "delete it, or write within_person" if is_crossover else "write ancova"
        yield model.finding(f"{shown(model.text)} is not a model of this design", remedy)
    elif model.text in (Model.MMRM, Model.RANDOM_EFFECTS) and not several:
        yield model.finding(f"{shown(model.text)} needs several sessions", "write ancova")


def _covariates_are_known(top: Part) -> Iterator[Finding]:
    factors = [stratum["factor"].text for stratum in top.at("allocation", "strata").parts()]
    if "sites" in top["allocation"].json:
        factors.append(SITE)
    is_crossover = top["design"].text == "crossover"
    allowed = [*_PRE_COVARIATES, *factors, *(_CROSSOVER_COVARIATES if is_crossover else ())]
    for covariate in top.at("analysis", "covariates").readable_parts():
        if covariate.text in allowed:
            continue
        if covariate.text in _CROSSOVER_COVARIATES:
            yield covariate.finding(f"{shown(covariate.text)} belongs to a crossover", "delete it")
        else:
            yield covariate.finding(
                f"{shown(covariate.text)} is nothing that can be adjusted for",
                did_you_mean(covariate.text, allowed) + "write one of " + ", ".join(allowed),
            )


def _contrasts_compare_two_arms(top: Part) -> Iterator[Finding]:
    arms = {arm["id"].text: arm for arm in top["arms"].parts()}
    seen: set[frozenset[str]] = set()
    for contrast in top.at("analysis", "contrasts").readable_parts():
        yield from run_checks((_contrast_compares,), contrast, arms, seen)


def _contrast_compares(contrast: Part, arms: dict[str, Part], seen: set[frozenset[str]]) -> Iterator[Finding]:
    pair = contrast["arms"].parts()
    for arm in pair:
        yield from unknown(arm, arms, "arm")
    names = [arm.text for arm in pair]
    if len(names) != 2 or any(name not in arms for name in names):
        return
    if names[0] == names[1]:
        yield contrast["arms"].finding(f"compares {shown(names[0])} with itself", "write two different arms")
    elif frozenset(names) in seen:
        yield contrast["arms"].finding(
            "compares two arms that another contrast compares", "delete one of them"
        )
    elif _played(arms[names[0]]) == _played(arms[names[1]]):
        yield contrast["arms"].finding(
            f"compares {shown(names[0])} and {shown(names[1])}, which play the same",
            "write another path or engine in one of the arms",
        )
    seen.add(frozenset(names))


def _played(arm: Part) -> object:
    return arm["path"].json, arm.json.get("engine")


def _one_contrast_is_primary(top: Part) -> Iterator[Finding]:
    contrasts = top.at("analysis", "contrasts")
    primary = [contrast for contrast in contrasts.parts() if contrast["primary"].is_true]
    if not primary:
        yield contrasts.finding("none is primary", "write primary true for the one that decides the study")
    for extra in primary[1:]:
        yield extra["primary"].finding(
            "is a second primary contrast", "write false for all but the one that decides the study"
        )


def _margins_belong_to_aims(top: Part) -> Iterator[Finding]:
    for contrast in top.at("analysis", "contrasts").readable_parts():
        yield from run_checks((_margin_belongs,), contrast)


def _margin_belongs(contrast: Part) -> Iterator[Finding]:
    aim, margin = contrast.get("aim"), contrast.get("margin")
    named = Aim.SUPERIORITY if aim is None else Aim(aim.text)
    if named is Aim.SUPERIORITY and margin is not None:
        yield margin.finding("superiority has no margin", "write another aim, or delete the margin")
    if aim is not None and named is not Aim.SUPERIORITY and margin is None:
        yield aim.finding(
            f"{shown(aim.text)} needs a margin", "write the largest difference that does not matter as margin"
        )


def _better_is_known(top: Part) -> Iterator[Finding]:
    analysis = top["analysis"]
    if analysis.get("higher_is_better") is not None:
        return
    if analysis["endpoint"].text in HIGHER_IS_BETTER:
        return
    for contrast in analysis["contrasts"].parts():
        aim = contrast.get("aim")
        if aim is not None and aim.text == Aim.NON_INFERIORITY:
            yield aim.finding(
                f"which way is better is not said of {shown(analysis['endpoint'].text)}",
                "write higher_is_better true or false in the analysis",
            )


def _composite_value_is_given(top: Part) -> Iterator[Finding]:
    estimand = top.at("analysis", "estimand")
    if estimand.get("composite_value") is not None:
        return
    for _, strategy in estimand["intercurrent_events"].fields():
        if strategy.text == Strategy.COMPOSITE:
            yield strategy.finding(
                "the composite strategy needs a value for whoever meets the event",
                "write composite_value in the estimand, or another strategy",
            )


def _looks_ascend(top: Part) -> Iterator[Finding]:
    interim = top["analysis"].get("interim")
    if interim is None:
        return
    looks = [look.number for look in interim["looks"].parts()]
    if looks != sorted(looks) or looks[-1] != 1:
        yield interim["looks"].finding(
            "looks are shares of the planned outcomes that ascend to 1", "write them so, such as [0.5, 1]"
        )
    elif interim["spending"].text in ("obrien_fleming", "pocock"):
        equal = [number / len(looks) for number in range(1, len(looks) + 1)]
        if any(abs(look - share) > 0.005 for look, share in zip(looks, equal, strict=True)):
            yield interim["spending"].finding(
                f"{shown(interim['spending'].text)} is for equally spaced looks",
                "write lan_demets_obrien_fleming or lan_demets_pocock",
            )


def _missing_data_can_be_filled(top: Part) -> Iterator[Finding]:
    missing = top["analysis"].get("missing")
    if missing is None:
        return
    reference, method = missing.get("reference_arm"), missing.get("method")
    if reference is not None:
        yield from unknown(reference, {arm["id"].text: arm for arm in top["arms"].parts()}, "arm")
    model = top["analysis"].get("model")
    if method is None or method.text != "multiple_imputation":
        return
    if top["design"].text == "crossover":
        yield method.finding("multiple imputation is for parallel designs", "write complete_cases")
    elif top["session"]["count"].whole > 1 and (model is None or model.text != Model.ANCOVA):
        yield method.finding(
            "a model of several sessions takes missing reports as they are",
            "delete it, or write model ancova",
        )
