"""The report's sections on harms and on deviations from the plan."""

from __future__ import annotations

from analysis.report.blocks import Block, Section, Table, Text
from analysis.results import Results
from analysis.wording import NONE
from analysis.words import Words


def safety_section(results: Results, words: Words) -> Section:
    """Distress and adverse events, by arm and one by one."""
    blocks: list[Block] = [safety_table(results, words)]
    if results.safety["adverse_events"]:
        blocks.append(adverse_event_table(results, words))
    else:
        blocks.append(Text(words.text("safety.no_event")))
    return Section("safety", words.text("safety.heading"), tuple(blocks))


def deviations_section(results: Results, words: Words) -> Section:
    """What was done otherwise than the protocol says."""
    blocks: tuple[Block, ...] = (
        (deviation_table(results, words),) if results.deviations else (Text(words.text("deviations.none")),)
    )
    return Section("deviations", words.text("deviations.heading"), blocks)


def safety_table(results: Results, words: Words) -> Table:
    """Distress and adverse events by arm."""
    rows = tuple(
        (
            arm["label"],
            *(words.share_text(arm["distress"][phase]) for phase in ("pre", "probe", "post")),
            words.share_text(arm["stopped_for_distress"]),
            words.share_text(arm["ended_for_safety"]),
            words.text(
                "safety.events_in",
                n=arm["adverse_events"],
                people=words.share_text(arm["with_adverse_event"]),
            ),
        )
        for arm in results.safety["arms"]
    )
    rule = results.safety["rule"]
    names = ("before", "during", "after", "stopped", "ended", "events")
    return Table(
        words.text("safety.caption"),
        (words.text("listening.arm"), *(words.text(f"safety.{name}") for name in names)),
        rows,
        words.text(
            "safety.note",
            valence=words.number(rule["valence_at_most"]),
            arousal=words.number(rule["arousal_at_least"]),
        ),
    )


def adverse_event_table(results: Results, words: Words) -> Table:
    """Each adverse event."""
    names = {arm["arm"]: arm["name"] for arm in results.study["arms"]}
    rows = tuple(
        (
            event["participant_id"] or NONE,
            names.get(event["arm"] or "", NONE),
            *(
                words.name("harm", event[part]) if event[part] else NONE
                for part in ("category", "severity", "relatedness")
            ),
            event["description"] or NONE,
        )
        for event in results.safety["adverse_events"]
    )
    columns = ("participant", "arm", "category", "severity", "relatedness", "description")
    return Table(
        words.text("safety.each"),
        tuple(words.text(f"safety.{name}") for name in columns),
        rows,
        numeric=False,
    )


def deviation_table(results: Results, words: Words) -> Table:
    """Each deviation from the protocol."""
    rows = tuple(
        (
            row["at"][:16].replace("T", " "),
            row["participant_id"] or NONE,
            row["description"] or NONE,
            row["reason"] or NONE,
        )
        for row in results.deviations
    )
    columns = ("when", "participant", "what", "why")
    return Table(
        words.text("deviations.caption"),
        tuple(words.text(f"deviations.{name}") for name in columns),
        rows,
        numeric=False,
    )
