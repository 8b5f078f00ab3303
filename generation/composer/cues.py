"""The musical cues of emotion, as continuous functions of valence and arousal.

Source of signs and sizes: the stimulus ratings of Eerola, Friberg & Bresin (2013, Emotional
expression in music, Frontiers in Psychology 4:487), refitted: valence follows mode (+.67) and register
(+.36); arousal follows tempo (+.55), mode (+.43), dynamics (+.28) and articulation (+.17). The least-norm
inverse of that fit sets the signs here; tempo and dynamics are damped against valence, and mode against
arousal, so that each axis can be moved alone.

    tempo               1.2 to 6 notes a second, faster with arousal (Eerola et al. 2013)
    density, harmony    more notes and chords with arousal (Ehrlich et al. 2019)
    articulation        legato to detached with arousal (Bresin & Friberg 2000; Juslin 2000)
    dissonance          lowers valence, raises arousal (Scirea et al. 2017, MetaCompose)
    percussion          raises arousal (van der Zwaag et al. 2011); groove: pleasure (Witek et al. 2014)
    brightness          energy above the corner raises arousal (Juslin 2000)
    expression          phrase arch and contrast of durations (Bresin & Friberg 2000, Emotional coloring of
                        computer-controlled music performances, Computer Music Journal 24(4), 44-63): tender
                        and sad playing arches its phrases and evens out durations, happy and angry playing
                        does the opposite

The composer manipulates these published cues; it does not claim what a listener feels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from study.errors import IsopathError, OutOfRange, UnknownName, refuse
from study.path import AffectPath

Curve = NDArray[np.float64]

GRID_S = 0.25
SMOOTHING_S = 4.0
"""Standard deviation of the path's smoothing: a change takes about ten seconds, a phrase of four bars."""
DECIMALS = 9
"""What decisions hang on is rounded: the last bits of a logarithm differ between processors."""

CUE_NAMES = (
    "mode",
    "register",
    "tempo",
    "dynamics",
    "articulation",
    "brightness",
    "density",
    "dissonance",
    "groove",
    "harmony",
    "percussion",
    "expression",
)
"""What `cue_weights` may name; a weight of 0 holds the cue at its neutral value."""

READERS_OF_CUES: Mapping[str, tuple[str, ...]] = {"composer": ("cues",)}
"""Engine to the predictors that read the very cues which it writes: what they hear in its music, or in what
learned from its music, is a manipulation check."""


@dataclass(frozen=True)
class Cues:
    """Every cue, one value per point; all arrays share one shape.

    Args:
        tempo_bpm: quarter notes a minute.
        mode: place on the ladder of modes, 0 Phrygian, 1 Aeolian, 2 Dorian, 3 Mixolydian, 4 Ionian.
        melody_key: centre of the melody as a MIDI key.
        velocity: touch, 0 to 1.
        gain_db: level of the whole, against what more or fewer notes do of themselves.
        level_db: how loud the whole is meant to be, in decibels around the session's own level.
        articulation: sounding share of the time to the next note.
        brightness: factor on what lies above the tone control's corner.
        density: 0 to 1, share of the rhythmic slots that sound.
        harmonic_rate: chords a bar.
        dissonance: 0 to 1, share of chords and melody notes with added tension.
        percussion: 0 to 1.
        groove: 0 to 1, back beat and off-beats against a bare pulse.
        sustain: 0 to 1, weight of held sounds against struck ones.
        arch: how far phrases swell and broaden, 1 as the rules of performance have it, 0 not at all.
        contrast: -1 to 1, durations evened out (below 0) or contrasted (above 0).
        swing: share of a beat, 0 to 0.07, by which the second eighth comes late.
    """

    tempo_bpm: Curve
    mode: Curve
    melody_key: Curve
    velocity: Curve
    gain_db: Curve
    level_db: Curve
    articulation: Curve
    brightness: Curve
    density: Curve
    harmonic_rate: Curve
    dissonance: Curve
    percussion: Curve
    groove: Curve
    sustain: Curve
    arch: Curve
    contrast: Curve
    swing: Curve


FIELDS = tuple(field.name for field in fields(Cues))
_PLACE = {name: place for place, name in enumerate(FIELDS)}
#: Where a cue must stay, whatever a palette adds to it.
_BOUNDS: Mapping[str, tuple[float, float]] = {
    "tempo_bpm": (20.0, 240.0),
    "mode": (0.0, 4.0),
    "velocity": (0.05, 1.0),
    "articulation": (0.2, 1.3),
    "brightness": (0.2, 2.5),
    "density": (0.0, 1.0),
    "dissonance": (0.0, 1.0),
    "percussion": (0.0, 1.0),
    "groove": (0.0, 1.0),
    "sustain": (0.0, 1.0),
    "arch": (0.0, 2.0),
    "contrast": (-1.0, 1.0),
    "swing": (0.0, 0.07),
}


def cues_of(
    valence: Curve,
    arousal: Curve,
    weights: Mapping[str, float] | None = None,
    palette_bias: Mapping[str, float] | None = None,
) -> Cues:
    """The cues at points of the plane.

    Args:
        valence, arousal: in [-1, 1], same shape.
        weights: cue name of `CUE_NAMES` to a factor, 0 to 1, on valence and arousal as
            this cue sees them; 1 where not named.
        palette_bias: field of `Cues` to an offset in its own unit, the same everywhere.

    Raises:
        UnknownName: the bias is on something that is no cue.
    """

    def seen(cue: str) -> tuple[Curve, Curve]:
        weight = 1.0 if weights is None else weights.get(cue, 1.0)
        return weight * valence, weight * arousal

    told: dict[str, Curve] = {}
    v, a = seen("tempo")
    told["tempo_bpm"] = 83.0 * 2.0 ** (0.66 * a)
    v, a = seen("mode")
    # Plain minor is the sad mode; Phrygian is kept for the darkest corner.
    told["mode"] = 2.35 + 1.95 * np.tanh(1.9 * v)
    v, a = seen("register")
    told["melody_key"] = 70.5 + 9.5 * v + 0.4 * a
    v, a = seen("dynamics")
    told["velocity"] = 0.50 + 0.18 * a
    gain_db = 0.5 * a + 0.8 * v
    # High melodies sound a little louder than the level plan reckons.
    told["level_db"] = 3.0 * a - 0.2 * v
    v, a = seen("articulation")
    told["articulation"] = 0.90 - 0.27 * a - 0.03 * v
    v, a = seen("brightness")
    # Who plays, and how high, is evened out where it sounds (`sound.tint`), all but a little of it.
    told["brightness"] = 2.0 ** (1.2 * a - 0.12 * v)
    v, a = seen("density")
    told["density"] = 0.5 + 0.5 * a
    told["sustain"] = 1.0 - 0.75 * _rising(a, -0.9, 1.0)
    # More notes are louder of themselves; what is meant is the touch, three decibels up or down.
    told["gain_db"] = gain_db - 5.4 * a
    v, a = seen("harmony")
    told["harmonic_rate"] = 0.6 + 1.3 * _rising(a, -1.1, 1.1)
    v, a = seen("percussion")
    # What the groove takes from the drums of dark music, its level gives back.
    told["percussion"] = 0.92 * _rising(a, -0.25, 0.85) * (1.0 - 0.08 * v)
    v, a = seen("groove")
    told["groove"] = 0.6 + 0.4 * _rising(v, -1.2, 0.8)
    told["swing"] = 0.045 * _rising(v, -0.4, 0.9) * _rising(a, -0.7, 0.5)
    v, a = seen("dissonance")
    told["dissonance"] = 0.32 - 0.38 * v + 0.12 * a
    v, a = seen("expression")
    told["arch"] = 1.0 - 0.6 * a
    told["contrast"] = 0.8 * a
    for name, offset in (palette_bias or {}).items():
        if name not in told:
            raise UnknownName(
                f"palette.cue_bias.{name}", f"{name!r} is no cue", "write one of " + ", ".join(FIELDS)
            )
        told[name] = told[name] + offset
    for name, (least, most) in _BOUNDS.items():
        told[name] = np.clip(told[name], least, most)
    return Cues(**told)


def checked_weights(given: Any) -> dict[str, float]:
    """Cue weights as a protocol names them.

    A study may hold any cue, but not all of them: the music would follow nothing while its records name a
    path. Who wants music that stays where it is plans a path that does.

    Raises:
        UnknownName: a cue that does not exist.
        OutOfRange: no object, a weight that is no number in [0, 1], or all cues held.
        Refusals: several of these.
    """
    where = "engine.options.cue_weights"
    if not isinstance(given, Mapping):
        raise OutOfRange(where, f"{given!r} is not an object", 'write for example {"tempo": 0}')
    weights: dict[str, float] = {}
    refusals: list[IsopathError] = []
    for cue, weight in given.items():
        field = f"{where}.{cue}"
        if cue not in CUE_NAMES:
            refusals.append(
                UnknownName(field, f"{cue!r} is not a cue", "write one of " + ", ".join(CUE_NAMES))
            )
        elif isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0.0 <= weight <= 1.0:
            refusals.append(OutOfRange(field, f"{weight!r} is not in [0, 1]", "write a number from 0 to 1"))
        else:
            weights[cue] = float(weight)
    refuse(refusals)
    if all(weights.get(cue, 1.0) == 0.0 for cue in CUE_NAMES):
        raise OutOfRange(
            where,
            "every cue has the weight 0: the music would follow no path at all",
            "leave one cue its weight, or plan a path that stays at one place",
        )
    return weights


class CueCurves:
    """The cues along one session.

    Args:
        path: with planned affect.
        weights: see `cues_of`.
        palette_bias: see `cues_of`.

    Raises:
        OutOfRange: the path has no planned affect, or every weight is 0.
        UnknownName: a weight or a bias on something that is no cue.
    """

    def __init__(
        self,
        path: AffectPath,
        weights: Mapping[str, float] | None = None,
        palette_bias: Mapping[str, float] | None = None,
    ) -> None:
        if weights:
            weights = checked_weights(weights)
        self.duration_s = path.duration_s
        self._step_s = min(GRID_S, self.duration_s / 8)
        self.times_s = np.arange(0.0, self.duration_s + self._step_s, self._step_s)
        planned = path.affect_at(self.times_s)
        spread = min(SMOOTHING_S, self.duration_s / 8) / self._step_s
        smooth = np.clip(gaussian_filter1d(planned, spread, axis=0, mode="nearest"), -1.0, 1.0)
        smooth = np.round(smooth, DECIMALS)
        self.valence, self.arousal = smooth[:, 0], smooth[:, 1]
        self.cues = cues_of(self.valence, self.arousal, weights, palette_bias)
        self._table = np.round(np.stack([getattr(self.cues, name) for name in FIELDS]), DECIMALS)
        # A list of numbers is read one by one five times as fast as an array.
        self._lists: dict[str, list[float]] = {}

    def at(self, times_s: Curve) -> Cues:
        """The cues at `times_s`, shape [n]; held at both ends."""
        place = np.clip(np.asarray(times_s) / self._step_s, 0.0, len(self.times_s) - 1.0)
        before = np.minimum(place.astype(np.int64), len(self.times_s) - 2)
        share = place - before
        values = self._table[:, before] * (1.0 - share) + self._table[:, before + 1] * share
        return Cues(*np.round(values, DECIMALS))

    def one(self, name: str, time_s: float) -> float:
        """One cue at one moment."""
        values = self._lists.get(name)
        if values is None:
            values = self._lists[name] = self._table[_PLACE[name]].tolist()
        place = time_s / self._step_s
        if place <= 0.0:
            return values[0]
        before = int(place)
        if before >= len(values) - 1:
            return values[-1]
        share = place - before
        return round(values[before] * (1.0 - share) + values[before + 1] * share, DECIMALS)


def _rising(x: Curve, low: float, high: float) -> Curve:
    """0 below `low`, 1 above `high`, smooth (3t² − 2t³) between."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
