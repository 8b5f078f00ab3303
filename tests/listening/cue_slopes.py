"""How far each cue follows its own cause and no other, and where tags have their places: for the card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from tests.analysis.mer.cues.one_knob import measured_table

#: Cue to the knob that is its cause, and the slope of one that follows it exactly; None where there is none.
CAUSES: Mapping[str, tuple[str, float | None]] = {
    "mode": ("mode", None),
    "mean_pitch": ("transposed", 1.0),
    "log2_note_rate": ("notes", 1.0),
    "log2_tempo": ("pulse", 1.0),
    "loudness_lufs": ("gain", 1.0),
    "detachment": ("detached", 1.0),
    "roughness": ("clusters", None),
}


def cue_slopes() -> list[dict[str, Any]]:
    """Every cue under every knob; see `tests.analysis.mer.cues.one_knob.measured_table`."""
    return measured_table()


def tag_places() -> dict[str, Any]:
    """The tags that have a published place, with its source, and the sources' citations and licences."""
    content = json.loads(
        (files("analysis.mer.musicnn") / "weights" / "tag_affect.json").read_text(encoding="utf-8")
    )
    return {
        "of": len(content["tags"]),
        "tags": [
            {key: tag[key] for key in ("tag", "valence", "arousal", "source", "link")}
            for tag in content["tags"]
            if tag["weight"]
        ],
        "sources": {
            name: {key: source[key] for key in ("citation", "licence")}
            for name, source in content["sources"].items()
        },
    }
