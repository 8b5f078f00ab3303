"""How often somebody may ask: token buckets by key, in memory, of bounded size."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """A bucket's size and how fast it fills.

    Args:
        burst: so many at once.
        per_s: so many a second in the long run.
    """

    burst: float
    per_s: float


class Buckets:
    """One token bucket for each key. For one thread, the event loop's.

    Args:
        clock: seconds, monotonic.
        keys: at most so many; the key that was used longest ago is forgotten first.
    """

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic, keys: int = 20_000) -> None:
        self._rate = rate
        self._clock = clock
        self._keys = keys
        self._held: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable) -> float:
        """Take one token; gives 0, or after how many seconds there will be one."""
        wait_s = self.wait_s(key)
        if wait_s == 0.0:
            self.charge(key)
        return wait_s

    def wait_s(self, key: Hashable) -> float:
        """After how many seconds there is a token; 0 for now."""
        return max(0.0, (1.0 - self._level(key)) / self._rate.per_s)

    def charge(self, key: Hashable) -> None:
        """Take one token, to an empty bucket at the least."""
        self._held[key] = (max(0.0, self._level(key) - 1.0), self._clock())
        self._held.move_to_end(key)
        if len(self._held) > self._keys:
            self._held.popitem(last=False)

    def _level(self, key: Hashable) -> float:
        level, at_s = self._held.get(key, (self._rate.burst, self._clock()))
        return min(self._rate.burst, level + (self._clock() - at_s) * self._rate.per_s)
