"""Checks of what people are told apart by: strata, sites, and names that tables can hold."""

from __future__ import annotations

import keyword
from collections.abc import Iterator

from study.protocol import SITE
from study.protocol_file.draft import Part, run_checks
from study.protocol_file.text import Finding, shown

#: Columns that tables and models have already.
_TAKEN = (
    "arm",
    "period",
    "sequence",
    "participant",
    "participant_id",
    "session",
    "session_id",
    "phase",
    "stratum",
    "valence",
    "arousal",
    "pre_valence",
    "pre_arousal",
    "post_valence",
    "post_arousal",
    "progress",
    "distance",
)

#: What table readers take for a missing value (pandas, R).
_MISSING = ("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "<NA>")
_LOST = ("would be read as a missing value in tables", "write another word, such as no_group")


def check_strata(draft: Part) -> Iterator[Finding]:
    """What is wrong with the factors, their levels and the sites."""
    yield from run_checks(
        (
            _names_survive_tables,
            _levels_of_strata_survive_tables,
            _strata_can_be_told_apart,
            _sites_can_be_told_apart,
        ),
        draft,
    )


def _names_survive_tables(top: Part) -> Iterator[Finding]:
    for name in top.at("allocation", "ratio").json:
        if name in _MISSING:
            yield Finding(("allocation", "ratio", name), *_LOST)


def _levels_of_strata_survive_tables(top: Part) -> Iterator[Finding]:
    for stratum in top.at("allocation", "strata").readable_parts():
        yield from run_checks((_levels_survive_tables,), stratum)


def _levels_survive_tables(stratum: Part) -> Iterator[Finding]:
    yield from _names_are_no_missing_values(stratum["levels"])


def _names_are_no_missing_values(levels: Part) -> Iterator[Finding]:
    for level in levels.readable_parts():
        if level.text in _MISSING:
            yield level.finding(*_LOST)


def _strata_can_be_told_apart(top: Part) -> Iterator[Finding]:
    for stratum in top.at("allocation", "strata").readable_parts():
        yield from run_checks((_factor_name_is_free, _levels_differ), stratum)


def _factor_name_is_free(stratum: Part) -> Iterator[Finding]:
    factor = stratum["factor"]
    if factor.text in _TAKEN or keyword.iskeyword(factor.text):
        yield factor.finding(
            f"{shown(factor.text)} has a meaning of its own in tables and models",
            f"write another name, such as {factor.text}_group",
        )


def _sites_can_be_told_apart(top: Part) -> Iterator[Finding]:
    allocation = top["allocation"]
    sites, per_site = allocation.get("sites"), allocation.get("per_site")
    if sites is None:
        if per_site is not None:
            yield per_site.finding("no sites are named", "name them in sites, or delete it")
        return
    yield from run_checks((_names_are_no_missing_values, _names_differ), sites)
    method = allocation["method"].text
    if per_site is not None and not per_site.is_true and method != "minimisation":
        yield per_site.finding(
            f"under {method} each combination of levels has its own list, and the site is one of them",
            "delete it, or write method minimisation",
        )
    for stratum in allocation["strata"].readable_parts():
        if stratum["factor"].text == SITE:
            yield stratum["factor"].finding("is what sites names already", "delete this factor, or sites")


def _levels_differ(stratum: Part) -> Iterator[Finding]:
    yield from _names_differ(stratum["levels"])


def _names_differ(levels: Part) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for level in levels.parts():
        same = seen.setdefault(level.text.casefold(), level.text)
        if same is not level.text:
            yield level.finding(
                f"{shown(level.text)} stands for the same level as {shown(same)}", "write each level once"
            )
    if len(levels.json) < 2:
        yield levels.finding(
            f"holds {len(levels.json)} level(s), which stratifies nothing",
            "write two levels or more, or delete the factor",
        )
