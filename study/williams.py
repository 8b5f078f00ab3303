"""Williams squares: orders of arms for a crossover in which every arm follows every other equally often.

Source: Williams (1949), Experimental designs balanced for the estimation of residual effects of
treatments, Australian Journal of Scientific Research A 2, 149-168; the construction by zigzag and
mirror image as in Jones & Kenward (2014), Design and Analysis of Cross-Over Trials, ch. 4.
"""

from __future__ import annotations

from collections.abc import Sequence

WILLIAMS = "williams"
"""What a protocol writes for its sequences."""


def williams_sequences(arm_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Sequence id to the arms of its sessions, one session for each arm.

    As many sequences as arms where their number is even, else twice as many: with an odd number no
    single square balances what follows what.

    Args:
        arm_ids: two or more, in the protocol's order.
    """
    n = len(arm_ids)
    # 0, 1, n-1, 2, n-2, …: the steps between neighbours are all different modulo an even n.
    first = [(place + 1) // 2 if place % 2 else -(place // 2) % n for place in range(n)]
    square = [[(start + shift) % n for start in first] for shift in range(n)]
    rows = square if n % 2 == 0 else [*square, *(row[::-1] for row in square)]
    return {f"w{number}": tuple(arm_ids[i] for i in row) for number, row in enumerate(rows, start=1)}
