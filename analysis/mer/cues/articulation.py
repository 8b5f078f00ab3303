"""How much of the time to the next note a note sounds."""

from __future__ import annotations

import numpy as np

from analysis.mer.cues.events import Events

LEGATO = 1.0
"""Also what a window is given in which no two notes follow each other."""
RISEN = 0.15
"""A band is the note's own if its compressed magnitude rises by this much around the onset."""
FADED_DB = 15.0
"""A note this far under its own peak has ended, whatever ended it: a plucked string dies away too."""
RELEASED_DB, RELEASE_FRAMES = 9.0, 6
"""A note that falls by 9 dB in 96 ms has been released; held strings fall by 1 to 4 dB."""
_PEAK_FRAMES = 6
_SHORTEST_INTERVAL = 5


def articulation_ratio(events: Events) -> float:
    """Share of the inter-onset interval in which a note sounds, mean: 1 legato, towards 0 staccato.

    Only the bands that rose at the onset are followed, so that an accompaniment in
    other bands does not fill the gaps. A note has ended where its level is
    `FADED_DB` under its peak or begins to fall by `RELEASED_DB` within
    `RELEASE_FRAMES` (then in the middle of the fall), whichever comes first. It is
    the ratio that Bresin & Battel (2000, Journal of New Music Research 29, 211-224)
    measured on keyboards, of audible sound instead of keys: release and room fill
    short gaps, so that fast and bowed music reads towards legato. Intervals
    under 80 ms are left out.
    """
    intervals = zip(events.onsets[:-1], events.onsets[1:], strict=True)
    shares = [
        _sounding_share(events, int(first), int(after))
        for first, after in intervals
        if after - first >= _SHORTEST_INTERVAL
    ]
    heard = [share for share in shares if share is not None]
    return float(np.mean(heard)) if heard else LEGATO


def _sounding_share(events: Events, first: int, after: int) -> float | None:
    """Of the interval between two onset frames; None where no band rose."""
    compressed = events.compressed
    rise = compressed[min(first + 1, len(compressed) - 1)] - compressed[max(first - 3, 0)]
    own = rise > RISEN
    if not own.any():
        return None
    # The last frame before the next onset already holds some of it.
    power = np.square(events.bands[first : after - 1, own]).sum(axis=1, dtype=np.float64)
    level_db = 10.0 * np.log10(power + 1e-14)
    peak = int(level_db[:_PEAK_FRAMES].argmax())
    faded = _first(level_db < level_db[peak] - FADED_DB, peak)
    falls = level_db[:-RELEASE_FRAMES] - level_db[RELEASE_FRAMES:] > RELEASED_DB
    released = _first(falls, peak) + RELEASE_FRAMES // 2
    return min(faded, released, len(level_db)) / len(level_db)


def _first(found: np.ndarray[tuple[int], np.dtype[np.bool_]], after: int) -> int:
    where = np.flatnonzero(found[after + 1 :])
    return after + 1 + int(where[0]) if where.size else 1 << 30
