"""Keys of instruments, kept in memory as long as there is room, and notes played on them."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from concurrent.futures import Executor
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ
from generation.composer.palettes import INSTRUMENTS, Instrument
from generation.composer.sound.bank import load_bank
from generation.composer.sound.held import HeldTone, keep, lengthen, shade_mix
from generation.composer.sound.sampled import SampledTones
from generation.composer.sound.strike import Strike
from generation.composer.sound.synthetic import SyntheticTones
from generation.composer.sound.tones import Lengthening, ToneSource
from study.errors import AudioError

Samples = NDArray[np.float32]

LONGEST_S = 16.0
"""No note sounds longer than this, release included."""
_SHORTEST_S = 0.03
_LENGTHS_S = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 14.0, LONGEST_S)
_STORE_BYTES = 120_000_000
#: Asked for where an instrument's release is not known yet.
_LIKELY_RELEASE_S = 0.5


class Sampler:
    """Plays notes; keeps the tones of recent keys.

    A key's tone depends on its source, instrument, key and sample rate only, never on
    what was played before: what falls out of the store is made again alike.

    Args:
        sampled: plays instruments that have a preset; None: their recipes play them.
        synthetic: plays the others; None: there are none.
        store_bytes: size of the store of tones.
    """

    def __init__(
        self,
        sampled: ToneSource | None,
        synthetic: ToneSource | None = None,
        store_bytes: int = _STORE_BYTES,
    ) -> None:
        self.sampled, self.synthetic = sampled, synthetic
        self._store_bytes = store_bytes
        self._used = 0
        self._tones: OrderedDict[tuple[Instrument, int, int], HeldTone] = OrderedDict()
        self._releases_s: dict[Instrument, float] = {}
        self._lock = threading.Lock()

    def source(self, instrument: Instrument) -> ToneSource:
        """Who makes an instrument's tones.

        Raises:
            AudioError: nobody can.
        """
        found = self.sampled if instrument.preset is not None and self.sampled is not None else self.synthetic
        if found is None:
            raise AudioError(
                "instruments", "an instrument without a recording has no recipe", "give the synthetic ones"
            )
        return found

    def held(self, instrument: Instrument, key: int, held_s: float, sample_rate_hz: int) -> HeldTone:
        """A key's tone, long enough to be held for `held_s` and let go.

        Raises:
            AudioError: there is no such sound.
        """
        name = (instrument, key, sample_rate_hz)
        with self._lock:
            kept = self._tones.get(name)
            if kept is not None and kept.length_s >= min(
                held_s + _release_s(kept, sample_rate_hz), LONGEST_S
            ):
                self._tones.move_to_end(name)
                return kept
        made = self._longer(kept, *name, held_s) if kept is not None else None
        return self._keep(name, made if made is not None else self._made(*name, held_s))

    def _made(self, instrument: Instrument, key: int, sample_rate_hz: int, held_s: float) -> HeldTone:
        release_s = self._releases_s.get(instrument, _LIKELY_RELEASE_S)
        while True:
            length_s = _length_s(held_s + release_s)
            tone = self.source(instrument).tone(instrument, key, length_s, sample_rate_hz)
            asked_s, release_s = release_s, len(tone.release) / sample_rate_hz
            if release_s <= asked_s or length_s >= min(held_s + release_s, LONGEST_S):
                self._releases_s[instrument] = release_s
                return keep(tone, sample_rate_hz)

    def _longer(
        self, kept: HeldTone, instrument: Instrument, key: int, sample_rate_hz: int, held_s: float
    ) -> HeldTone | None:
        source = self.source(instrument)
        if not isinstance(source, Lengthening):
            return None
        length_s = _length_s(held_s + _release_s(kept, sample_rate_hz))
        more = source.more(instrument, key, kept.length_s, length_s, sample_rate_hz)
        return lengthen(kept, more, length_s, sample_rate_hz)

    def _keep(self, name: tuple[Instrument, int, int], made: HeldTone) -> HeldTone:
        with self._lock:
            if (before := self._tones.pop(name, None)) is not None:
                self._used -= before.n_bytes
            self._tones[name] = made
            self._used += made.n_bytes
            while self._used > self._store_bytes and len(self._tones) > 1:
                self._used -= self._tones.popitem(last=False)[1].n_bytes
        return made

    def forget(self) -> None:
        """Give the memory of all tones back; what is played again is made again, alike."""
        with self._lock:
            self._tones.clear()
            self._used = 0

    def strike(
        self, instrument: Instrument, key: int, duration_s: float, velocity: float, sample_rate_hz: int
    ) -> Strike:
        """One note, ready to sound.

        Args:
            duration_s: from key-down to key-up.
            velocity: 0 to 1; 0.5 is a medium touch.

        Raises:
            AudioError: there is no such sound.
        """
        held_s = max(duration_s, _SHORTEST_S)
        tone = self.held(instrument, key, held_s, sample_rate_hz)
        held_s = min(held_s, LONGEST_S - _release_s(tone, sample_rate_hz))
        return Strike(tone, shade_mix(velocity, len(tone.shades)), held_s, sample_rate_hz)

    def note(
        self,
        preset: tuple[int, int] | Instrument,
        key: int,
        duration_s: float,
        velocity: float,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
    ) -> Samples:
        """One note, mono, float32, release included.

        Args:
            preset: an instrument, or bank and program of its recordings.
            duration_s, velocity: see `strike`.

        Raises:
            AudioError: there is no such sound.
        """
        instrument = preset if isinstance(preset, Instrument) else _of_preset(preset)
        strike = self.strike(instrument, key, duration_s, velocity, sample_rate_hz)
        samples = np.zeros(strike.n_samples, dtype=np.float32)
        strike.add_to(samples, 0, 1.0, np.empty((2, len(samples)), dtype=np.float32))
        return samples

    def prepare(
        self,
        wanted: Iterable[tuple[Instrument, int, float]],
        sample_rate_hz: int,
        pool: Executor | None = None,
    ) -> None:
        """Make the tones of instrument, key and seconds held, each as long as its longest.

        Args:
            pool: makes several at once.

        Raises:
            AudioError: there is no such sound.
        """
        longest: dict[tuple[Instrument, int], float] = {}
        for instrument, key, held_s in wanted:
            longest[instrument, key] = max(held_s, longest.get((instrument, key), _SHORTEST_S))

        def make(name: tuple[Instrument, int]) -> HeldTone:
            return self.held(*name, longest[name], sample_rate_hz)

        deque((map if pool is None else pool.map)(make, longest), maxlen=0)


@lru_cache(maxsize=1)
def shared_sampler() -> Sampler:
    """The process's sampler: recorded instruments, and recipes where there is no recording."""
    return Sampler(SampledTones(load_bank()), SyntheticTones())


def _length_s(needed_s: float) -> float:
    """The length a tone is made in: the next step up from what is needed."""
    return next(length for length in _LENGTHS_S if length >= min(needed_s, LONGEST_S) - 1e-9)


def _release_s(tone: HeldTone, sample_rate_hz: int) -> float:
    return len(tone.release) / sample_rate_hz


@lru_cache(maxsize=64)
def _of_preset(preset: tuple[int, int]) -> Instrument:
    for instrument in INSTRUMENTS.values():
        if instrument.preset == preset:
            return instrument
    return Instrument(preset, 0, 127, 1.0, 0.0, 0.0)
