"""The musical cues of emotion, as continuous functions of valence and arousal.

Source: the stimulus ratings of Eerola, Friberg & Bresin (2013, Emotional
expression in music, Frontiers in Psychology 4:487), refitted: valence follows
mode (+.67) and register (+.36); arousal follows tempo (+.55), mode (+.43),
dynamics (+.28) and articulation (+.17). The least-norm inverse of that fit
sets the signs here; tempo and dynamics are damped against valence, and mode
against arousal, so that each axis can be moved alone. Density, dissonance and
percussion follow Ehrlich et al. (2019), Scirea et al. (2017, MetaCompose) and
van der Zwaag et al. (2011); groove follows Witek et al. (2014, Syncopation, body-
movement and pleasure in groove music, PLoS ONE 9:e94446). The composer manipulates these published cues; it
does not claim what a listener feels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from study.path import AffectPath

Curve = NDArray[np.float64]

GRID_S = 0.25
SMOOTHING_S = 3.0
"""Standard deviation of the path's smoothing: a change is spread over a phrase."""

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


def cues_of(valence: Curve, arousal: Curve, weights: Mapping[str, float] | None = None) -> Cues:
    """The cues at points of the plane.

    Args:
        valence, arousal: in [-1, 1], same shape.
        weights: cue name of `CUE_NAMES` to a factor, 0 to 1, on valence and arousal as
            this cue sees them; 1 where not named.
    """

    def seen(cue: str) -> tuple[Curve, Curve]:
        weight = 1.0 if weights is None else weights.get(cue, 1.0)
        return weight * valence, weight * arousal

    v, a = seen("tempo")
    tempo_bpm = 83.0 * 2.0 ** (0.66 * a - 0.03 * v)
    v, a = seen("mode")
    # Plain minor is the sad mode; Phrygian is kept for the darkest corner.
    mode = 2.3 + 2.2 * np.tanh(1.1 * (v + 0.02 * a))
    v, a = seen("register")
    melody_key = 70.5 + 7.5 * v - 0.5 * a
    v, a = seen("dynamics")
    velocity = 0.50 + 0.15 * a - 0.02 * v
    gain_db = 0.5 * a + 0.8 * v
    level_db = 2.8 * a
    v, a = seen("articulation")
    articulation = 0.90 - 0.27 * a - 0.03 * v
    v, a = seen("brightness")
    brightness = 0.78 + 0.46 * a + 0.02 * v
    v, a = seen("density")
    density = 0.5 + 0.5 * a
    # More notes are louder of themselves; what is meant is the touch, three decibels up or down.
    gain_db = gain_db - 5.4 * a
    harmonic_rate = 1.0 + 0.9 * _rising(a, -0.5, 1.1)
    percussion = _rising(a, -0.25, 0.85)
    sustain = 1.0 - 0.75 * _rising(a, -0.9, 1.0)
    v, a = seen("groove")
    groove = _rising(v, -0.9, 0.6)
    v, a = seen("dissonance")
    dissonance = 0.32 - 0.38 * v + 0.12 * a
    return Cues(
        tempo_bpm=tempo_bpm,
        mode=np.clip(mode, 0.0, 4.0),
        melody_key=melody_key,
        velocity=velocity,
        gain_db=gain_db,
        level_db=level_db,
        articulation=articulation,
        brightness=np.clip(brightness, 0.2, 1.3),
        density=density,
        harmonic_rate=harmonic_rate,
        dissonance=np.clip(dissonance, 0.0, 1.0),
        percussion=percussion,
        groove=groove,
        sustain=sustain,
    )


class CueCurves:
    """The cues along one session.

    Args:
        path: with planned affect.
        weights: see `cues_of`.

    Raises:
        OutOfRange: the path has no planned affect.
    """

    def __init__(self, path: AffectPath, weights: Mapping[str, float] | None = None) -> None:
        self.duration_s = path.duration_s
        step_s = min(GRID_S, self.duration_s / 8)
        self.times_s = np.arange(0.0, self.duration_s + step_s, step_s)
        planned = path.affect_at(self.times_s)
        spread = min(SMOOTHING_S, self.duration_s / 8) / step_s
        smooth = np.clip(gaussian_filter1d(planned, spread, axis=0, mode="nearest"), -1.0, 1.0)
        self.valence, self.arousal = smooth[:, 0], smooth[:, 1]
        self.cues = cues_of(self.valence, self.arousal, weights)

    def at(self, times_s: Curve) -> Cues:
        """The cues at `times_s`, shape [n]; held at both ends."""
        return Cues(
            **{
                field.name: np.interp(times_s, self.times_s, getattr(self.cues, field.name))
                for field in fields(Cues)
            }
        )

    def one(self, name: str, time_s: float) -> float:
        """One cue at one moment."""
        return float(np.interp(time_s, self.times_s, getattr(self.cues, name)))


def _rising(x: Curve, low: float, high: float) -> Curve:
    """0 below `low`, 1 above `high`, smooth (3t² − 2t³) between."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
