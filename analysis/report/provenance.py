"""The report's sections on limits and on what every number rests on."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.report.blocks import Block, Bullets, Facts, Section
from analysis.results import Results
from analysis.words import Words

LIMITS = ("felt", "mer", "axes", "groups")


def limits_section(results: Results, words: Words) -> Section:
    """What this study and this software cannot tell."""
    first = [words.text("limits.simulated")] if results.simulated else []
    if results.shuffled:
        first.append(words.marked(results.shuffled))
    said = tuple(words.text(f"limits.{name}") for name in LIMITS)
    return Section("limits", words.text("limits.heading"), (Bullets((*first, *said)),))


def provenance_section(results: Results, words: Words) -> Section:
    """Versions, seeds, hashes and licences."""
    made = results.provenance
    not_said = words.text("provenance.licence_not_stated")
    items = [
        (words.text("provenance.protocol"), made["protocol_sha256"]),
        (
            words.text("provenance.record"),
            made["record_head_sha256"] or words.text("provenance.not_given"),
        ),
        *(
            (words.text("provenance.table", name=name), sha256)
            for name, sha256 in made.get("tables_sha256", {}).items()
        ),
        (
            words.text("provenance.software"),
            ", ".join(f"{name} {version}" for name, version in made["software"].items()),
        ),
        (words.text("provenance.seeds"), words.text("provenance.seeds_are")),
        *(
            (words.text("provenance.engine", name=name), words.counted(n, "session"))
            for name, n in made["engines"].items()
        ),
        *(
            (words.text("provenance.device", name=name), words.counted(n, "session"))
            for name, n in made["devices"].items()
        ),
        *_takes(made["takes"], words),
        *(
            (words.text("provenance.sound", name=name), f"{version}; {made['licences'].get(name, not_said)}")
            for name, version in made["models"].items()
        ),
        *(
            (words.text("provenance.licence", name=name), licence)
            for name, licence in made["licences"].items()
            if name not in made["models"]
        ),
    ]
    for predictor in made["predictors"]:
        licences = ", ".join(f"{part}: {licence}" for part, licence in predictor["licences"].items())
        name = f"{predictor['name']} {predictor['version']}"
        items.append((words.text("provenance.predictor", name=name), licences or not_said))
        items += [
            (words.text("provenance.weights", name=name), sha256)
            for name, sha256 in predictor["weights_sha256"].items()
        ]
    blocks: list[Block] = [Facts(tuple(items))]
    if made["render_notes"]:
        blocks.append(Bullets(tuple(map(words.marked, made["render_notes"]))))
    return Section("provenance", words.text("provenance.heading"), tuple(blocks))


def _takes(takes: Mapping[str, int], words: Words) -> list[tuple[str, str]]:
    """How many clips a generating engine made for what is heard; nothing for one that makes no clips."""
    if not takes["generated"]:
        return []
    return [(words.text("provenance.clips"), words.text("provenance.clips_are", **takes))]
