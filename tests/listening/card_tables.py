"""The card's tables of figures, from docs/mer.json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analysis.mer.combined import NAME as COMBINED
from analysis.mer.registry import EMBEDDED
from tests.listening.bars import verdicts
from tests.listening.discrimination import AXES
from tests.listening.numerals import NONE, estimate, interval, number, percent

Content = Mapping[str, Any]

OWN = (*EMBEDDED, COMBINED)
"""What the bars are set for; anything else is there to compare with."""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def bars_table(content: Content, half: str) -> str:
    """Each bar by predictor: met or missed."""
    by_predictor = verdicts(content, half)
    columns = zip(*by_predictor.values(), strict=True)
    return table(
        ["bar", *(f"`{name}`" if name in OWN else f"`{name}`, to compare" for name in by_predictor)],
        [
            [own[0].bar, *(f"{one.value} {'met' if one.is_met else '**missed**'}" for one in own)]
            for own in columns
        ],
    )


def bars_summary(content: Content, half: str) -> str:
    """Which embedded predictors meet each bar, one sentence a bar."""
    embedded = {name: own for name, own in verdicts(content, half).items() if name in OWN}
    bars = [verdict.bar for verdict in next(iter(embedded.values()))]
    lines = []
    for place, bar in enumerate(bars):
        met = [f"`{name}`" for name, own in embedded.items() if own[place].is_met]
        best = max(embedded, key=lambda name: embedded[name][place].rank)
        missed = f"**missed by all** (the best: `{best}`, {embedded[best][place].value})"
        lines.append(f"- {bar}: " + (f"met by {', '.join(met)}" if met else missed))
    return "\n".join(lines)


def areas_table(content: Content) -> str:
    """Areas under the curve: validate half, and the half that set the scales beside it."""
    heads = [
        "axis",
        "predictor",
        "positive / negative, high / low",
        "area [DeLong]",
        "[by package]",
        "within packages (pairs)",
    ]
    halves = content["halves"]
    shown = [half for half in ("validate", "calibrate") if half in halves]
    rows = []
    for axis in AXES:
        for name in halves[shown[0]]:
            own = halves[shown[0]][name][axis]
            within = own["within_packages"]
            without = own["without_package"].values()
            rows.append(
                [
                    axis,
                    f"`{name}`",
                    f"{own['n_high']} / {own['n_low']}",
                    estimate(own),
                    interval(own["clustered_low"], own["clustered_high"]),
                    f"{number(within['estimate'])} ({within['pairs']})",
                    f"{number(min(without))} to {number(max(without))}",
                    *(estimate(halves[half][name][axis]) for half in shown[1:]),
                ]
            )
    return table(
        [*heads, "one package left out", *(f"{half} half (set the scales)" for half in shown[1:])], rows
    )


def compared_table(content: Content, half: str) -> str:
    """Areas less those of the predictor to compare with."""
    return table(
        ["predictor", *(f"{axis}: difference of areas" for axis in AXES)],
        [
            [f"`{name}`", *(estimate(own["less_compared"][axis], signed=True) for axis in AXES)]
            for name, own in content["halves"][half].items()
            if "less_compared" in own
        ],
    )


def spread_table(content: Content, half: str) -> str:
    """How the two axes hang together, what brightness does, and where predictions lie."""
    rows = []
    for name, own in content["halves"][half].items():
        valence, arousal = (own["distribution"][axis] for axis in AXES)
        rows.append(
            [
                f"`{name}`",
                str(own["n"]),
                estimate(own["v_a_correlation"], signed=True),
                *(estimate(own["centroid"][axis], signed=True) for axis in AXES),
                *(
                    f"{number(axis['p05'], signed=True)} to {number(axis['p95'], signed=True)}"
                    for axis in (valence, arousal)
                ),
            ]
        )
    heads = ["predictor", "tracks", "r of the axes", "r(valence, brightness)", "r(arousal, brightness)"]
    return table([*heads, "valence, middle 90 %", "arousal, middle 90 %"], rows)


def labels_table(content: Content) -> str:
    """Tracks and labels by package."""
    by_package: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in content["labels"]:
        by_package.setdefault(row["package"], {})[row["half"]] = row
    names = ("tracks", "high", "low", "positive", "negative")

    def cells(rows: Iterable[Mapping[str, Any]]) -> list[str]:
        kept = list(rows)
        sums = {name: sum(row[name] for row in kept) for name in names}
        return [
            str(sums["tracks"]),
            f"{sums['high']} / {sums['low']}",
            f"{sums['positive']} / {sums['negative']}",
        ]

    def line(title: str, halves: Sequence[Mapping[str, Mapping[str, Any]]]) -> list[str]:
        return [
            title,
            *cells(own["calibrate"] for own in halves if "calibrate" in own),
            *cells(own["validate"] for own in halves if "validate" in own),
        ]

    heads = ["package", "calibrate: tracks", "high / low", "positive / negative"]
    heads += ["validate: tracks", "high / low", "positive / negative"]
    rows = [line(package, [own]) for package, own in by_package.items()]
    return table(heads, [*rows, line("together", list(by_package.values()))])


def foreign_table(content: Content) -> str:
    """Share of windows beyond the edge."""
    names = list(dict.fromkeys(row["predictor"] for row in content["foreign"]))
    rows = []
    for group in dict.fromkeys(row["sounds_of"] for row in content["foreign"]):
        own = {row["predictor"]: row for row in content["foreign"] if row["sounds_of"] == group}
        first = next(iter(own.values()))
        rows.append(
            [
                f"{group} ({first['sounds']})",
                *(_foreign(own[name]) if name in own else NONE for name in names),
            ]
        )
    return table(["sounds (how many)", *(f"`{name}`" for name in names)], rows)


def _foreign(row: Mapping[str, Any]) -> str:
    return f"{percent(row['share'])} of {row['windows']:,} (median {number(row['median_distance'])})"


def parts_table(content: Content) -> str:
    """Weights with their hashes, and every licence."""
    rows = []
    # A part that several use may have its licence told by one of them only.
    licences: dict[str, str] = {}
    for card in content["predictors"].values():
        licences |= card["licences"]
    for name, card in content["predictors"].items():
        if name == COMBINED:
            continue
        digests = card["weights_sha256"]
        parts = [*digests, *(part for part in card["licences"] if part not in digests)]
        rows += [
            [
                f"`{name}`",
                f"`{part}`" if part in digests else part,
                licences.get(part, NONE),
                f"`{digests[part]}`" if part in digests else NONE,
            ]
            for part in parts
        ]
    return table(["predictor", "part", "licence", "SHA-256"], rows)


def places_table(content: Content) -> str:
    """Each tag that has a place, and why there."""
    return table(
        ["tag", "valence", "arousal", "source", "how the source names it"],
        [
            [
                tag["tag"],
                number(tag["valence"], signed=True),
                number(tag["arousal"], signed=True),
                str(tag["source"]),
                tag["link"],
            ]
            for tag in content["tag_places"]["tags"]
        ],
    )
