"""How a simulated participant behaves: a documented function of what they hear, of dose and of noise.

Nothing here knows music emotion recognition: a rehearsal that fed predictions
into reports would find agreement by construction.

With h the planned affect of the music heard at a probe, m and s its cohort mean
and standard deviation per axis, and z standard normal:

    probe report  = m + a (h - m) + sqrt(1 - a²) s z,   a = the planted agreement

which has the distribution of h and Lin's concordance a with it. Where no music
with a planned affect is heard, a probe is m + s z. With u the unit vector from
`pre` to the target and d the share of the session heard:

    post report   = pre + 0.6 (target - pre) + g E S d u + S z,   S = 0.2

g is +1/2 in the first arm of the primary contrast, -1/2 in the second and 0 in
every other; E is the planted effect, a standardised mean difference of
projected progress at full dose. Draws outside the scale are drawn again.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from study.affect import NINE_POINT, Affect, Scale
from study.events import StopReason
from study.instruments import Instrument, instrument_kind
from study.path import AffectPath
from study.protocol import AllocationSpec, Safety, StudyProtocol

RESPONSE_SD = 0.2
RECOVERY = 0.6
_ARRIVING = Affect(-0.45, 0.4)
_ARRIVING_SD = 0.22


@dataclass(frozen=True)
class Tendencies:
    """How often simulated participants do what people do.

    Args: each a probability.
    """

    declines: float = 0.03
    is_ineligible: float = 0.04
    drops_out: float = 0.08
    stops_early: float = 0.1
    pauses: float = 0.15
    misses_report: float = 0.04
    misses_item: float = 0.03
    fails_sound_check: float = 0.12
    mutes: float = 0.04
    hides_page: float = 0.12
    opens_second_tab: float = 0.02
    goes_on_after_stop: float = 0.2
    goes_on_after_distress: float = 0.5
    ends_after_distress: float = 0.2


@dataclass(frozen=True)
class Course:
    """What one simulated participant will do, drawn before they begin.

    Args:
        stop_share: share of the session after which they stop the music, or None.
        pause_share: share at which they pause, or None.
        drops_out_before: ``pre``, ``post`` or None.
        muted_share, hidden_share: from which to which share the sound is muted, or the page hidden; or None.
    """

    arriving: Affect
    declines: bool
    is_eligible: bool
    stop_share: float | None
    stop_reason: StopReason
    pause_share: float | None
    drops_out_before: str | None
    muted_share: tuple[float, float] | None = None
    hidden_share: tuple[float, float] | None = None


def draw_course(rng: random.Random, tendencies: Tendencies) -> Course:
    """A participant's course."""
    stops = rng.random() < tendencies.stops_early
    return Course(
        arriving=draw_affect(rng, _ARRIVING, _ARRIVING_SD),
        declines=rng.random() < tendencies.declines,
        is_eligible=rng.random() >= tendencies.is_ineligible,
        stop_share=rng.uniform(0.2, 0.95) if stops else None,
        stop_reason=rng.choice([StopReason.CHOSE_TO_STOP] * 4 + [StopReason.DISTRESS]),
        pause_share=rng.uniform(0.1, 0.9) if rng.random() < tendencies.pauses else None,
        drops_out_before=rng.choice(["pre", "post", "post"]) if rng.random() < tendencies.drops_out else None,
        muted_share=_draw_span(rng, tendencies.mutes),
        hidden_share=_draw_span(rng, tendencies.hides_page),
    )


def _draw_span(rng: random.Random, likely: float) -> tuple[float, float] | None:
    happens, begins, lasts = rng.random() < likely, rng.uniform(0.05, 0.8), rng.uniform(0.02, 0.15)
    return (begins, begins + lasts) if happens else None


def draw_stratum(rng: random.Random, spec: AllocationSpec) -> dict[str, str]:
    """A level of every factor, each equally likely."""
    return {stratum.factor: rng.choice(stratum.levels) for stratum in spec.strata}


def draw_affect(rng: random.Random, mean: Affect, sd: float) -> Affect:
    """A normal draw around `mean`, drawn again until it lies in the square."""
    return _inside(rng, (mean.valence, mean.arousal), (sd, sd))


@dataclass(frozen=True)
class HeardMoments:
    """Cohort mean and standard deviation, per axis, of the planned affect at probes."""

    mean: tuple[float, float]
    sd: tuple[float, float]

    @classmethod
    def of(cls, heard: list[Affect]) -> HeardMoments:
        """Of all probes of a cohort; a spread of 0.25 around neutral where fewer than two have music."""
        if len(heard) < 2:
            return cls((0.0, 0.0), (0.25, 0.25))
        columns = [[a.valence for a in heard], [a.arousal for a in heard]]
        means = [math.fsum(column) / len(column) for column in columns]
        sds = [
            math.sqrt(math.fsum((x - mean) ** 2 for x in column) / len(column))
            for column, mean in zip(columns, means, strict=True)
        ]
        return cls((means[0], means[1]), (sds[0], sds[1]))


def probe_affect(rng: random.Random, heard: Affect | None, moments: HeardMoments, agreement: float) -> Affect:
    """What is reported at a probe; see the module's formula."""
    (mean_v, mean_a), (sd_v, sd_a) = moments.mean, moments.sd
    weight = 0.0 if heard is None else agreement
    at = heard or Affect(0.0, 0.0)
    spread = math.sqrt(1.0 - weight * weight)
    centre = (mean_v + weight * (at.valence - mean_v), mean_a + weight * (at.arousal - mean_a))
    return _inside(rng, centre, (spread * sd_v, spread * sd_a))


def distress_affect(rng: random.Random, safety: Safety) -> Affect:
    """What is reported in distress: anywhere in the protocol's region of it."""
    return Affect(rng.uniform(-1.0, safety.distress_valence), rng.uniform(safety.distress_arousal, 1.0))


def post_affect(rng: random.Random, pre: Affect, target: Affect, benefit: float, dose: float) -> Affect:
    """What is reported after listening; see the module's formula.

    Args:
        benefit: g E, in units of `RESPONSE_SD`.
        dose: share of the session heard, 0 to 1.
    """
    gap = (target.valence - pre.valence, target.arousal - pre.arousal)
    length = math.hypot(*gap) or 1.0
    moved = [
        start + RECOVERY * way + benefit * RESPONSE_SD * dose * way / length
        for start, way in zip((pre.valence, pre.arousal), gap, strict=True)
    ]
    return _inside(rng, (moved[0], moved[1]), (RESPONSE_SD, RESPONSE_SD))


def benefit_of(protocol: StudyProtocol, arm_id: str, effect: float) -> float:
    """g E of an arm: its place in the primary contrast times the planted effect."""
    primary = next((c for c in protocol.analysis.contrasts if c.is_primary), None)
    if primary is None or arm_id not in primary.arm_ids:
        return 0.0
    return effect / 2 if arm_id == primary.arm_ids[0] else -effect / 2


def heard_at(path: AffectPath, at_s: float) -> Affect | None:
    """The planned affect of the waypoint that sounds just before `at_s`."""
    sounding = [w.affect for w in path.waypoints if w.onset_s < at_s]
    return sounding[-1] if sounding else path.waypoints[0].affect


def responses_of(
    rng: random.Random, instrument: Instrument, felt: Affect, misses_item: float
) -> dict[str, float]:
    """Raw responses of an instrument for a felt affect; an item may be missed."""
    kind = instrument_kind(instrument.kind)
    missed = rng.choice(list(kind.items)) if rng.random() < misses_item else None
    by_axis = dict(zip(kind.affect_items or (), (felt.valence, felt.arousal), strict=False))
    return {
        item: _raw(scale, by_axis.get(item, _worry_free(rng, felt, item in kind.reversed_items)))
        for item, scale in kind.items.items()
        if item != missed
    }


def _worry_free(rng: random.Random, felt: Affect, positive: bool) -> float:
    ease = (felt.valence - felt.arousal) / 2 + rng.gauss(0.0, 0.2)
    return min(max(ease if positive else -ease, -1.0), 1.0)


def _raw(scale: Scale, value: float) -> float:
    raw = scale.from_unit(value)
    if scale is NINE_POINT or scale.high - scale.low == 3:
        return float(round(raw))
    return round(raw, 2 if scale.high <= 1 else 0)


def _inside(rng: random.Random, mean: tuple[float, float], sd: tuple[float, float]) -> Affect:
    return Affect(*(_truncated(rng, m, s) for m, s in zip(mean, sd, strict=True)))


def _truncated(rng: random.Random, mean: float, sd: float) -> float:
    for _ in range(1000):
        value = rng.gauss(mean, sd)
        if -1.0 <= value <= 1.0:
            return value
    return min(max(mean, -1.0), 1.0)
