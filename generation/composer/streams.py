"""Random streams: one for each concern, so that a change in one leaves the others as they were."""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, *labels: str | int) -> np.random.Generator:
    """The generator of one concern of one session, the same wherever it is asked for."""
    return np.random.default_rng([seed, zlib.crc32("/".join(map(str, labels)).encode())])
