"""Tables of docs/generator.md, from docs/generator.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.generator.markdown import render_table
from analysis.generator.tabulated import Table
from generation.training.tracks import Split
from tests.nano.recipes import REPORTED_BY

Content = Mapping[str, Any]

QUADRANTS = ("V+A+", "V+A-", "V-A+", "V-A-")


def told_table(content: Content, table_id: str) -> str:
    """A table of the evaluation, without what stands below it elsewhere."""
    fields = content["told"]["tables"].get(table_id)
    if fields is None:
        return ""
    table = Table(
        fields["table_id"],
        fields["caption"],
        tuple(fields["columns"]),
        tuple(tuple(row) for row in fields["rows"]),
        tuple(fields["notes"]),
    )
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


def corpora_table(content: Content) -> str:
    """Hours, windows and quadrants of each training's music."""
    rows = []
    for one in content["trainings"]:
        data = one["data"]
        train, validation = (data["splits"].get(split.value) for split in (Split.TRAIN, Split.VALIDATION))
        shares = {row["name"].replace("−", "-"): row for row in _quadrants(data)}
        rows.append(
            (
                f"`{one['name']}`",
                f"{train['tracks']}, {train['hours']:.1f} h",
                str(train["windows"]),
                str(validation["windows"]),
                *(f"{shares[name]['share']:.0%}" if name in shares else "–" for name in QUADRANTS),
            )
        )
    return _table(("Training", "Tracks", "Windows", "Validation", *QUADRANTS), rows)


def _quadrants(data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found = data.get("quadrants") or {}
    return [row for row in found.get(Split.TRAIN.value, ()) if row.get("share") is not None]


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
