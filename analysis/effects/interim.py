"""Looks at the arms before the end: boundaries, and what was recorded at each look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.effects.estimate import Effects
from study.events import InterimLookTaken
from study.protocol import StudyProtocol


def interim_of(
    protocol: StudyProtocol, primary: Effects, taken: Sequence[InterimLookTaken]
) -> dict[str, Any] | None:
    """The plan of looks with what was found at each; None where the protocol plans none."""
    return None
