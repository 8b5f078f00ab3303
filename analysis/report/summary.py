"""The plain-language summary, and what a reader must know before it."""

from __future__ import annotations

from analysis.report.blocks import Block, Bullets, Facts, Section, Text
from analysis.report.sentences import difference_sentences, equivalence_sentence
from analysis.results import Results
from analysis.words import ENGLISH, Words
from study.simulation import RESPONSE_SD


def summary_section(results: Results, words: Words) -> Section:
    """In plain words."""
    blocks: list[Block] = [Text(summary_text(results, words), lead=True)]
    warnings = [text for text in (rehearsal_text(results, words), interim_text(results, words)) if text]
    blocks += [Text(text) for text in warnings]
    if results.notes:
        blocks.append(Bullets(tuple(words.marked(note) for note in results.notes)))
    blocks.append(
        Facts(
            (
                *(
                    (words.text("design.arm", name=arm["name"]), arm["label"])
                    for arm in results.study["arms"]
                ),
                (words.text("provenance.protocol"), results.provenance["protocol_sha256"]),
                (
                    words.text("provenance.record"),
                    results.provenance["record_head_sha256"] or words.text("provenance.not_given"),
                ),
            )
        )
    )
    return Section("summary", words.text("summary.heading"), tuple(blocks))


def summary_text(results: Results, words: Words = ENGLISH) -> str:
    """One paragraph for somebody who knows no statistics."""
    row = results.primary["row"]
    sentences = [_came(results, words), _outcome(results, words)]
    if row is None:
        sentences.append(words.text("outcome.no_contrast"))
    else:
        sentences += difference_sentences(results, row, words)
    if row is not None and not results.shuffled:
        sentences += [
            equivalence_sentence(results, one, words)
            for one in results.equivalence
            if one["contrast_id"] == row["contrast_id"]
        ]
        if row["estimate"] is not None:
            sentences.append(words.text("summary.average"))
    return " ".join(sentences)


def rehearsal_text(results: Results, words: Words = ENGLISH) -> str | None:
    """What was planted in a rehearsal, and in what time-lapse; None for a study with people."""
    planted = results.rehearsal
    if planted is None:
        return None
    text = words.text(
        "summary.rehearsal",
        seed=planted["seed"],
        effect=words.number(planted["effect"]),
        in_units=words.number(planted["effect"] * RESPONSE_SD),
        agreement=words.number(planted["agreement"], 2, True),
    )
    planned_s = results.study["time_lapse_of_s"]
    if planned_s is not None and planned_s != results.study["duration_s"]:
        lapse = words.text(
            "summary.time_lapse",
            ran=f"{results.study['duration_s']:g}",
            planned=f"{planned_s:g}",
        )
        return f"{text} {lapse}"
    return text


def interim_text(results: Results, words: Words = ENGLISH) -> str | None:
    """A warning while the study is not complete; None when it is."""
    allocated, planned = results.flow["allocated"], results.study["sample_size"]
    under_way = sum(group["under_way"] for group in results.flow["groups"])
    waiting = results.primary["missing"].get("not yet given", 0)
    if allocated >= planned and not under_way and not waiting:
        return None
    coming = words.text("summary.to_come", outcomes=words.counted(waiting, "outcome")) if waiting else ""
    return words.text("summary.under_way", allocated=allocated, planned=planned, coming=coming)


def _came(results: Results, words: Words) -> str:
    study, flow = results.study, results.flow
    names = [arm["name"] for arm in study["arms"]]
    if len(names) == 1:
        given = words.text("summary.only_arm", arm=names[0])
    elif study["design"] == "crossover":
        given = words.text("summary.order", arms=words.listed(names, "and"))
    else:
        given = words.text("summary.allocated", arms=words.listed(names, "or"))
    people = words.counted(flow["enrolled"], "simulated" if results.simulated else "participant")
    return words.text("summary.came", people=people, allocated=flow["allocated"], given=given)


def _outcome(results: Results, words: Words) -> str:
    study = results.study
    return words.text(
        f"summary.reported.{study['perspective']}", what=words.text(f"summary.what.{study['endpoint']}")
    )
