"""Checks of the allocation: sequences, ratio, blocks and strata."""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterator

from study.protocol_file.draft import Part, run_checks, unknown
from study.protocol_file.text import Finding, did_you_mean, shown

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


def check_allocation(draft: Part) -> Iterator[Finding]:
    """What is wrong with the allocation."""
    yield from run_checks(
        (
            _names_survive_tables,
            _sequences_fit_the_design,
            _ratio_names_the_groups,
            _blocks_divide,
            _strata_can_be_told_apart,
            _strata_are_not_too_many,
        ),
        draft,
    )


def _names_survive_tables(top: Part) -> Iterator[Finding]:
    for name in top.at("allocation", "ratio").json:
        if name in _MISSING:
            yield Finding(("allocation", "ratio", name), *_LOST)
    for stratum in top.at("allocation", "strata").readable_parts():
        yield from run_checks((_levels_survive_tables,), stratum)


def _levels_survive_tables(stratum: Part) -> Iterator[Finding]:
    for level in stratum["levels"].readable_parts():
        if level.text in _MISSING:
            yield level.finding(*_LOST)


def _sequences_fit_the_design(top: Part) -> Iterator[Finding]:
    allocation, count = top["allocation"], top["session"]["count"]
    sequences = allocation.get("sequences")
    if top["design"].text == "parallel":
        if sequences is not None:
            yield sequences.finding(
                "belongs to a crossover, and the design is parallel", "delete it, or write design crossover"
            )
        return
    if count.whole < 2:
        yield count.finding("a crossover has 2 sessions or more", "write 2 or more, or write design parallel")
    if sequences is None:
        yield Finding(
            (*allocation.path, "sequences"),
            "is missing, and the design is a crossover",
            "write each sequence's arms, one for each session, or write design parallel",
        )
        return
    arm_ids = _arm_ids(top)
    seen: dict[tuple[str, ...], str] = {}
    for name, arms in sequences.fields():
        for arm in arms.parts():
            yield from unknown(arm, arm_ids, "arm")
        order = tuple(arms.texts)
        if len(order) != count.whole:
            yield arms.finding(
                f"holds {len(order)} arm(s) for {count.whole} session(s)", "write one arm for each session"
            )
        if order in seen:
            yield arms.finding(f"is the same as sequence {seen[order]}", "write another order, or delete it")
        seen.setdefault(order, name)
    unused = [arm for arm in arm_ids if not any(arm in order for order in seen)]
    for arm_id in unused:
        yield sequences.finding(
            f"never plays arm {shown(arm_id)}", "add it to the sequences, or delete the arm"
        )


def _arm_ids(top: Part) -> list[str]:
    return list(dict.fromkeys(arm["id"].text for arm in top["arms"].parts()))


def _groups(top: Part) -> tuple[str, list[str]]:
    if top["design"].text == "crossover":
        return "sequence", [name for name, _ in top.at("allocation", "sequences").fields()]
    return "arm", _arm_ids(top)


def _ratio_names_the_groups(top: Part) -> Iterator[Finding]:
    ratio = top.at("allocation", "ratio")
    what, names = _groups(top)
    for name in ratio.json:
        if name not in names:
            yield Finding(
                (*ratio.path, name),
                f"is not the id of {'an arm' if what == 'arm' else 'a sequence'}",
                did_you_mean(name, names) + "write a weight for each of " + ", ".join(names),
            )
    for name in names:
        if name not in ratio.json:
            yield Finding(
                (*ratio.path, name), f"is missing: the {what} has no weight", "write a whole number such as 1"
            )


def _blocks_divide(top: Part) -> Iterator[Finding]:
    total = sum(weight.whole for _, weight in top.at("allocation", "ratio").fields())
    sample_size = top.at("population", "sample_size").whole
    seen: set[int] = set()
    for size in top.at("allocation", "block_sizes").readable_parts():
        if size.whole % total:
            multiples = [total * k for k in range(1, 4)]
            yield size.finding(
                f"{size.whole} is no multiple of {total}, the sum of the ratio",
                "write a multiple such as " + ", ".join(str(multiple) for multiple in multiples),
            )
        elif size.whole > sample_size:
            yield size.finding(
                f"a block of {size.whole} is never full with a sample_size of {sample_size}",
                f"write {sample_size} or less",
            )
        if size.whole in seen:
            yield size.finding(f"{size.whole} stands twice", "keep one")
        seen.add(size.whole)


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


def _levels_differ(stratum: Part) -> Iterator[Finding]:
    levels = stratum["levels"]
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


def _strata_are_not_too_many(top: Part) -> Iterator[Finding]:
    strata = top.at("allocation", "strata")
    lists = math.prod(len(stratum["levels"].texts) for stratum in strata.parts())
    block = sum(weight.whole for _, weight in top.at("allocation", "ratio").fields())
    sample_size = top.at("population", "sample_size").whole
    if lists > 1 and lists * block > sample_size:
        yield strata.finding(
            f"{lists} lists (one for each combination of levels) for {sample_size} people leave most blocks"
            " unfinished, so that the arms may end up unequal",
            f"write at most {sample_size // block} combinations, or raise sample_size",
        )
