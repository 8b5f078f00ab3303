"""The bars this project set itself before any track was heard, and whether they are met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.listening.numerals import estimate

AREA = {"arousal": 0.90, "valence": 0.85}
LARGEST_CORRELATION = 0.6


@dataclass(frozen=True)
class Verdict:
    """One bar, one predictor.

    Args:
        bar: what is asked.
        value: what was measured, as the card writes it.
        is_met: by the point estimate, but for mode, where the interval must lie above zero.
        rank: the larger, the better.
    """

    bar: str
    value: str
    is_met: bool
    rank: float


def verdicts(content: Mapping[str, Any], half: str) -> dict[str, list[Verdict]]:
    """Every bar for every predictor of the half; the order of the bars is the same for all."""
    mode = {row["predictor"]: row["valence"] for row in content["one_knob"] if row["knob"] == "mode"}
    found = {}
    for name, own in content["halves"][half].items():
        r = own["v_a_correlation"]
        found[name] = [
            *(
                Verdict(
                    f"{axis}: area ≥ {least:.2f}".replace("0.", "."),
                    estimate(own[axis]),
                    own[axis]["estimate"] >= least,
                    own[axis]["estimate"],
                )
                for axis, least in AREA.items()
            ),
            Verdict(
                "predicted valence and arousal: −.6 < r < .6",
                estimate(r, signed=True),
                abs(r["estimate"]) < LARGEST_CORRELATION,
                -abs(r["estimate"]),
            ),
            Verdict(
                "major less minor, predicted valence: interval above 0",
                estimate(mode[name], signed=True),
                mode[name]["ci_low"] > 0.0,
                mode[name]["ci_low"],
            ),
        ]
    return found
