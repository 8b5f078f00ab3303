"""Checks of the allocation: method, sequences, ratio and blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator

from study.protocol import SITE
from study.protocol_file.draft import Part, run_checks, unknown
from study.protocol_file.shape import protocol_schema
from study.protocol_file.text import Finding, did_you_mean, shown
from study.williams import williams_sequences

#: Field to the methods that it has a meaning for.
_FIELDS_OF = {
    "block_sizes": ("permuted_blocks",),
    "probability": ("minimisation", "biased_coin"),
    "imbalance": ("minimisation",),
    "factor_weights": ("minimisation",),
}

#: Method to the field that it cannot do without.
_NEEDED = {"permuted_blocks": "block_sizes", "minimisation": "probability"}


def check_allocation(draft: Part) -> Iterator[Finding]:
    """What is wrong with the allocation."""
    yield from run_checks(
        (
            _fields_fit_the_method,
            _method_fits_the_groups,
            _minimisation_can_balance,
            _sequences_fit_the_design,
            _ratio_names_the_groups,
            _blocks_divide,
            _strata_are_not_too_many,
        ),
        draft,
    )


def _fields_fit_the_method(top: Part) -> Iterator[Finding]:
    allocation = top["allocation"]
    method = allocation["method"].text
    for name, methods in _FIELDS_OF.items():
        if name in allocation.json and method not in methods:
            yield Finding(
                (*allocation.path, name),
                f"belongs to {' and '.join(methods)}, and the method is {method}",
                f"delete it, or write method {methods[0]}",
            )
    needed = _NEEDED.get(method)
    if needed is not None and needed not in allocation.json:
        write = protocol_schema()["properties"]["allocation"]["properties"][needed]["x-write"]
        yield Finding((*allocation.path, needed), "is missing", str(write))


def _method_fits_the_groups(top: Part) -> Iterator[Finding]:
    allocation = top["allocation"]
    method, weights = allocation["method"], _weights(top)
    if method.text == "biased_coin" and (len(weights) != 2 or len(set(weights)) != 1):
        yield method.finding(
            "the biased coin is for two groups of equal weight",
            "write permuted_blocks or minimisation, or two groups with the same weight in ratio",
        )
        return
    probability = allocation.get("probability")
    fair = min(weights) / sum(weights)
    if probability is not None and probability.number <= fair:
        yield probability.finding(
            f"{probability.number:g} is no more than the {fair:.3g} that chance alone gives",
            "write a share nearer to 1, such as 0.8",
        )


def _minimisation_can_balance(top: Part) -> Iterator[Finding]:
    allocation = top["allocation"]
    if allocation["method"].text != "minimisation":
        return
    factors = [stratum["factor"].text for stratum in allocation["strata"].parts()]
    per_site = allocation.get("per_site")
    if allocation.get("sites") is not None and per_site is not None and not per_site.is_true:
        factors.insert(0, SITE)
    if not factors:
        yield allocation["strata"].finding(
            "minimisation balances factors, and there is none",
            "name a factor, or write method permuted_blocks",
        )
    weights = allocation.get("factor_weights")
    for name in weights.json if weights is not None else ():
        if name not in factors:
            remedy = did_you_mean(name, factors) + "write one of " + ", ".join(factors)
            yield Finding(
                (*allocation.path, "factor_weights", name),
                "is no factor that is balanced",
                remedy if factors else "delete it",
            )


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
    if sequences.is_text:
        if count.whole != len(arm_ids):
            yield count.finding(
                f"Williams squares of {len(arm_ids)} arms have {len(arm_ids)} sessions, not {count.whole}",
                f"write {len(arm_ids)}, or name the sequences one by one",
            )
        return
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
        sequences = top.at("allocation", "sequences")
        if sequences.is_text:
            return "sequence", list(williams_sequences(_arm_ids(top)))
        return "sequence", [name for name, _ in sequences.fields()]
    return "arm", _arm_ids(top)


def _is_williams(top: Part) -> bool:
    sequences = top["allocation"].get("sequences")
    return top["design"].text == "crossover" and sequences is not None and sequences.is_text


def _weights(top: Part) -> list[int]:
    """Of every group."""
    if _is_williams(top):
        return [1] * len(_groups(top)[1])
    return [weight.whole for _, weight in top.at("allocation", "ratio").fields()]


def _ratio_names_the_groups(top: Part) -> Iterator[Finding]:
    allocation = top["allocation"]
    ratio = allocation.get("ratio")
    if _is_williams(top):
        if ratio is not None:
            yield ratio.finding(
                "has no meaning with Williams squares, whose sequences weigh the same", "delete it"
            )
        return
    if ratio is None:
        write = protocol_schema()["properties"]["allocation"]["properties"]["ratio"]["x-write"]
        yield Finding((*allocation.path, "ratio"), "is missing", str(write))
        return
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
    if top.at("allocation", "method").text != "permuted_blocks":
        return
    total = sum(_weights(top))
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


def _strata_are_not_too_many(top: Part) -> Iterator[Finding]:
    if top.at("allocation", "method").text != "permuted_blocks":
        return
    strata, sites = top.at("allocation", "strata"), top["allocation"].get("sites")
    lists = math.prod(len(stratum["levels"].texts) for stratum in strata.parts())
    lists *= len(sites.texts) if sites is not None else 1
    block = sum(_weights(top))
    sample_size = top.at("population", "sample_size").whole
    if lists > 1 and lists * block > sample_size:
        yield strata.finding(
            f"{lists} lists (one for each combination of levels) for {sample_size} people leave most blocks"
            " unfinished, so that the arms may end up unequal",
            f"write at most {sample_size // block} combinations, or raise sample_size",
        )
