"""What each method of allocation gives: balance and predictability, from lists drawn as a study draws them.

Run `python -m tests.benchmarks.allocation_properties`: it prints the table of docs/allocation.md and
draws docs/figures/allocation-imbalance.png and allocation-predictability.png. People arrive with two
factors of two levels each, every level equally likely; each list has a seed of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from study.allocation import Seeded, Taken, chances, next_place, of_list
from study.protocol import AllocationGroup, AllocationMethod, AllocationSpec, Stratum

FIGURES = Path(__file__).parents[2] / "docs" / "figures"
TWO = (AllocationGroup("a", ("a",), 1), AllocationGroup("b", ("b",), 1))
FACTORS = (Stratum("site", ("north", "south")), Stratum("sex", ("f", "m")))

SPECS: Mapping[str, AllocationSpec] = {
    "simple": AllocationSpec(TWO, FACTORS, (), AllocationMethod.SIMPLE),
    "biased coin, 2/3": AllocationSpec(TWO, FACTORS, (), AllocationMethod.BIASED_COIN),
    "minimisation, 0.8": AllocationSpec(TWO, FACTORS, (), AllocationMethod.MINIMISATION, 0.8),
    "minimisation, 0.95": AllocationSpec(TWO, FACTORS, (), AllocationMethod.MINIMISATION, 0.95),
    "blocks of 4, 6 and 8": AllocationSpec(TWO, FACTORS, (4, 6, 8)),
    "blocks of 4": AllocationSpec(TWO, FACTORS, (4,)),
}

#: Right guesses in the long run for whoever sees every list: Efron (1971) for the biased coin,
#: Blackwell & Hodges (1957) for blocks of one size: (m + 2^(2m-1) / C(2m, m) - 1/2) / 2m.
PUBLISHED = {"simple": 1 / 2, "biased coin, 2/3": 5 / 8, "blocks of 4": 17 / 24}


@dataclass(frozen=True)
class Drawn:
    """Many lists of one method.

    Args:
        lead: of the first arm over the second after each person, shape [lists, people].
        lead_at_level: the same among people of the first level of the first factor.
        behind, best: whether the guess of the arm that is behind, and the best guess there is, were
            right; 1/2 where the guess is a toss. Shape [lists, people].
        certain: whether the place could be known beforehand, likewise.
    """

    lead: NDArray[np.float64]
    lead_at_level: NDArray[np.float64]
    behind: NDArray[np.float64]
    best: NDArray[np.float64]
    certain: NDArray[np.float64]


def draw_lists(spec: AllocationSpec, lists: int, people: int, name: str) -> Drawn:
    """Lists of two equal arms.

    Args:
        name: what the seeds are made of, so that a run can be repeated.
    """
    shape = (lists, people)
    drawn = Drawn(*(np.zeros(shape) for _ in range(5)))
    for row in range(lists):
        seed = hashlib.sha256(f"{name}/{row}".encode()).digest()
        rng = random.Random(seed)
        taken: list[Taken] = []
        for at in range(people):
            stratum = {factor.factor: rng.choice(factor.levels) for factor in spec.strata}
            likely = chances(spec, taken, stratum)
            here = of_list(spec, taken, stratum)
            place = next_place(spec, Seeded(seed), taken, stratum)
            drawn.behind[row, at] = _right_when_behind(here, place.group_id)
            top = max(likely.values())
            drawn.certain[row, at] = top == 1
            favoured = [group for group, chance in likely.items() if chance == top]
            drawn.best[row, at] = (place.group_id in favoured) / len(favoured)
            taken.append(Taken(place.group_id, stratum, place.block, place.position))
            drawn.lead[row, at] = _lead(taken)
            level = spec.strata[0].levels[0] if spec.strata else ""
            drawn.lead_at_level[row, at] = _lead([one for one in taken if level in one.stratum.values()])
    return drawn


def _lead(taken: Sequence[Taken]) -> int:
    return sum(1 if one.group_id == "a" else -1 for one in taken)


def _right_when_behind(here: Sequence[Taken], came: str) -> float:
    """Blackwell & Hodges' convergence strategy: guess the arm that came less often; toss at a tie."""
    had = Counter(one.group_id for one in here)
    if had["a"] == had["b"]:
        return 0.5
    return float(came == min("ab", key=lambda group: had[group]))


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lists", type=int, default=400)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--figures", type=Path, default=FIGURES)
    given = parser.parse_args()
    found = {name: draw_lists(spec, given.lists, given.people, name) for name, spec in SPECS.items()}
    print("| method | difference, all | one site | largest | arm behind | best guess | published | certain |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, drawn in found.items():
        last, level = np.abs(drawn.lead[:, -1]), np.abs(drawn.lead_at_level[:, -1])
        published = f"{PUBLISHED[name]:.3f}" if name in PUBLISHED else ""
        print(
            f"| {name} | {last.mean():.2f} | {level.mean():.2f} | {np.abs(drawn.lead).max():.0f} "
            f"| {drawn.behind.mean():.3f} | {drawn.best.mean():.3f} | {published} "
            f"| {drawn.certain.mean():.3f} |"
        )
    draw_imbalance(found, given.figures / "allocation-imbalance.png")
    draw_predictability(found, given.figures / "allocation-predictability.png")


COLOURS = ("#666666", "#0072B2", "#009E73", "#56B4E9", "#D55E00", "#CC79A7")
DASHES = ("solid", "dashed", "solid", "dotted", "dashdot", "dashed")


def draw_imbalance(found: Mapping[str, Drawn], file: Path) -> None:
    """The mean difference between two arms as people come, of all and of one level of a factor."""
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 4.0), sharex=True, layout="constrained")
    for axis, title in zip(axes, ("Among all", "Among people of one site"), strict=True):
        for (name, drawn), colour, dashes in zip(found.items(), COLOURS, DASHES, strict=True):
            lead = drawn.lead if axis is axes[0] else drawn.lead_at_level
            # Over four neighbours: with two arms, odd and even numbers differ by one all along.
            mean = np.convolve(np.abs(lead).mean(axis=0), np.ones(4) / 4, mode="valid")
            people = np.arange(len(mean)) + 2.5
            axis.plot(people, mean, color=colour, linestyle=dashes, linewidth=1.8, label=name)
        axis.set_title(title, loc="left", fontsize=11)
        axis.set_xlabel("People allocated")
        axis.set_ylim(0, None)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("Difference between the arms\n(people, mean of the lists)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=9)
    figure.savefig(file, dpi=150)
    plt.close(figure)


def draw_predictability(found: Mapping[str, Drawn], file: Path) -> None:
    """The share of right guesses, by two ways of guessing, with 95 % intervals and published values."""
    figure, axis = plt.subplots(figsize=(8.0, 3.6), layout="constrained")
    marks = (
        ("behind", "guess: the arm that came less often", "o", -0.14, "#0072B2"),
        ("best", "the best guess from protocol and list", "s", 0.14, "#D55E00"),
    )
    for field, label, mark, shift, colour in marks:
        shares = [getattr(drawn, field).mean(axis=1) for drawn in found.values()]
        means = [share.mean() for share in shares]
        half = [1.96 * share.std(ddof=1) / np.sqrt(len(share)) for share in shares]
        rows = np.arange(len(found)) + shift
        axis.errorbar(means, rows, xerr=half, fmt=mark, color=colour, label=label, markersize=6)
    for row, name in enumerate(found):
        if name in PUBLISHED:
            axis.vlines(PUBLISHED[name], row - 0.36, row + 0.36, color="black", linewidth=1.2)
    axis.vlines([], 0, 0, color="black", linewidth=1.2, label="published, in the long run")
    axis.set_yticks(range(len(found)), list(found))
    axis.invert_yaxis()
    axis.set_xlim(0.48, 1.0)
    axis.set_xlabel("Share of right guesses (0.5: nothing can be foreseen)")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=9, loc="lower right")
    figure.savefig(file, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    main()
