"""Which of a person's tabs may answer: one at a time, kept in memory alone.

A restart forgets every lease, and the first tab to speak gets it: the record
holds what was answered, so nothing depends on who held the lease before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

LASTS_S = 30.0
"""A tab says every 10 s that it is still there; after three silences its lease is free."""


@dataclass(frozen=True)
class _Lease:
    tab_id: str
    until_s: float


class Leases:
    """One lease a person.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, _Lease] = {}

    def take(self, participant_id: str, tab_id: str) -> bool:
        """Hold or prolong the lease; whether it is this tab's now."""
        with self._lock:
            holder = self._holder(participant_id)
            if holder not in (None, tab_id):
                return False
            self._give(participant_id, tab_id)
            return True

    def take_over(self, participant_id: str, tab_id: str) -> bool:
        """Hold the lease whoever held it; whether another tab lost it by this."""
        with self._lock:
            holder = self._holder(participant_id)
            self._give(participant_id, tab_id)
            return holder not in (None, tab_id)

    def is_held_by(self, participant_id: str, tab_id: str) -> bool:
        """Whether it is this tab's, without prolonging it."""
        with self._lock:
            return self._holder(participant_id) == tab_id

    def is_elsewhere(self, participant_id: str, tab_id: str) -> bool:
        """Whether another tab holds it."""
        with self._lock:
            return self._holder(participant_id) not in (None, tab_id)

    def release(self, participant_id: str, tab_id: str) -> None:
        """Let go; nothing where another tab holds it."""
        with self._lock:
            if self._holder(participant_id) == tab_id:
                del self._held[participant_id]

    def _holder(self, participant_id: str) -> str | None:
        lease = self._held.get(participant_id)
        if lease is None or self._clock() >= lease.until_s:
            return None
        return lease.tab_id

    def _give(self, participant_id: str, tab_id: str) -> None:
        self._held[participant_id] = _Lease(tab_id, self._clock() + LASTS_S)
