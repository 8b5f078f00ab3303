"""Every number of the results as one flat list: name, value, unit, method, n, estimand.

What gtsummary and CDISC call analysis results data (ARD): one row per
statistic, so that another program may check, tabulate or redraw a study
without knowing how this one groups its results. Points that only a figure
shows are left where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from analysis.result_row import CIRCUMPLEX_UNIT, PURE_NUMBER

SECTIONS = (
    "flow",
    "baseline",
    "estimand",
    "primary",
    "secondary",
    "both_axes",
    "equivalence",
    "crossover",
    "trajectories",
    "missing_data",
    "interim",
    "ledger",
    "agreement",
    "dose",
    "blinding",
    "adherence",
    "missingness",
    "safety",
)

COUNT = "count"

#: Keys whose numbers are points of a figure, places in a table, or settings told elsewhere.
NOT_NUMBERS = frozenset(
    {"points", "order", "composite_value", "rule", "diagnostics", "ci_level", "bands_from"}
)

#: Key to unit; what is not here takes its row's unit, else counts something.
UNITS: Mapping[str, str] = {
    **dict.fromkeys(
        ("p_value", "adjusted_p", "p_lower", "p_upper", "nominal_p", "final_nominal_alpha"), PURE_NUMBER
    ),
    **dict.fromkeys(
        ("df", "f_value", "t_squared", "statistic_z", "boundary_z", "alpha", "alpha_spent"), PURE_NUMBER
    ),
    **dict.fromkeys(("hedges_g", "hedges_g_ci_low", "hedges_g_ci_high", "fraction_missing"), PURE_NUMBER),
    **dict.fromkeys(("information", "taken_information", "heard_share_mean", "reliability"), PURE_NUMBER),
    "foreign_share": PURE_NUMBER,
    **dict.fromkeys(("planned_s", "heard_s", "heard_s_median", "window_heard_s"), "s"),
    **dict.fromkeys(("margin", "delta", "tips_at"), CIRCUMPLEX_UNIT),
    **dict.fromkeys(("n", "of", "look", "imputations", "right", "wrong", "unknown"), COUNT),
}

#: Keys of a row that share its unit.
_IN_ROW_UNIT = frozenset(
    {"estimate", "ci_low", "ci_high", "se", "raw_mean", "raw_sd", "mean", "sd"}
    | {"null_mean", "null_low", "null_high"}
)


def numbers_of(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The flat list.

    Args:
        content: results as JSON values, by section.

    Returns:
        One entry per number: `name` (section and place in it), `value`, `unit`, `method`, `n`, `estimand`;
        the last three are None where the place has none.
    """
    found: list[dict[str, Any]] = []
    for section in SECTIONS:
        found += _numbers(section, content.get(section), {})
    return found


def _numbers(name: str, value: Any, around: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Numbers at and below one place; `around` is the nearest row or table cell that holds it."""
    if isinstance(value, Mapping):
        inner = {**around, **{key: value[key] for key in ("unit", "method", "n", "estimand") if key in value}}
        for key, item in value.items():
            if key not in NOT_NUMBERS:
                yield from _numbers(f"{name}.{key}", item, inner)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _numbers(f"{name}[{_named(item, index)}]", item, around)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield {
            "name": name,
            "value": value,
            "unit": _unit(name, around),
            "method": around.get("method"),
            "n": around.get("n") if isinstance(around.get("n"), int) else None,
            "estimand": around.get("estimand"),
        }


_NAMED_BY = ("row_id", "set_id", "event", "group", "endpoint", "look", "band", "predictor")


def _named(item: Any, index: int) -> str:
    """What a list's item is called: its own id where it has one, else its place."""
    if not isinstance(item, Mapping):
        return str(index)
    for key in _NAMED_BY:
        if isinstance(item.get(key), (str, int)):
            return str(item[key])
    parts = [item.get(key) for key in ("arm", "characteristic", "level", "phase", "instrument_id")]
    return ":".join(str(part) for part in parts if part) or str(index)


def _unit(name: str, around: Mapping[str, Any]) -> str:
    parts = [part.split("[", 1)[0] for part in name.split(".")]
    for part in reversed(parts):
        if part in _IN_ROW_UNIT:
            return str(around.get("unit") or CIRCUMPLEX_UNIT)
        if part in UNITS:
            return UNITS[part]
    return COUNT
