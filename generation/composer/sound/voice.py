"""How one layer of a key sounds: pitch, loop, filter and envelope from the generators."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from generation.composer.sound.soundfont import Generator, as_signed, number_of

#: SoundFont defaults of the generators that are read (specification 8.1.3).
_DEFAULTS = {
    Generator.FILTER_CUTOFF: 13500,
    Generator.ATTACK: -12000,
    Generator.HOLD: -12000,
    Generator.DECAY: -12000,
    Generator.RELEASE: -12000,
    Generator.SCALE_TUNING: 100,
}
_ADDITIVE = (
    Generator.FILTER_CUTOFF,
    Generator.FILTER_ENVELOPE,
    Generator.FILTER_SUSTAIN,
    Generator.ATTACK,
    Generator.HOLD,
    Generator.DECAY,
    Generator.SUSTAIN,
    Generator.RELEASE,
    Generator.DECAY_BY_KEY,
    Generator.ATTENUATION,
    Generator.COARSE_TUNE,
    Generator.FINE_TUNE,
)


@dataclass(frozen=True)
class Voice:
    """One layer of how a key of a preset sounds.

    Args:
        sample: number of the recording in the bank.
        begin: frame of the recording that it is played from; `loop` counts from there.
        ratio: speed at which the recording is read, source frames per second of sound.
        loop: first and last frame of the sustained part; None where it plays out.
        cutoff_hz: of the preset's low-pass filter, where its envelope comes to rest.
        attack_s, hold_s, decay_s: of the volume envelope; decay is per 100 dB.
        sustain_db: level below the peak that the decay ends at.
        release_s: time of a 100 dB fall after the key is let go.
        gain: amplitude factor of the preset's attenuation.
    """

    sample: int
    ratio: float
    loop: tuple[int, int] | None
    cutoff_hz: float
    attack_s: float
    hold_s: float
    decay_s: float
    sustain_db: float
    release_s: float
    gain: float
    begin: int = 0

    def corrected(self, speed: float, begin: int) -> Voice:
        """This layer read faster by a factor, and from a frame of its recording on."""
        loop = None if self.loop is None else (self.loop[0] - begin, self.loop[1] - begin)
        return replace(self, ratio=self.ratio * speed, begin=begin, loop=loop)


def make_voice(
    upper: Mapping[Generator | int, int],
    zone: Mapping[Generator | int, int],
    header: tuple[int | bytes, ...],
    key: int,
) -> Voice:
    """The layer that a preset's zone and an instrument's zone give for `key`.

    Args:
        upper: the preset zone's generators, which are added.
        zone: the instrument zone's generators, which stand for themselves.
        header: the sample's record.
    """
    amounts = {
        generator: (as_signed(zone[generator]) if generator in zone else _DEFAULTS.get(generator, 0))
        + (as_signed(upper[generator]) if generator in upper else 0)
        for generator in _ADDITIVE
    }
    rate, correction = number_of(header[5]), number_of(header[7])
    root = zone.get(Generator.ROOT_KEY, number_of(header[6]))
    cents = (
        (key - root) * zone.get(Generator.SCALE_TUNING, 100)
        + 100 * amounts[Generator.COARSE_TUNE]
        + amounts[Generator.FINE_TUNE]
        + correction
    )
    looped = zone.get(Generator.SAMPLE_MODES, 0) & 1
    decay_cents = amounts[Generator.DECAY] + (60 - key) * amounts[Generator.DECAY_BY_KEY]
    return Voice(
        sample=zone[Generator.SAMPLE],
        ratio=rate * 2 ** (cents / 1200),
        loop=(number_of(header[3]), number_of(header[4])) if looped else None,
        cutoff_hz=8.176 * 2 ** (_open_cents(amounts) / 1200),
        attack_s=_timecents(amounts[Generator.ATTACK]),
        hold_s=_timecents(amounts[Generator.HOLD]),
        decay_s=_timecents(decay_cents),
        sustain_db=min(max(amounts[Generator.SUSTAIN] / 10, 0.0), 100.0),
        release_s=_timecents(amounts[Generator.RELEASE]),
        # Known players scale attenuation by 0.4, as the hardware the format comes from did.
        gain=10 ** (-0.4 * amounts[Generator.ATTENUATION] / 200),
    )


def _open_cents(amounts: Mapping[Generator, int]) -> float:
    resting = 1.0 - min(max(amounts[Generator.FILTER_SUSTAIN], 0), 1000) / 1000
    return amounts[Generator.FILTER_CUTOFF] + resting * amounts[Generator.FILTER_ENVELOPE]


def _timecents(amount: int) -> float:
    return 0.0 if amount <= -12000 else math.pow(2.0, amount / 1200)
