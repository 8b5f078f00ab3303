"""The report's tables, each from one part of the results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.report.blocks import Table
from analysis.results import Results
from analysis.wording import NONE, interval, limits, number, p_text, reasons_text, share_text

_PHASES = {"pre": "before", "probe": "during", "post": "after"}
_PHASE_WORDS = {**_PHASES, "follow_up": "follow-up"}


def baseline_table(results: Results) -> Table:
    """Table 1."""
    baseline = results.baseline
    names = [*(group["label"] for group in results.flow["groups"]), "All"]
    columns = tuple(f"{name} (n\u00a0=\u00a0{n})" for name, n in zip(names, baseline["n"], strict=True))
    rows = []
    for row in baseline["rows"]:
        name = row["characteristic"] if row["level"] is None else f"{row['characteristic']}: {row['level']}"
        rows.append((name, *(_cell(row["kind"], cell) for cell in row["cells"])))
    return Table(
        "Table 1. Who was allocated",
        ("Characteristic", *columns),
        tuple(rows),
        "Mean (SD), n; or n/N (%). Valence and arousal run from −1 to 1. Groups are not compared by tests: "
        "any difference at the start is due to chance.",
    )


def flow_table(results: Results) -> Table:
    """The flow diagram's numbers with every reason."""
    rows = [
        (
            group["label"],
            str(group["allocated"]),
            f"{group['started']}",
            reasons_text(group["not_started"]),
            str(group["completed"]),
            reasons_text(group["stopped"]),
            str(group["analysed"]),
            reasons_text(group["not_analysed"]),
        )
        for group in results.flow["groups"]
    ]
    flow = results.flow
    return Table(
        "Participants by group",
        (
            "Group",
            "Allocated",
            "Started listening",
            "Not started",
            "Heard all",
            "Stopped",
            "Analysed",
            "Not analysed",
        ),
        tuple(rows),
        f"Enrolled {flow['enrolled']}; not allocated: {reasons_text(flow['not_allocated'])}.",
    )


def arms_table(effects: Mapping[str, Any]) -> Table:
    """Means by arm."""
    rows = [
        (
            arm["label"],
            str(arm["n"]),
            f"{number(arm['raw_mean'])} ({number(arm['raw_sd'])})",
            number(arm["estimate"]),
            limits(arm["ci_low"], arm["ci_high"]) if arm["reason"] is None else arm["reason"],
        )
        for arm in effects["arms"]
    ]
    return Table(
        f"{effects['endpoint_label']}, by arm",
        ("Arm", "n", "Mean (SD)", "Adjusted mean", "95 % CI"),
        tuple(rows),
    )


def contrasts_table(effects: Mapping[str, Any], caption: str) -> Table:
    """Differences between arms."""
    rows = []
    for row in effects["contrasts"]:
        g = NONE
        if row["hedges_g"] is not None:
            g = f"{number(row['hedges_g'])} ({limits(row['hedges_g_ci_low'], row['hedges_g_ci_high'])})"
        rows.append(
            (
                row["label"],
                " + ".join(str(n) for n in row["n_by_arm"]),
                number(row["estimate"]) if row["estimate"] is not None else f"not estimated: {row['reason']}",
                limits(row["ci_low"], row["ci_high"]),
                p_text(row["p_value"]),
                g,
            )
        )
    missing = reasons_text(effects["missing"])
    return Table(
        caption,
        ("Contrast", "n", "Adjusted difference", "95 % CI", "p", "Hedges g (95 % CI)"),
        tuple(rows),
        f"Without this outcome and left out: {missing}. Hedges g is the raw difference in pooled SDs "
        "with its exact (non-central t) interval.",
    )


def ledger_table(results: Results) -> Table:
    """Every confirmatory test in order."""
    rows = tuple(
        (
            entry["test"],
            str(entry["order"]),
            p_text(entry["p_value"]),
            p_text(entry["adjusted_p"]),
            entry["decision"],
        )
        for entry in results.ledger
    )
    rule = {"holm": "Holm", "gatekeeping": "gatekeeping in this order", "none": "none; one primary contrast"}
    study = results.study
    return Table(
        "Ledger of tests",
        ("Test", "Order", "p", "Adjusted p", "Decision"),
        rows,
        f"Multiplicity: {rule[study['multiplicity']]}; two-sided level {study['alpha']:g}. "
        "Every other p-value in this report is exploratory.",
    )


def adherence_table(results: Results) -> Table:
    """What was heard."""
    rows = tuple(
        (
            row["label"],
            share_text(row["started"]),
            share_text(row["completed"]),
            _median(row["heard_s"]),
            number(row["planned_s"], 0),
            f"{row['pauses']} in {share_text(row['paused'])}",
            reasons_text({reason.replace("_", " "): n for reason, n in row["stopped"].items()}),
        )
        for row in results.adherence
    )
    return Table(
        "Listening, by arm (sessions)",
        ("Arm", "Started", "Heard to the end", "Seconds heard", "Planned", "Pauses", "Stopped early"),
        rows,
        "Seconds heard at least once: median (quartiles) of started sessions.",
    )


def missing_table(results: Results) -> Table:
    """Reports due and missing."""
    rows = tuple(
        (
            row["label"],
            f"{_PHASE_WORDS[row['phase']]} ({row['instrument_id']})",
            share_text(row["given"]),
            reasons_text(row["missing"]),
        )
        for row in results.missingness
    )
    return Table("Reports, by arm", ("Arm", "When", "Given", "Missing, with reason"), rows)


def safety_table(results: Results) -> Table:
    """Distress and adverse events."""
    rows = tuple(
        (
            arm["label"],
            *(share_text(arm["distress"][phase]) for phase in _PHASES),
            share_text(arm["stopped_for_distress"]),
            share_text(arm["ended_for_safety"]),
            f"{arm['adverse_events']} in {share_text(arm['with_adverse_event'])}",
        )
        for arm in results.safety["arms"]
    )
    rule = results.safety["rule"]
    return Table(
        "Distress and adverse events, by arm (participants)",
        (
            "Arm",
            "Distress before",
            "Distress during",
            "Distress after",
            "Stopped for distress",
            "Ended for safety",
            "Adverse events",
        ),
        rows,
        f"Distress: felt valence at or below {number(rule['valence_at_most'])} with arousal at or above "
        f"{number(rule['arousal_at_least'])}.",
    )


def adverse_event_table(results: Results) -> Table:
    """Each adverse event."""
    names = ("participant_id", "arm", "category", "severity", "relatedness", "description")
    rows = tuple(tuple(event[name] or NONE for name in names) for event in results.safety["adverse_events"])
    columns = ("Participant", "Arm", "Category", "Severity", "Relatedness", "Description")
    return Table("Adverse events", columns, rows, numeric=False)


def deviation_table(results: Results) -> Table:
    """Each deviation from the protocol."""
    rows = tuple(
        (
            row["at"][:16].replace("T", " "),
            row["participant_id"] or NONE,
            row["description"],
            row["reason"] or NONE,
        )
        for row in results.deviations
    )
    return Table("Deviations", ("When (UTC)", "Participant", "What was done", "Why"), rows, numeric=False)


def agreement_table(one: Mapping[str, Any]) -> Table:
    """One comparison: every statistic, each axis apart."""
    by_axis = {axis: [r for r in one["rows"] if r["axis"] == axis] for axis in ("valence", "arousal")}
    statistics = [row["statistic"] for row in by_axis["valence"]]
    rows = []
    for statistic in statistics:
        cells = [next(r for r in by_axis[axis] if r["statistic"] == statistic) for axis in by_axis]
        rows.append((cells[0]["label"], *(_agreement_cell(cell) for cell in cells)))
    first = one["rows"][0]
    label = one["label"][0].upper() + one["label"][1:]
    return Table(
        f"{label}: {one['n_pairs']} pairs of {first['n_participants']} participants",
        ("Statistic", "Valence", "Arousal"),
        tuple(rows),
        f"Intervals: {first['method']}. Bias is {one['first']} minus {one['second']}.",
    )


def _agreement_cell(row: Mapping[str, Any]) -> str:
    if row["estimate"] is None or row["ci_low"] is None:
        return interval(row)
    return f"{number(row['estimate'])} ({limits(row['ci_low'], row['ci_high'])})"


def _median(values: Mapping[str, float | None]) -> str:
    return f"{number(values['median'], 0)} ({limits(values['q1'], values['q3'], 0)})"


def _cell(kind: str, cell: Mapping[str, Any]) -> str:
    if kind == "count":
        return share_text({"n": cell["n"], "of": cell["of"]})
    return f"{number(cell['mean'])} ({number(cell['sd'])}), {cell['n']}" if cell["n"] else NONE
