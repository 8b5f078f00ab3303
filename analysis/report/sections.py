"""The report's sections, in the order of a CONSORT report."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.figures.circumplex import circumplex_images, time_course_images
from analysis.figures.flow import flow_image
from analysis.figures.outcomes import change_image, forest_image
from analysis.report.agreement import agreement_section
from analysis.report.blocks import Block, Bullets, Facts, Pictures, Section, Text
from analysis.report.summary import interim_text, rehearsal_text, summary_text
from analysis.report.tables import (
    adherence_table,
    adverse_event_table,
    arms_table,
    baseline_table,
    contrasts_table,
    deviation_table,
    flow_table,
    ledger_table,
    missing_table,
    safety_table,
)
from analysis.results import Results
from analysis.wording import counted, p_text

LIMITS = (
    "Felt and perceived are different: reports here say what people felt unless marked perceived; "
    "music emotion recognition (MER) estimates what the music expresses. What is felt is usually equal "
    "or weaker.",
    "MER is a model's guess from sound. It was not made for generated music and is not a measure of anyone's "
    "feeling; agreement with it is described, never taken as proof of an effect.",
    "Valence and arousal are two numbers; much of an experience of music is not in them.",
    "The figures describe groups. They do not predict one person's response, and this software is not a "
    "medical device: it must not be used to diagnose or to choose treatment.",
)


def subtitle_of(results: Results) -> str:
    """Study, version and design in one line."""
    study = results.study
    design = {"parallel": "parallel groups", "crossover": "crossover"}[study["design"]]
    return (
        f"{study['study_id']}, protocol version {study['version']}, {design}, "
        f"{counted(study['session_count'], 'session')} of {study['duration_s'] / 60:.4g} min"
    )


def all_sections(results: Results) -> tuple[Section, ...]:
    """Every section of the report."""
    return (
        _summary(results),
        _participants(results),
        _outcome(results),
        _paths(results),
        _listening(results),
        agreement_section(results),
        _missing(results),
        _safety(results),
        _plan(results),
        _limits(results),
        _provenance(results),
    )


def _summary(results: Results) -> Section:
    blocks: list[Block] = [Text(summary_text(results), lead=True)]
    rehearsal = rehearsal_text(results)
    if rehearsal is not None:
        blocks.append(Text(rehearsal))
    interim = interim_text(results)
    if interim is not None:
        blocks.append(Text(interim))
    blocks.append(
        Facts(
            (
                *((f"Arm: {arm['name']}", arm["label"]) for arm in results.study["arms"]),
                ("Protocol", results.provenance["protocol_sha256"]),
                ("Record", results.provenance["record_head_sha256"] or "hash not given"),
            )
        )
    )
    return Section("summary", "In plain words", tuple(blocks))


def _participants(results: Results) -> Section:
    blocks: list[Block] = [Pictures((flow_image(results),), wide=True), flow_table(results)]
    if results.flow["allocated"]:
        blocks.append(baseline_table(results))
    else:
        blocks.append(Text("Nobody is allocated yet, so there is no Table 1."))
    return Section("participants", "Participants", tuple(blocks))


def _outcome(results: Results) -> Section:
    blocks: list[Block] = [arms_table(results.primary)]
    if results.primary["contrasts"]:
        blocks.append(contrasts_table(results.primary, f"{results.primary['endpoint_label']}: differences"))
        blocks.append(ledger_table(results))
    else:
        blocks.append(Text("The protocol compares no arms."))
    images = [change_image(results)]
    if results.primary["contrasts"]:
        images.append(forest_image(results))
    blocks.append(Pictures(tuple(images)))
    for effects in results.secondary if results.primary["contrasts"] else []:
        note = ", also moved by spread (lower is closer)" if effects["endpoint"] == "distance" else ""
        blocks.append(contrasts_table(effects, f"Secondary: {effects['endpoint_label']}{note}"))
    both = [
        f"Both axes at once, {row['label']}: "
        + (
            f"not tested ({row['reason']})"
            if row["p_value"] is None
            else f"Hotelling's T² = {row['t_squared']:.2f}, p {_equals(row['p_value'])}"
        )
        for row in results.both_axes
    ]
    if both:
        blocks.append(Bullets(tuple(both)))
    study = results.study
    blocks.append(
        Text(
            f"{study['endpoint_label']}: {study['endpoint_method']}. {study['method']}. "
            "Missing outcomes are counted and not filled in."
        )
    )
    if results.notes:
        blocks.append(Bullets(tuple(results.notes)))
    return Section("outcome", f"Outcome: {results.study['endpoint_label'].lower()}", tuple(blocks))


def _paths(results: Results) -> Section:
    text = (
        "Mean paths of each arm on the circumplex: what was planned, what the sound expresses by MER "
        "(perceived), and what people reported. Small marks are single people before (hollow) and after "
        "(filled)."
    )
    return Section(
        "paths",
        "Planned, generated and felt",
        (
            Text(text),
            Pictures(tuple(circumplex_images(results))),
            Pictures(tuple(time_course_images(results))),
        ),
    )


def _listening(results: Results) -> Section:
    return Section("listening", "Listening", (adherence_table(results),))


def _missing(results: Results) -> Section:
    return Section("missing", "Missing reports", (missing_table(results),))


def _safety(results: Results) -> Section:
    blocks: list[Block] = [safety_table(results)]
    if results.safety["adverse_events"]:
        blocks.append(adverse_event_table(results))
    else:
        blocks.append(Text("No adverse event is recorded."))
    return Section("safety", "Safety", tuple(blocks))


def _plan(results: Results) -> Section:
    estimand = results.study["estimand"]
    events = estimand["intercurrent_events"]
    blocks: list[Block] = [
        Facts(
            (
                ("Population", estimand["population"]),
                ("Variable", estimand["variable"]),
                ("Summary", estimand["summary"]),
                *((f"If {_words(event)}", _words(strategy)) for event, strategy in events.items()),
            )
        )
    ]
    blocks.append(deviation_table(results) if results.deviations else Text("No deviation is recorded."))
    return Section("plan", "Estimand (ICH E9 R1) and deviations from the plan", tuple(blocks))


def _limits(results: Results) -> Section:
    first = (
        (
            "Everybody in this report is simulated by a documented response function. "
            "Nothing here is evidence about people or about music.",
        )
        if results.simulated
        else ()
    )
    return Section("limits", "Limits", (Bullets((*first, *LIMITS)),))


def _provenance(results: Results) -> Section:
    made = results.provenance
    items = [
        ("Protocol SHA-256", made["protocol_sha256"]),
        ("Record head SHA-256", made["record_head_sha256"] or "not given"),
        ("Software", ", ".join(f"{name} {version}" for name, version in made["software"].items())),
        ("Loudness", f"{results.study['loudness_lufs']:g} LUFS, every arm"),
        *((f"Engine {name}", counted(n, "session")) for name, n in made["engines"].items()),
        *((f"Rendered on {name}", counted(n, "session")) for name, n in made["devices"].items()),
        *_takes(made["takes"]),
        *(
            (f"Sound from {name}", f"{version}; {made['licences'].get(name, 'licence not stated')}")
            for name, version in made["models"].items()
        ),
        *(
            (f"Licence of {name}", licence)
            for name, licence in made["licences"].items()
            if name not in made["models"]
        ),
    ]
    for predictor in made["predictors"]:
        licences = ", ".join(f"{part}: {licence}" for part, licence in predictor["licences"].items())
        items.append(
            (f"Predictor {predictor['name']} {predictor['version']}", licences or "licence not stated")
        )
        items += [(f"SHA-256 of {name}", sha256) for name, sha256 in predictor["weights_sha256"].items()]
    blocks: list[Block] = [Facts(tuple(items))]
    if made["render_notes"]:
        blocks.append(Bullets(tuple(made["render_notes"])))
    return Section("provenance", "Versions, hashes and licences", tuple(blocks))


def _takes(takes: Mapping[str, int]) -> list[tuple[str, str]]:
    """How many clips a generating engine made for what is heard; nothing for one that makes no clips."""
    if not takes["generated"]:
        return []
    told = f"{takes['generated']}, of which {takes['heard']} are heard"
    return [("Clips generated", f"{told}; draws near a tie: {takes['near_ties']}")]


def _equals(p_value: float) -> str:
    text = p_text(p_value)
    return text if text[0] in "<>" else f"= {text}"


def _words(name: str) -> str:
    return name.replace("_", " ")
