"""The report as text: a table a question, every palette and every seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.benchmarks.composer_control_measures import UNITS
from tests.benchmarks.composer_control_plan import AXES, ControlPlan
from tests.benchmarks.composer_control_results import POOLED, Results, Verdict

_SHORT = {"valence": "V", "arousal": "A"}


def as_json(plan: ControlPlan, results: Results, told: Mapping[str, Any]) -> dict[str, Any]:
    """Everything but the clips: conditions, verdicts, seeds, predictors, cells."""
    return {
        "plan_sha256": plan.sha256,
        **told,
        "measures": {
            name: {group: _verdict_json(verdict) for group, verdict in groups.items()}
            for name, groups in results.verdicts.items()
        },
        "by_seed": {
            name: {str(seed): rho for seed, rho in seeds.items()} for name, seeds in results.by_seed.items()
        },
        "predictors": {
            name: {
                group: {axis: _rounded(follows.rho) for axis, follows in axes.items()}
                for group, axes in groups.items()
            }
            for name, groups in results.predictors.items()
        },
        "rho_with_the_score": _rounded(results.hearing),
        "cells": {name: cells.round(4).tolist() for name, cells in results.cells.items()},
    }


def verdict_table(plan: ControlPlan, results: Results) -> list[str]:
    """Rows of a Markdown table: each measure with its axis, everywhere and palette by palette."""
    groups = list(next(iter(results.verdicts.values())))
    lines = [
        "| measure | follows | asked | "
        + " | ".join(f"{group}" for group in groups)
        + " | with the other axis | reach |",
        "|---|---|---|" + "---|" * len(groups) + "---|---|",
    ]
    for name, by_group in results.verdicts.items():
        bar = plan.bars.get(name)
        axes = [bar.axis] if bar and bar.axis else list(bar.signs) if bar else list(AXES)
        for axis in axes:
            other = next(one for one in AXES if one != axis)
            has_cross = bar is not None and bar.axis is not None
            cells = [_cell(by_group[group], axis, plan, name) for group in groups]
            cross = (
                ", ".join(_cross(by_group[group], other, plan.cross_talk_at_most) for group in groups)
                if has_cross
                else ""
            )
            reach = by_group[POOLED].follows.reach[axis]
            lines.append(
                f"| {name.replace('_', ' ')} | {axis} | {_asked(plan, name, axis)} | "
                + " | ".join(cells)
                + f" | {cross} | {reach:+.3g} {UNITS[name]} |"
            )
    return lines


def seed_table(plan: ControlPlan, results: Results) -> list[str]:
    """Rows of a Markdown table: rho of each barred measure, seed by seed, all palettes together."""
    seeds = list(next(iter(results.by_seed.values())))
    lines = ["| measure | axis | " + " | ".join(map(str, seeds)) + " |", "|---|---|" + "---|" * len(seeds)]
    for name, bar in plan.bars.items():
        for axis in bar.signs:
            rhos = [_number(results.by_seed[name][seed][POOLED][axis]) for seed in seeds]
            lines.append(f"| {name.replace('_', ' ')} | {axis} | " + " | ".join(rhos) + " |")
    return lines


def predictor_table(results: Results) -> list[str]:
    """Rows of a Markdown table: what the predictors hear, against the place that was meant."""
    groups = list(next(iter(results.verdicts.values())))
    lines = ["| predictor | hears | " + " | ".join(groups) + " |", "|---|---|" + "---|" * len(groups)]
    for name, by_group in results.predictors.items():
        for axis in AXES:
            cells = [
                ", ".join(f"{_SHORT[one]} {_number(by_group[group][axis].rho[one])}" for one in AXES)
                for group in groups
            ]
            lines.append(f"| {name} | {axis} | " + " | ".join(cells) + " |")
    return lines


def misses(plan: ControlPlan, results: Results) -> list[str]:
    """A sentence for each bar that is missed."""
    told: list[str] = []
    for name in plan.bars:
        for group, verdict in results.verdicts[name].items():
            where = "over all palettes" if group == POOLED else f"in {group}"
            rho = ", ".join(f"{axis} {_number(value)}" for axis, value in verdict.follows.rho.items())
            if verdict.meets is False:
                told.append(f"{name.replace('_', ' ')} {where} does not follow as asked ({rho})")
            if verdict.keeps_off is False:
                told.append(f"{name.replace('_', ' ')} {where} follows the other axis too much ({rho})")
    return told


def page(plan: ControlPlan, results: Results, told: Mapping[str, Any]) -> str:
    """The report as a Markdown page."""
    missed = misses(plan, results)
    return "\n".join(
        [
            "# Does the composer do what it is told?",
            "",
            "Written by `python -m tests.benchmarks.composer_control --report` from "
            "[composer-control.json](composer-control.json); not edited by hand.",
            "",
            *_what_was_done(plan, told),
            "",
            "![Each measure over the plane](figures/composer-control-plane.svg)",
            "",
            "## The bars",
            "",
            *verdict_table(plan, results),
            "",
            "**Missed** cells are bold. *Reach* is the mean at the highest value of the axis less that at "
            "the lowest, over all palettes.",
            "",
            *(["Missed:", "", *(f"- {one}" for one in missed)] if missed else ["Every bar is met."]),
            "",
            "![Every seed and palette](figures/composer-control-seeds.svg)",
            "",
            "## Every seed",
            "",
            *seed_table(plan, results),
            "",
            "## What predictors hear in the same clips",
            "",
            "Reported, never tuned to. `cues` reads the very cues that the composer writes and is a check of "
            "the manipulation; `musicnn` is independent of it. V and A: rho with the intended axes.",
            "",
            *predictor_table(results),
            "",
            "## How well the measures hear",
            "",
            "Rho, clip by clip, with the same thing counted in the score: "
            + ", ".join(f"{name.replace('_', ' ')} {_number(rho)}" for name, rho in results.hearing.items())
            + ". No bar rests on the score.",
            "",
        ]
    )


def _what_was_done(plan: ControlPlan, told: Mapping[str, Any]) -> Sequence[str]:
    first_s, last_s = plan.excerpt_s
    return [
        f"Every place of a grid of {len(plan.grid)} × {len(plan.grid)} over valence and arousal "
        f"({plan.grid[0]:g} to {plan.grid[-1]:g}) was held for {plan.session_s:g} s, with "
        f"{len(told['seeds'])} seeds and {len(told['palettes'])} palettes: {told['clips']} sessions. "
        f"Seconds {first_s:g} to {last_s:g} of their sound, before mastering, were measured "
        "(how: `tests/benchmarks/composer_control_measures.py`); nothing was read off the score.",
        "",
        "Bars, seeds and measures were written into `tests/benchmarks/composer_control_plan.json` (SHA-256 "
        f"`{plan.sha256[:16]}…`) and committed before the run; the composer was tuned on other seeds. Rho is "
        "Spearman's, over single clips; five values on an axis leave .98 as the largest that is possible.",
        "",
        "What is shown is that the composer moves the cues that are published as those of perceived emotion, "
        "each by its own axis. What a listener perceives, only listeners can tell.",
    ]


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "rho": _rounded(verdict.follows.rho),
        "reach": _rounded(verdict.follows.reach),
        "meets": verdict.meets,
        "keeps_off": verdict.keeps_off,
    }


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}


def _asked(plan: ControlPlan, name: str, axis: str) -> str:
    bar = plan.bars.get(name)
    if bar is None:
        return ""
    return f"≥ {_number(bar.at_least)}" if bar.axis else "falls" if bar.signs[axis] < 0 else "rises"


def _cell(verdict: Verdict, axis: str, plan: ControlPlan, name: str) -> str:
    rho = verdict.follows.rho[axis]
    bar = plan.bars.get(name)
    missed = bar is not None and (rho < bar.at_least if bar.axis else bar.signs[axis] * rho <= 0.0)
    return f"**{_number(rho)}**" if missed else _number(rho)


def _cross(verdict: Verdict, other: str, most: float) -> str:
    rho = verdict.follows.rho[other]
    return f"**{_number(rho)}**" if abs(rho) > most else _number(rho)


def _number(value: float) -> str:
    """As papers print correlations: .93, −.04."""
    text = f"{abs(value):.2f}".removeprefix("0")
    return f"−{text}" if value < 0 and float(text) else text
