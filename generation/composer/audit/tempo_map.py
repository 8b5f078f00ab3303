"""Seconds to MIDI ticks, so that a bar of the score is a bar of the file."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

TICKS_A_BEAT = 960
_US = 1_000_000


class TempoMap:
    """One tempo a beat; the file's clock is nowhere more than a microsecond from the score's.

    Tick 0 is the session's first sample. What passes before the first beat is a beat of its own,
    however short.

    Args:
        beat_times_s: moment of each whole beat, two or more, rising.
    """

    def __init__(self, beat_times_s: Sequence[float]) -> None:
        edges_us = [round(time_s * _US) for time_s in beat_times_s]
        self.lead_beats = 1 if edges_us[0] > 0 else 0
        if self.lead_beats:
            edges_us.insert(0, 0)
        self._edges_us = edges_us

    @property
    def tempos(self) -> list[tuple[int, int]]:
        """Tick and microseconds a beat, where they change."""
        changes: list[tuple[int, int]] = []
        for beat, (start, end) in enumerate(zip(self._edges_us, self._edges_us[1:], strict=False)):
            if not changes or changes[-1][1] != end - start:
                changes.append((beat * TICKS_A_BEAT, end - start))
        return changes

    def tick_at(self, time_s: float) -> int:
        """The tick nearest to a moment; past the last beat at its tempo."""
        moment = time_s * _US
        beat = min(max(bisect.bisect_right(self._edges_us, moment) - 1, 0), len(self._edges_us) - 2)
        start, end = self._edges_us[beat], self._edges_us[beat + 1]
        return max(round(TICKS_A_BEAT * (beat + (moment - start) / (end - start))), 0)

    def tick_of_beat(self, beat: float) -> int:
        """The tick of a beat of the score."""
        return round(TICKS_A_BEAT * (beat + self.lead_beats))
