"""Results in one sentence, for a terminal."""

from __future__ import annotations

from analysis.results import Results


def primary_sentence(results: Results) -> str:
    """The primary contrast's estimate with its interval, or why there is none."""
    row = results.primary["row"]
    said = "SIMULATED: " if results.simulated else "SHUFFLED ARMS: " if results.shuffled else ""
    if row is None or row["estimate"] is None:
        reason = f": {row['reason']}" if row else ""
        return f"{said}there is no primary estimate yet{reason}"
    return (
        f"{said}{row['label']}: {row['estimate']:+.2f} "
        f"(95 % CI {row['ci_low']:+.2f} to {row['ci_high']:+.2f}), n = {row['n']}"
    )
