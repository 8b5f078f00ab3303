"""Lengths of time and counts, as staff read them."""

from __future__ import annotations


def duration_words(seconds: float) -> str:
    """``40 s``, ``2 min 5 s``, ``3 h 20 min``, ``4 days``."""
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    if whole < 2 * 86_400:
        hours, rest = divmod(whole // 60, 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{whole // 86_400} days"


def share_words(share: float) -> str:
    """``61 %``, never rounded up: 99.9 % is not all of it."""
    return f"{int(100 * share + 1e-9)} %"


def counted(n: int, noun: str) -> str:
    """``1 probe``, ``2 probes``."""
    return f"{n} {noun if n == 1 else noun + 's'}"
