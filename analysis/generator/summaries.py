"""What a heard grid was asked, and what came of each system and clip, as JSON values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.generator.heard import HeardClip, HeardGrid
from generation.clip_grid import GridSystem, Role
from study.canonical import plain


def asked_of(heard: HeardGrid) -> dict[str, Any]:
    """Targets, seeds and lengths of what was generated, ceilings left out."""
    real = {system.name for system in heard.grid.systems if system.role is Role.CEILING}
    made = [clip for clip in heard.grid.clips if clip.system not in real]
    targets = {clip.target_id: clip.target for clip in made}
    distances = [np.hypot(one.valence, one.arousal) for one in targets.values()]
    lengths = [clip.duration_s for clip in made]
    return {
        "targets": [{"target_id": name, **plain(affect)} for name, affect in targets.items()],
        "seeds": sorted({clip.seed for clip in made}),
        "clip_s": {"shortest": min(lengths), "longest": max(lengths)} if lengths else None,
        "neutral_distance": float(np.mean(distances)) if distances else None,
        "made_with": dict(heard.grid.made_with),
    }


def system_summary(system: GridSystem, heard: HeardGrid) -> dict[str, Any]:
    """A system as its manifest has it, with how many of its clips were heard and how predictors disagree."""
    clips = heard.of(system.name)
    faults = Counter(one.kind for one in heard.faults if one.system == system.name)
    return {
        **plain(system),
        "n_clips": len(heard.grid.of(system.name)),
        "n_heard": len(clips),
        "faults": {str(kind): n for kind, n in sorted(faults.items())},
        "valence_disagreement": _mean([one.valence_disagreement for one in clips]),
        "arousal_disagreement": _mean([one.arousal_disagreement for one in clips]),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def point_of(one: HeardClip) -> dict[str, Any]:
    """A clip: where it was to be, and where each predictor hears it."""
    return {
        "system": one.clip.system,
        "target_id": one.clip.target_id,
        "seed": one.clip.seed,
        "target": plain(one.clip.target),
        "by": plain(one.by),
        "valence_disagreement": one.valence_disagreement,
        "arousal_disagreement": one.arousal_disagreement,
    }
