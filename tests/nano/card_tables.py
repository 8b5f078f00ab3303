"""Tables of docs/generator.md, from docs/generator.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.generator.markdown import render_table
from analysis.generator.tabulated import Table
from analysis.wording import number
from generation.training.tracks import Split
from tests.nano.evaluation import CODED, COMPOSED
from tests.nano.recipes import REPORTED_BY

Content = Mapping[str, Any]

QUADRANTS = ("V+A+", "V+A−", "V−A+", "V−A−")


def told_table(content: Content, table_id: str) -> str:
    """A table of the evaluation, without what stands below it elsewhere."""
    fields = content["told"]["tables"].get(table_id)
    if fields is None:
        return ""
    rows = tuple(tuple(row) for row in fields["rows"])
    # That a ceiling has no music in a corner stands in its row already.
    notes = tuple(note for note in fields["notes"] if ": no V−A+ " not in note)
    table = Table(fields["table_id"], fields["caption"], tuple(fields["columns"]), rows, notes)
    return render_table(table, hidden=content["told"]["marks"])


def claims_of(content: Content, predictor: str) -> str:
    """What may be claimed as one predictor hears it, a point a system."""
    return "\n".join(
        f"- **{one['head']}: {one['summary']}.** {one['text']}"
        for one in content["told"]["claims"]
        if f"heard by {predictor} " in one["head"]
    )


def answer(content: Content) -> str:
    """Whether fine-tuning brought target and what is heard closer, in a sentence for each adapter."""
    found = []
    for one in content["told"]["claims"]:
        if f"heard by {REPORTED_BY} " in one["head"] and one["head"].startswith("LoRA"):
            name = one["head"].partition(" against ")[0]
            word = {
                "better": "yes, in part" if "not" in one["summary"] or "no" in one["summary"] else "yes",
                "worse": "no, the contrary",
                "mixed": "in some respects, and the contrary in others",
                "undecided": "not shown",
                "no claim": "cannot be said here",
            }[one["kind"]]
            found.append(f"- {name}: **{word}** ({one['summary']}).")
    return "\n".join(found)


def shortfalls(content: Content) -> str:
    """How far the adapters stay behind the music they learned from, as the reporting predictor hears both."""
    evaluation = content["evaluation"]
    value = {
        (one["system"], one["measure"]): one["estimate"]
        for one in evaluation["scores"]
        if one["predictor"] == REPORTED_BY
    }
    titles = {one["name"]: one["title"] for one in evaluation["systems"]}
    found = []
    for one in evaluation["systems"]:
        if one["role"] != "system" or not one["ceilings"] or not one["title"].startswith("LoRA"):
            continue
        ceiling = one["ceilings"][-1]
        clauses = []
        for axis in ("arousal", "valence"):
            own, most = (value.get((name, f"{axis}_slope")) for name in (one["name"], ceiling))
            if own is not None and most is not None:
                clauses.append(f"slope of {axis} {number(own)}, the ceiling's {number(most)}")
        if clauses:
            found.append(f"- {one['title']} ({titles[ceiling]} is its ceiling): {'; '.join(clauses)}.")
    return "\n".join(found)


def codec_loss(content: Content) -> str:
    """What the codec takes from the composed music, as the reporting predictor hears it."""
    r = {
        (one["ceiling"], one["axis"]): one["r"]["estimate"]
        for one in content["evaluation"]["ceilings"]
        if one["predictor"] == REPORTED_BY
    }
    clauses = [
        f"{axis} {number(r[COMPOSED, axis], 2, True)} before and {number(r[CODED, axis], 2, True)} after"
        for axis in ("arousal", "valence")
        if r.get((COMPOSED, axis)) is not None and r.get((CODED, axis)) is not None
    ]
    return f"r of places and what `{REPORTED_BY}` hears: {'; '.join(clauses)} the codec." if clauses else ""


def corpora_table(content: Content) -> str:
    """Hours, windows and quadrants of each training's music."""
    rows = []
    for one in content["trainings"]:
        data = one["data"]
        train, validation = (data["splits"].get(split.value) for split in (Split.TRAIN, Split.VALIDATION))
        quadrants = (data.get("quadrants") or {}).get(Split.TRAIN.value, ())
        has_places = any(row["windows"] for row in quadrants)
        shares = {row["name"]: row["share_of_windows"] for row in quadrants if has_places}
        rows.append(
            (
                f"`{one['name']}`",
                f"{train['tracks']}, {train['hours']:.1f} h",
                str(train["windows"]),
                str(validation["windows"]),
                *(f"{shares[name]:.0%}" if name in shares else "–" for name in QUADRANTS),
            )
        )
    return _table(("Training", "Tracks", "Windows", "Validation", *QUADRANTS), rows)


def packages_table(content: Content) -> str:
    """The packages of game music with their licences."""
    rows = [
        (
            package["name"],
            package["version"],
            f"{package['size_mb']} MB",
            str(package["tracks"]) if package["missing"] is None else f"missing: {package['missing']}",
            package["licence"],
        )
        for package in content["corpora"]["games"]["packages"]
    ]
    return _table(("Package (Debian 12, main)", "Version", "Download", "Tracks", "Licence"), rows)


def trainings_table(content: Content) -> str:
    """Steps and losses of every training."""
    rows = []
    for one in content["trainings"]:
        learned = one["learned"]
        rows.append(
            (
                f"`{one['name']}`",
                one["recipe"]["method"],
                one["labels"]["perspective"],
                str(learned["steps"]),
                f"{learned['validation_loss_of_the_base']:.3f}",
                f"{learned['validation_loss_at_the_end']:.3f}",
                f"{learned['best_value']:.3f} at {learned['best_step']}",
                _minutes(one["seconds"].get("learning", 0.0)),
            )
        )
    columns = ("Training", "Method", "Labels", "Steps", "Loss before", "Loss at the end", "Best", "Took")
    return _table(columns, rows)


def seconds_table(content: Content) -> str:
    """How long each stage took."""
    rows = [(name, _minutes(seconds)) for name, seconds in content["seconds"].items()]
    rows.append(("together", _minutes(sum(content["seconds"].values()))))
    return _table(("Stage", "Took"), rows)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
