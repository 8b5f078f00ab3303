"""The card's tables of sounds made here: knobs, cues, composed music, seams, silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.listening.card_tables import Content, table
from tests.listening.cue_slopes import CAUSES
from tests.listening.discrimination import AXES
from tests.listening.numerals import NONE, estimate, number


def knobs_table(content: Content) -> str:
    """Effects of each knob on each axis."""
    names = list(dict.fromkeys(row["predictor"] for row in content["one_knob"]))
    rows = []
    for title in dict.fromkeys(row["title"] for row in content["one_knob"]):
        own = {row["predictor"]: row for row in content["one_knob"] if row["title"] == title}
        first = next(iter(own.values()))
        pieces = f"{title} ({first['valence']['n']} pieces, {first['pairs']} pairs)"
        rows += [
            [
                pieces if axis == "valence" else "",
                axis,
                {1: "+", -1: "−", 0: "0"}[sign],
                *(estimate(own[name][axis], signed=True) if name in own else NONE for name in names),
            ]
            for axis, sign in zip(AXES, first["expected"], strict=True)
        ]
    return table(["knob", "of", "expected", *(f"`{name}`" for name in names)], rows)


def confound_table(content: Content) -> str:
    """How much instruments and drums do against mode."""
    rows = []
    for name in dict.fromkeys(row["predictor"] for row in content["one_knob"]):
        own = {row["knob"]: row["valence"] for row in content["one_knob"] if row["predictor"] == name}
        mode = own["mode"]
        is_heard = mode["ci_low"] > 0.0 or mode["ci_high"] < 0.0
        cells = []
        for knob in ("strings", "synthesiser", "drums"):
            moved = own[knob]["estimate"]
            times = f" ({abs(moved / mode['estimate']):.1f} ×)" if is_heard else ""
            cells.append(number(moved, signed=True) + times)
        rows.append([f"`{name}`", estimate(mode, signed=True), *cells])
    heads = ["predicted valence", "minor → major", "piano → strings", "piano → synthesiser", "drums added"]
    return table(heads, rows)


def grid_table(content: Content) -> str:
    """Rank correlations with what the composer was asked for."""
    columns = {
        "valence_by_planned_valence": "valence with planned valence",
        "valence_by_planned_arousal": "valence with planned arousal",
        "arousal_by_planned_arousal": "arousal with planned arousal",
        "arousal_by_planned_valence": "arousal with planned valence",
    }
    return table(
        ["predictor", *columns.values()],
        [
            [f"`{name}`", *(number(own[key]["estimate"], signed=True) for key in columns)]
            for name, own in content["composed_grid"].items()
        ],
    )


def seams_table(content: Content) -> str:
    """Steps at seams less steps elsewhere."""
    titles = {"composed": "composed session, every 30 s", "joined": "crossfaded clips, at the crossfades"}
    return table(
        ["sound", "predictor", "seams", "valence: at seams / elsewhere", "arousal: at seams / elsewhere"],
        [
            [titles[row["kind"]], f"`{row['predictor']}`", str(row["valence"]["n"])]
            + [
                f"{number(row[axis]['first_mean'])} / {number(row[axis]['second_mean'])}"
                f" (difference {estimate(row[axis], signed=True)})"
                for axis in AXES
            ]
            for row in content["seams"]
        ],
    )


def pauses_table(content: Content) -> str:
    """What is said of a pause."""

    def affect(values: Sequence[float] | None) -> str:
        return NONE if values is None else ", ".join(number(value, signed=True) for value in values)

    return table(
        ["pause of 15 s", "predictor", "windows in it", "in the music", "windows that touch it", "in it"],
        [
            [
                row["pause"].replace("-", "−"),
                f"`{row['predictor']}`",
                str(row["pause_windows"]),
                affect(row["music"]),
                affect(row["touching"]),
                affect(row["in_pause"]),
            ]
            for row in content["pauses"]
        ],
    )


def cues_table(content: Content) -> str:
    """How far every knob moves every cue, in standard deviations of the cue in real music."""
    rows = content["cue_slopes"]
    titles = dict.fromkeys(row["title"] for row in rows)
    by_cue: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        by_cue.setdefault(row["cue"], {})[row["title"]] = row
    cells = []
    for cue, own in by_cue.items():
        cause, _ = CAUSES.get(cue, ("", None))
        cells.append(
            [
                f"`{cue}`",
                *(
                    f"**{number(own[title]['moved_sd'])}**"
                    if own[title]["knob"] == cause
                    else number(own[title]["moved_sd"])
                    for title in titles
                ),
            ]
        )
    return table(["cue", *titles], cells)


def slopes_table(content: Content) -> str:
    """The slope of each cue by its own cause, and what it would be if the cue followed exactly."""
    own = {(row["cue"], row["knob"]): row for row in content["cue_slopes"]}
    return table(
        ["cue", "its cause", "measured slope", "exact"],
        [
            [
                f"`{cue}` ({own[cue, knob]['unit']})",
                own[cue, knob]["title"],
                number(own[cue, knob]["slope"]),
                number(exact),
            ]
            for cue, (knob, exact) in CAUSES.items()
        ],
    )
