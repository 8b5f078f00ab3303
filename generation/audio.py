"""Sound as numbers: one rate, one loudness, files written whole or not at all."""

from __future__ import annotations

SAMPLE_RATE_HZ = 32_000
"""One rate for every engine, so that arms are not told apart by bandwidth."""
