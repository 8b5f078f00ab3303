"""CONSORT 2025, items 1 to 21: what the protocol and the record say of how the trial was done."""

from __future__ import annotations

from analysis.guidelines.checklist import Answer
from analysis.guidelines.consort_allocation import allocation_answers
from analysis.guidelines.trial import Trial, counted, day, listed, minutes
from study.protocol import SITE, StudyProtocol

_NOBODY = Answer(())


def methods_answers(trial: Trial) -> dict[str, Answer]:
    """Items 1a to 21d, by number."""
    return {**_front(trial), **_design(trial), **allocation_answers(trial), **_statistics(trial)}


def _front(trial: Trial) -> dict[str, Answer]:
    protocol, facts = trial.protocol, trial.facts
    has_random = "randomis" in protocol.title.lower() or "randomiz" in protocol.title.lower()
    registered = protocol.registration
    return {
        "1a": Answer(
            (f"Title of the protocol: {protocol.title}.",),
            missing="" if has_random else "the title does not say that the trial is randomised",
        ),
        "1b": Answer(
            ("The report's summary has design, numbers, primary result and harms.",),
            ("summary",),
            "background, conclusions",
        ),
        "2": Answer((f"Registered: {registered}.",), missing="date of registration")
        if registered
        else _NOBODY,
        "3": Answer(
            (
                f"Protocol {protocol.study_id}, version {protocol.version}, SHA-256 {protocol.sha256}, whole "
                "and with its analysis plan in the record.",
                f"The analysis plan was fixed at the freeze ({day(facts.frozen_at)}), SHA-256 "
                f"{facts.analysis_sha256}."
                if facts.analysis_sha256
                else "The record is not frozen yet.",
            ),
            ("provenance",),
            "where both can be read",
        ),
        "4": Answer(
            (
                "De-identified tables with their data dictionary: isopath export (BIDS, Psych-DS, CDISC "
                "Dataset-JSON, CSV, Parquet, and the signed record).",
            ),
            missing="where they are, and on what terms",
        ),
        "5a": _NOBODY,
        "5b": _NOBODY,
        "6": Answer((protocol.description,), missing="the literature") if protocol.description else _NOBODY,
        "7": Answer(
            (_objective(protocol), f"Harms: {_harms(protocol)}"), ("design",), "the objectives in words"
        ),
    }


def _design(trial: Trial) -> dict[str, Answer]:
    protocol = trial.protocol
    spec, allocation = protocol.analysis, protocol.allocation
    sites = next((s.levels for s in allocation.strata if s.factor == SITE), ())
    ratio = " : ".join(str(group.weight) for group in allocation.groups)
    aims = listed(sorted({str(contrast.aim).replace("_", " ") for contrast in spec.contrasts}))
    amendments = trial.results.conduct.get("amendments", ())
    planning = spec.planning
    return {
        "8": _NOBODY,
        "9": Answer(
            (
                f"{str(protocol.design).capitalize()}, {counted(len(protocol.arms), 'arm')}, allocation "
                f"{ratio} ({listed(group.group_id for group in allocation.groups)}); framework: {aims}.",
            ),
            ("design",),
        ),
        "10": Answer(
            tuple(
                f"{row['at'][:10]}: version {row['version']}, {counted(len(row['changes']), 'change')}, "
                f"because: {row['reason']}"
                for row in amendments
            )
            or ("The protocol was not amended.",),
            ("conduct", "deviations"),
            "analyses done otherwise than planned",
        ),
        "11": Answer(
            (f"Sites, as the protocol names them: {listed(sites)}.",) if sites else (),
            missing="kind of place and country",
        ),
        "12a": Answer((*filter(None, (protocol.population,)), *_eligibility(protocol))),
        "12b": _NOBODY,
        "13": Answer(
            (
                *(f"{arm.arm_id}: {arm.label} ({_path(protocol, arm.arm_id)})." for arm in protocol.arms),
                "The sounds are in the exports with their hashes; see the RG-MBI checklist.",
            ),
            ("design", "provenance"),
        ),
        "14": Answer(
            (
                f"Primary: {trial.results.study['endpoint_label']} by {spec.instrument_id}; "
                f"{spec.estimand.variable}; {spec.estimand.summary}.",
                "Time points: see the schedule (SPIRIT 2025, item 18).",
            ),
            ("outcome", "secondary"),
        ),
        "15": Answer((f"Definition: {_harms(protocol)}", *_stop_rules(protocol)), ("safety",)),
        "16a": Answer(
            (f"{protocol.sample_size} people planned.",)
            if planning is None
            else (
                f"{protocol.sample_size} people: power {planning.power:g} at two-sided {spec.alpha:g} for "
                + (
                    f"a difference of {planning.difference:g}"
                    if planning.difference is not None
                    else f"an effect size of {planning.effect_size:g}"
                )
                + f", SD {planning.sd:g}, correlation {planning.correlation:g}, drop-out "
                f"{planning.drop_out:g}" + (f" (from {planning.source})." if planning.source else "."),
            ),
            missing="every assumption behind the number"
            if planning is None
            else ("" if planning.source else "where the assumptions come from"),
        ),
        "16b": Answer(
            (
                "No interim analysis was planned."
                if spec.interim is None
                else f"Looks at {listed(f'{100 * share:g} %' for share in spec.interim.looks)} of the "
                f"planned outcomes, boundaries {spec.interim.spending.replace('_', ' ')}.",
                *_stop_rules(protocol),
            ),
            ("testing",),
        ),
    }


def _statistics(trial: Trial) -> dict[str, Answer]:
    spec, study = trial.protocol.analysis, trial.results.study
    strategies = listed(
        f"{event.replace('_', ' ')}: {strategy.replace('_', ' ')}"
        for event, strategy in sorted(spec.estimand.intercurrent_events.items())
    )
    return {
        "21a": Answer(
            (
                f"{study['method']}. Two-sided level {spec.alpha:g}; multiplicity: {spec.multiplicity}.",
                f"Covariates: {listed(name.replace('_', ' ') for name in spec.covariates)}.",
            ),
            ("design", "testing"),
        ),
        "21b": Answer(
            (
                f"{spec.estimand.population}; intercurrent events: {strategies}.",
                "Everybody is analysed in the group allocated.",
            ),
            ("design",),
        ),
        "21c": Answer(
            (
                f"Primary analysis: {spec.missing.method.replace('_', ' ')}; sensitivity analyses are in the "
                "report.",
            ),
            ("missing",),
        ),
        "21d": Answer(
            (
                "Every analysis of the report follows from the protocol; which of them decide is in the "
                "list of tests.",
            ),
            ("testing", "secondary", "missing"),
            "analyses done outside isopath",
        ),
    }


def _objective(protocol: StudyProtocol) -> str:
    contrast = protocol.analysis.primary_contrast
    first, second = contrast.arm_ids
    return f"Primary contrast: {first} against {second} ({str(contrast.aim).replace('_', '-')})."


def _harms(protocol: StudyProtocol) -> str:
    rule = protocol.safety
    return (
        f"distress is a felt valence of {rule.distress_valence:g} or lower with an arousal of "
        f"{rule.distress_arousal:g} or higher; adverse events are recorded by category, severity "
        "and relatedness."
    )


def _stop_rules(protocol: StudyProtocol) -> tuple[str, ...]:
    return tuple(
        f"Stop rule {rule.rule_id}: {rule.counts.replace('_', ' ')} in at least "
        f"{counted(rule.at_least, 'person', 'people')} of an arm"
        + (f" and {100 * rule.of_share:g} % of those who began." if rule.of_share else ".")
        for rule in protocol.safety.stop_rules
    )


def _eligibility(protocol: StudyProtocol) -> tuple[str, ...]:
    language = protocol.languages[0]
    return tuple(
        f"{question.text[language]} (eligible if {'yes' if question.eligible_if else 'no'})"
        for question in protocol.eligibility
    )


def _path(protocol: StudyProtocol, arm_id: str) -> str:
    path = protocol.arm(arm_id).path
    kind = str(path.kind).replace("_", " ")
    return (
        f"{kind}, {counted(path.steps, 'step')} of {minutes(path.step_s)}" if path.kind.is_composed else kind
    )
