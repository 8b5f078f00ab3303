"""Affect on the circumplex, and the scales people report it on.

Valence and arousal lie in [-1, 1] each (Russell, 1980, A circumplex model of
affect, J. Pers. Soc. Psychol. 39, 1161-1178). Every scale is joined to that
square by one affine map and no other: nothing is clipped, nothing is z-scored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from types import MappingProxyType

from study.errors import OutOfRange, UnknownName


@dataclass(frozen=True, order=True)
class Affect:
    """A point on the circumplex.

    Args:
        valence: unpleasant -1 to pleasant 1.
        arousal: deactivated -1 to activated 1.

    Raises:
        OutOfRange: a coordinate is outside [-1, 1] or not a number.
    """

    valence: float
    arousal: float

    def __post_init__(self) -> None:
        for axis in ("valence", "arousal"):
            value = getattr(self, axis)
            # NaN fails every comparison, and so does what is no number on the axis.
            if not -1.0 <= value <= 1.0:
                raise OutOfRange(
                    axis,
                    f"{value} is outside [-1, 1]",
                    "write a value on the circumplex scale (SAM 9 is 1.0)",
                )

    def distance_to(self, other: Affect) -> float:
        """Euclidean distance in the plane, 0 to 2√2."""
        return math.hypot(self.valence - other.valence, self.arousal - other.arousal)

    def toward(self, other: Affect, share: float) -> Affect:
        """The point that lies `share` (0 to 1) of the straight way to `other`."""
        return Affect(
            _between(self.valence, other.valence, share),
            _between(self.arousal, other.arousal, share),
        )


def _between(a: float, b: float, share: float) -> float:
    # The two-product form is exact at both ends and never leaves [a, b].
    return min(max((1.0 - share) * a + share * b, min(a, b)), max(a, b))


#: Named states a protocol may use instead of a point. Positions follow the
#: circumplex of Russell (1980, figure 4) in rounded numbers; a study that
#: needs others writes the point.
NAMED_STATES: Mapping[str, Affect] = MappingProxyType(
    {
        "calm": Affect(0.6, -0.6),
        "relaxed": Affect(0.6, -0.4),
        "content": Affect(0.7, -0.2),
        "serene": Affect(0.8, -0.4),
        "sleepy": Affect(0.0, -0.8),
        "neutral": Affect(0.0, 0.0),
        "happy": Affect(0.8, 0.2),
        "joyful": Affect(0.8, 0.5),
        "energetic": Affect(0.5, 0.7),
        "excited": Affect(0.6, 0.8),
        "tense": Affect(-0.4, 0.7),
        "anxious": Affect(-0.6, 0.6),
        "angry": Affect(-0.6, 0.8),
        "distressed": Affect(-0.7, 0.5),
        "sad": Affect(-0.7, -0.4),
        "depressed": Affect(-0.8, -0.5),
        "bored": Affect(-0.4, -0.6),
    }
)


def named_state(name: str) -> Affect:
    """The point of a named state.

    Raises:
        UnknownName: the name is not in `NAMED_STATES`.
    """
    try:
        return NAMED_STATES[name]
    except KeyError:
        raise UnknownName(
            "state",
            f"{name!r} is not a named state",
            "write one of " + ", ".join(NAMED_STATES) + ", or a point with valence and arousal",
        ) from None


@dataclass(frozen=True)
class Scale:
    """A bounded response scale and its affine map onto [-1, 1].

    Args:
        name: as printed in messages and data.
        low: the raw value that means -1.
        high: the raw value that means 1.
    """

    name: str
    low: float
    high: float

    def check(self, raw: float, where: str = "response") -> float:
        """`raw` itself, as a float.

        Raises:
            OutOfRange: it lies outside [low, high] or is not a number.
        """
        remedy = f"write a value from {self.low:g} to {self.high:g}, or leave the item out if it was missed"
        if isinstance(raw, bool) or not isinstance(raw, Real):
            raise OutOfRange(where, f"{raw!r} is not a number ({self.name})", remedy)
        if not self.low <= raw <= self.high:
            raise OutOfRange(where, f"{raw} is outside {self.low:g} to {self.high:g} ({self.name})", remedy)
        return float(raw)

    def to_unit(self, raw: float, where: str = "response") -> float:
        """The value in [-1, 1] of a raw response.

        Raises:
            OutOfRange: `raw` is not on the scale.
        """
        share = (self.check(raw, where) - self.low) / (self.high - self.low)
        return 2.0 * share - 1.0

    def from_unit(self, value: float) -> float:
        """The raw response of a value in [-1, 1].

        Raises:
            OutOfRange: `value` lies outside [-1, 1].
        """
        checked = UNIT.check(value, "value")
        return _between(self.low, self.high, (checked + 1.0) / 2.0)


UNIT = Scale("circumplex -1 to 1", -1.0, 1.0)
SLIDER = Scale("Affective Slider 0 to 1", 0.0, 1.0)
VAS = Scale("visual analogue scale 0 to 100", 0.0, 100.0)
NINE_POINT = Scale("nine points 1 to 9", 1.0, 9.0)
