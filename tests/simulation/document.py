"""The findings as a page and as JSON."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import groupby
from typing import Any

from tests.simulation.measured import BIAS, MET, MISSED

PACKAGES = ("isopath", "numpy", "scipy", "statsmodels", "pandas")

_HEAD = """# Truth by simulation

Written by `make validate`; not edited by hand. Every row is a method run on simulated studies whose
truth is known (`analysis/planning/simulated_outcomes.py`, `tests/simulation/`), by the very functions
that analyse a study.

- **Type-I error**: share of studies that reject at .05 where there is nothing to find. Bar: .04 to .06
  (non-inferiority, one-sided at .025: .02 to .03; several contrasts together: at most .06).
- **Coverage**: share of 95 % intervals that hold the true value. Bar: .94 to .96.
- **Power** and **bias** (mean estimate minus truth, in circumplex units) are reported; nothing is
  promised of them.
- ± is the Monte-Carlo standard error. A figure outside its bar is **missed**, whatever its error; where
  the bar lies within two errors, that is said. A true value that the ends of the scale bend was computed
  over 200,000 people.
- Methods marked *warning* are common practice that fails; isopath does not decide by them. Their misses
  are the point.
"""


def provenance(scale: float, seed: int) -> dict[str, Any]:
    """What was run with what, without a date."""
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "replicates_scale": scale,
        "seed": seed,
    }


def to_json(made_with: Mapping[str, Any], cases: Sequence[Mapping[str, Any]]) -> str:
    """All findings as JSON."""
    return (
        json.dumps({"made_with": dict(made_with), "cases": list(cases)}, indent=1, ensure_ascii=False) + "\n"
    )


def to_markdown(
    made_with: Mapping[str, Any], cases: Sequence[Mapping[str, Any]], awaited: Sequence[str]
) -> str:
    """The page.

    Args:
        cases: in the order shown.
        awaited: ids of cases without findings yet.
    """
    parts = [_HEAD, _summary(cases), _missed(cases)]
    for method, group in groupby(cases, key=lambda case: str(case["method"])):
        parts.append(_table(method, list(group)))
    if awaited:
        parts.append("Not run yet: " + ", ".join(awaited) + ".\n")
    made = ", ".join(f"{name} {value}" for name, value in made_with.items() if name in ("python", *PACKAGES))
    parts.append(
        f"Made with {made}; replicates × {made_with['replicates_scale']:g}, seed {made_with['seed']}.\n"
    )
    return "\n".join(parts)


def _summary(cases: Sequence[Mapping[str, Any]]) -> str:
    judged = [f for case in cases if not case["is_warning"] for f in case["findings"] if f["bar"] is not None]
    met = sum(finding["verdict"] == MET for finding in judged)
    near = sum(finding["verdict"] == MISSED and finding["within_error"] for finding in judged)
    return (
        f"**{met} of {len(judged)} bars are met, {len(judged) - met} missed** ({near} of these within two "
        "Monte-Carlo errors of the bar).\n"
    )


def _missed(cases: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for case in cases:
        if case["is_warning"]:
            continue
        for finding in case["findings"]:
            if finding["verdict"] == MISSED:
                near = "; within two errors of the bar" if finding["within_error"] else ""
                lines.append(
                    f"- {case['method']}; {case['scenario']}; {finding['quantity']} ({finding['under']}): "
                    f"{_value(finding)}, bar {_bar(finding)}{near}"
                )
    return "## Missed bars\n\n" + ("\n".join(lines) if lines else "None.") + "\n"


def _table(method: str, cases: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        f"## {method}\n",
        "| scenario | figure | truth | value | replicates | bar | |",
        "|---|---|---|---|---|---|---|",
    ]
    notes = []
    for case in cases:
        scenario = f"*warning*: {case['scenario']}" if case["is_warning"] else case["scenario"]
        if case["note"]:
            notes.append(f"- {case['scenario']}: {case['note']}.")
        for finding in case["findings"]:
            verdict = finding["verdict"] if finding["bar"] is not None else ""
            if verdict == MISSED:
                verdict = "**missed**" + (" (within 2 errors)" if finding["within_error"] else "")
            lines.append(
                f"| {scenario} | {finding['quantity']} | {finding['under']} | {_value(finding)} | "
                f"{finding['replicates']:,} | {_bar(finding)} | {verdict} |"
            )
            scenario = ""
    return "\n".join(lines) + "\n" + ("\n" + "\n".join(notes) + "\n" if notes else "")


def _value(finding: Mapping[str, Any]) -> str:
    digits = 4 if finding["quantity"] == BIAS else 3
    return f"{finding['value']:.{digits}f} ± {finding['error']:.4f}".replace("-", "−")


def _bar(finding: Mapping[str, Any]) -> str:
    bar = finding["bar"]
    return "" if bar is None else f"{bar[0]:g} to {bar[1]:g}"
