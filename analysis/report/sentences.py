"""Sentences written from numbers, with their hedges.

An interval that holds no difference is never told as "no effect", one that does
not is never told as proof, and only a test of equivalence speaks of
equivalence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.effects.multiplicity import EXPLORATORY, NOT_REJECTED, NOT_TESTED, REJECTED
from analysis.results import Results
from analysis.words import Words

_DECISIONS = {
    REJECTED: "rejected",
    NOT_REJECTED: "not_rejected",
    NOT_TESTED: "not_tested",
    EXPLORATORY: "exploratory",
}


def difference_sentences(results: Results, row: Mapping[str, Any], words: Words) -> list[str]:
    """What a contrast's difference, interval and decision allow one to say; of shuffled arms, nothing."""
    if results.shuffled:
        return [words.marked(results.shuffled)]
    first, second = _arms(results, row)
    endpoint = row["endpoint"]
    if row["estimate"] is None:
        return [words.text("sentence.no_difference_yet", reason=words.marked(row["reason"]))]
    way = "higher" if row["estimate"] >= 0 else "lower"
    values = {
        "first": first,
        "second": second,
        "amount": words.number(abs(row["estimate"])),
        "more": words.text(f"sentence.{endpoint}.{way}"),
        "estimate": words.number(row["estimate"]),
        "interval": words.ci(row["ci_low"], row["ci_high"]),
        "n": row["n"],
    }
    said = [words.text(f"sentence.{results.study['design']}", **values)]
    low, high = row["ci_low"], row["ci_high"]
    if low is None or high is None:
        return [*said, words.text("sentence.no_interval", reason=words.marked(row["reason"]))]
    ends = {"low": words.number(low), "high": words.number(high)}
    includes_none = low <= 0 <= high
    said.append(words.text("sentence.includes_none" if includes_none else "sentence.leaves_out_none", **ends))
    if endpoint == "distance":
        said.append(words.text("sentence.spread"))
    decision = _decision(results, row)
    if decision is not None:
        said.append(words.text(f"sentence.decision.{decision}"))
        if decision == "not_rejected" and not includes_none:
            said.append(words.text("sentence.interval_unadjusted"))
        if decision == "rejected" and includes_none:
            said.append(words.text("sentence.interval_otherwise"))
    return said


def equivalence_sentence(results: Results, row: Mapping[str, Any], words: Words) -> str:
    """Whether two one-sided tests, or one, show what the contrast aims at; of shuffled arms, nothing."""
    if results.shuffled:
        return words.text(
            "sentence.equivalence.none", label=row["label"], reason=words.text("sentence.shuffled")
        )
    if row["estimate"] is None or row["ci_low"] is None:
        return words.text("sentence.equivalence.none", label=row["label"], reason=words.marked(row["reason"]))
    first, second = _arms(results, row)
    concluded = "yes" if row["concluded"] else "no"
    return words.text(
        f"sentence.{row['aim']}.{concluded}",
        first=first,
        second=second,
        interval=words.ci(row["ci_low"], row["ci_high"], percent=_percent(row["ci_level"])),
        margin=words.number(row["margin"]),
    )


def tipping_sentence(tipping: Mapping[str, Any], words: Words) -> str:
    """How far missing outcomes may differ from what was imputed before the conclusion changes."""
    if tipping["reason"]:
        return words.not_estimable(tipping["reason"])
    deltas = [point["delta"] for point in tipping["points"]]
    if tipping["tips_at"] is None:
        return words.text(
            "sentence.tipping.never",
            label=tipping["label"],
            least=words.number(min(deltas, default=0.0)),
            most=words.number(max(deltas, default=0.0)),
        )
    return words.text("sentence.tipping.at", label=tipping["label"], delta=words.number(tipping["tips_at"]))


def agreement_sentence(
    first: str, second: str, axis: str, rows: Mapping[str, Any], words: Words
) -> str | None:
    """Bias and limits of one axis; None where there are none."""
    found = [rows[name] for name in ("bias", "limit_low", "limit_high") if name in rows]
    if len(found) < 3 or any(row["estimate"] is None for row in found):
        return None
    bias, low, high = found
    return words.text(
        "sentence.agreement",
        axis=words.text(f"figure.axis.{axis}"),
        first=words.name("figure.side", first),
        second=words.name("figure.side", second),
        bias=words.interval(bias),
        low=words.number(low["estimate"]),
        high=words.number(high["estimate"]),
    )


def interim_sentences(interim: Mapping[str, Any], words: Words) -> list[str]:
    """What was found at the looks that were taken, and at the last test, which is no look."""
    *looks, last = interim["looks"]
    said = [_look_sentence("look", look, words) for look in looks if look["taken"]]
    if not said:
        said.append(words.text("sentence.look.none"))
    if last["taken"]:
        said.append(_look_sentence("last", last, words))
    if interim["repeated_ci"] is not None:
        said.append(words.text("sentence.look.repeated", limits=words.limits(*interim["repeated_ci"])))
    return said


def _look_sentence(which: str, look: Mapping[str, Any], words: Words) -> str:
    if look["statistic_z"] is None:
        return words.text("sentence.look.without", look=look["look"])
    return words.text(
        f"sentence.{which}.{'crossed' if look['crossed'] else 'not_crossed'}",
        look=look["look"],
        z=words.number(look["statistic_z"]),
        boundary=words.number(look["boundary_z"]),
    )


def both_axes_sentence(row: Mapping[str, Any], words: Words) -> str:
    """Hotelling's test of one contrast, or Wilks' of all arms."""
    label = words.marked(row["label"])
    if row["p_value"] is None:
        return words.text("sentence.both_axes.none", label=label, reason=words.marked(row["reason"]))
    name = "t_squared" if row.get("t_squared") is not None else "wilks"
    return words.text(
        "sentence.both_axes",
        label=label,
        statistic=words.text(f"both_axes.{name}", value=words.number(row[name], 2, name == "wilks")),
        f=f_text(row, words),
        p=words.p_clause(row["p_value"]),
    )


def f_text(row: Mapping[str, Any], words: Words) -> str:
    """``F(2, 36.5) = 4.10``."""
    numerator, denominator = row["df"]
    whole = float(denominator).is_integer()
    return words.text(
        "sentence.f",
        numerator=words.number(numerator, 0),
        denominator=words.number(denominator, 0 if whole else 1),
        value=words.number(row["f_value"]),
    )


def _arms(results: Results, row: Mapping[str, Any]) -> tuple[str, str]:
    names = {arm["arm"]: arm["name"] for arm in results.study["arms"]}
    first, second = (names.get(arm, arm) for arm in row["arms"])
    return first, second


def _decision(results: Results, row: Mapping[str, Any]) -> str | None:
    entry = next((e for e in results.ledger if e["row_id"] == row["row_id"]), None)
    return None if entry is None else _DECISIONS.get(entry["decision"])


def _percent(level: float) -> float:
    return round(100 * level if level <= 1 else level, 1)
