"""Which sounds each predictor calls foreign: music it was not calibrated on, composed music, and no music."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.listening import composed, one_knob
from tests.listening.discrimination import foreign_shares
from tests.listening.hearing import HeardSound


def foreign_figures(
    heard: Mapping[str, HeardSound], groups: Mapping[str, Sequence[str]], predictors: Sequence[str]
) -> list[dict[str, Any]]:
    """One row a group of sounds and predictor that can tell."""
    return [
        {"sounds_of": title, "predictor": name, **found}
        for title, ids in {**groups, **_made()}.items()
        for name in predictors
        if (found := foreign_shares([heard[sound_id] for sound_id in ids], name)) is not None
    ]


def _made() -> dict[str, list[str]]:
    plain: dict[str, list[str]] = {"white": [], "pink": [], "tone": []}
    for sound in composed.plain_sounds():
        plain[sound.kind].append(sound.sound_id)
    scores = {pair[1].sound_id for pair in one_knob.knobs()["mode"].pairs}
    return {
        "composed music": [sound.sound_id for sound in composed.grid_sounds()],
        "controlled scores": sorted(scores),
        "white noise": plain["white"],
        "pink noise": plain["pink"],
        "single tones": plain["tone"],
    }
