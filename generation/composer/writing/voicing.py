"""The upper voices of the harmony: each moves as little as it can, without parallels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache

from generation.composer.score import Chord

PAD_LOWEST, PAD_HIGHEST = 48, 76
_PERFECT = (0, 7)


def voice_chords(chords: Sequence[Chord], centre: float, before: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Keys of each chord, low to high, each moving as little as it can from the one before.

    Args:
        centre: where the upper voices should lie.
        before: the last voicing before these chords; empty at the start.
    """
    voicings: list[tuple[int, ...]] = []
    last = before
    for chord in chords:
        last = _best_voicing(chord.pitch_classes[:5], chord.bass, round(centre), last)
        voicings.append(last)
    return voicings


@lru_cache(maxsize=4096)
def _best_voicing(classes: tuple[int, ...], bass: int, centre: int, last: tuple[int, ...]) -> tuple[int, ...]:
    best: tuple[float, tuple[int, ...]] | None = None
    for voicing in _voicings(classes):
        cost = _voicing_cost(voicing, bass, centre, last)
        if best is None or (cost, voicing) < best:
            best = (cost, voicing)
    return best[1] if best else last


@lru_cache(maxsize=512)
def _voicings(classes: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Close and open positions within the pad's range, the fifth left out where there is a fifth tone."""
    kept = classes if len(classes) <= 4 else (*classes[:2], *classes[3:])
    found = set()
    for order in itertools.permutations(kept):
        for lowest in range(PAD_LOWEST, PAD_LOWEST + 14):
            if lowest % 12 != order[0]:
                continue
            keys = [lowest]
            for pitch in order[1:]:
                step = (pitch - keys[-1]) % 12 or 12
                keys.append(keys[-1] + step)
            if keys[-1] <= PAD_HIGHEST and keys[-1] - keys[0] <= 19:
                found.add(tuple(keys))
    return tuple(sorted(found))


def _voicing_cost(voicing: tuple[int, ...], bass: int, centre: int, last: tuple[int, ...]) -> float:
    cost = 0.25 * abs(sum(voicing) / len(voicing) - centre)
    # Low clusters are mud.
    cost += sum(2.0 for a, b in itertools.pairwise(voicing) if b - a < 3 and a < 55)
    cost += 0.4 * (voicing[0] % 12 == bass)
    if not last:
        return cost
    cost += sum(min(abs(key - old) for old in last) for key in voicing) / len(voicing)
    cost += sum(min(abs(key - old) for key in voicing) for old in last) / len(last)
    if len(voicing) == len(last):
        pairs = list(zip(last, voicing, strict=True))
        for (a0, a1), (b0, b1) in itertools.combinations(pairs, 2):
            moved = a0 != a1 and b0 != b1
            if moved and (b0 - a0) % 12 in _PERFECT and (b1 - a1) % 12 == (b0 - a0) % 12:
                cost += 3.0
    return cost
