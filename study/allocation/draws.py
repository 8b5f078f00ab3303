"""Where chance comes from: a secret seed, or the operating system at the moment of each allocation.

From a seed, everything follows again, for whoever holds it; a keyed hash (HMAC-SHA-256, RFC 2104)
makes each draw, so that one says nothing about another without the seed. Drawn on the fly there is
nothing to keep secret: what decided a place is written beside it, and decides no other.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeVar

from study.canonical import canonical_json

DRAWN_BYTES = 32


@dataclass(frozen=True)
class Seeded:
    """Chance from one secret seed of at least 16 random bytes."""

    seed: bytes = field(repr=False)

    def key(self, *about: Any) -> bytes:
        """32 bytes that follow from the seed and what they are drawn for (JSON values)."""
        return hmac.digest(self.seed, canonical_json(list(about)), hashlib.sha256)


@dataclass(frozen=True)
class DrawnNow:
    """Chance from the operating system's generator, at the moment it is asked for."""

    def key(self) -> bytes:
        """32 fresh bytes."""
        return secrets.token_bytes(DRAWN_BYTES)


AllocationSource = Seeded | DrawnNow
"""What an allocation draws from."""


def uniform(key: bytes) -> Fraction:
    """The bytes as a number in [0, 1), exactly."""
    return Fraction(int.from_bytes(key, "big"), 1 << (8 * len(key)))


Outcome = TypeVar("Outcome", bound=Hashable)


def pick(chances: Mapping[Outcome, Fraction], key: bytes) -> Outcome:
    """One of the outcomes, each with its probability, decided by the bytes alone."""
    at, below = uniform(key), Fraction(0)
    for outcome, chance in chances.items():
        below += chance
        if at < below:
            return outcome
    raise ValueError(f"probabilities add up to {below}, not to 1")


def as_chances(weights: Mapping[Outcome, Fraction]) -> dict[Outcome, Fraction]:
    """Weights as probabilities."""
    total = sum(weights.values(), Fraction(0))
    return {outcome: weight / total for outcome, weight in weights.items()}
