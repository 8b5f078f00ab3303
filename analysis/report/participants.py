"""The report's sections on who took part and what they heard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.figures.drawing import FigureImage
from analysis.report.blocks import Block, Heading, Pictures, Section, Table, Text
from analysis.report.rows import rows_table
from analysis.results import Results
from analysis.wording import NONE
from analysis.words import Words

Images = Mapping[str, FigureImage]


def participants_section(results: Results, words: Words, images: Images) -> Section:
    """The flow with its reasons, and Table 1."""
    blocks: list[Block] = []
    if "flow" in images:
        blocks.append(Pictures((images["flow"],), wide=True))
    if results.flow["allocated"]:
        blocks.append(baseline_table(results, words))
    else:
        blocks.append(Text(words.text("baseline.nobody")))
    blocks.append(flow_table(results, words))
    return Section("participants", words.text("participants.heading"), tuple(blocks))


def listening_section(results: Results, words: Words, images: Images) -> Section:
    """What was heard, and what was felt by how much was heard."""
    return Section(
        "listening",
        words.text("listening.heading"),
        (adherence_table(results, words), *_dose_blocks(results, words, images)),
    )


def baseline_table(results: Results, words: Words) -> Table:
    """Table 1."""
    baseline = results.baseline
    names = [*(group["label"] for group in results.flow["groups"]), words.text("baseline.all")]
    columns = tuple(f"{name} (n\u00a0=\u00a0{n})" for name, n in zip(names, baseline["n"], strict=True))
    rows = []
    for row in baseline["rows"]:
        name = words.marked(row["characteristic"])
        if row["level"] is not None:
            name = f"{name}: {row['level']}"
        rows.append((name, *(_baseline_cell(row["kind"], cell, words) for cell in row["cells"])))
    return Table(
        words.text("baseline.caption"),
        (words.text("baseline.characteristic"), *columns),
        tuple(rows),
        words.text("baseline.note"),
    )


def flow_table(results: Results, words: Words) -> Table:
    """The flow diagram's numbers with every reason, one column per group."""
    groups = results.flow["groups"]
    counts = ("allocated", "started", "not_started", "completed", "stopped", "under_way", "analysed")
    rows = tuple(
        (words.text(f"flow.{name}"), *(_flow_cell(group[name], words) for group in groups))
        for name in (*counts, "not_analysed")
    )
    flow = results.flow
    return Table(
        words.text("flow.caption"),
        (words.text("flow.stage"), *(group["label"] for group in groups)),
        rows,
        words.text("flow.note", enrolled=flow["enrolled"], reasons=words.reasons_text(flow["not_allocated"])),
    )


def adherence_table(results: Results, words: Words) -> Table:
    """What was heard."""
    rows = tuple(
        (
            row["label"],
            words.share_text(row["started"]),
            words.share_text(row["completed"]),
            _median(row["heard_s"], words),
            words.number(row["planned_s"], 0),
            words.text("listening.pauses_in", n=row["pauses"], sessions=words.share_text(row["paused"])),
            words.reasons_text({reason.replace("_", " "): n for reason, n in row["stopped"].items()}),
        )
        for row in results.adherence
    )
    names = ("arm", "started", "completed", "seconds", "planned", "pauses", "stopped")
    return Table(
        words.text("listening.caption"),
        tuple(words.text(f"listening.{name}") for name in names),
        rows,
        words.text("listening.note"),
    )


def _dose_blocks(results: Results, words: Words, images: Images) -> list[Block]:
    dose = results.dose
    if not dose or not dose.get("arms"):
        return []
    bands = [str(band) for band in dose["bands"]]
    rows = tuple(
        (
            arm["label"],
            *(_dose_cell(arm["bands"], band, words) for band in dose["bands"]),
            words.number(arm["heard_s_median"], 0),
            words.number(arm["heard_share_mean"], 2, True),
        )
        for arm in dose["arms"]
    )
    blocks: list[Block] = [
        Heading(words.text("dose.heading")),
        Text(words.text("dose.said")),
        Table(
            words.text("dose.caption"),
            (
                words.text("listening.arm"),
                *(words.marked(band) for band in bands),
                words.text("dose.median"),
                words.text("dose.share"),
            ),
            rows,
            f"{words.text('dose.note')} {words.marked(dose.get('note'))}".strip(),
        ),
    ]
    if dose.get("slope_rows"):
        blocks.append(rows_table(words.text("dose.slopes"), dose["slope_rows"], words))
    if "dose" in images:
        blocks.append(Pictures((images["dose"],), wide=True))
    return blocks


def _dose_cell(cells: list[dict[str, Any]], band: str, words: Words) -> str:
    cell = next((one for one in cells if one["band"] == band), None)
    if cell is None or not cell["n"]:
        return "0"
    return f"{words.number(cell['mean'])} ({words.number(cell['sd'])}), {cell['n']}"


def _flow_cell(value: int | Mapping[str, int], words: Words) -> str:
    return words.reasons_text(value) if isinstance(value, Mapping) else str(value)


def _median(values: Mapping[str, float | None], words: Words) -> str:
    if values["median"] is None:
        return NONE
    quartiles = words.limits(values["q1"], values["q3"], 0)
    return f"{words.number(values['median'], 0)} {words.bracketed(quartiles)}"


def _baseline_cell(kind: str, cell: Mapping[str, Any], words: Words) -> str:
    if kind == "count":
        return words.share_text({"n": cell["n"], "of": cell["of"]})
    if not cell["n"]:
        return NONE
    return f"{words.number(cell['mean'])} ({words.number(cell['sd'])}), {cell['n']}"
