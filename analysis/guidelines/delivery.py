"""How far the music was heard as planned: the evidence of fidelity, from the log of playback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from analysis.guidelines.trial import Trial, counted, minutes


def delivery_sentences(trial: Trial) -> tuple[str, ...]:
    """Sessions begun and heard to their end, the share heard, pauses and stops; by arm where it may be."""
    rows = trial.results.adherence
    if trial.may_tell_arms:
        return tuple(_sentence(row["label"], [row]) for row in rows)
    return (_sentence("All arms together", rows),)


def stop_sentences(trial: Trial) -> Iterator[str]:
    """Why sessions were stopped, over all arms."""
    stopped: dict[str, int] = {}
    for row in trial.results.adherence:
        for reason, n in row["stopped"].items():
            stopped[reason] = stopped.get(reason, 0) + n
    if stopped:
        told = ", ".join(f"{reason.replace('_', ' ')} {n}" for reason, n in sorted(stopped.items()))
        yield f"Sessions stopped early: {told}."


def _sentence(label: str, rows: list[dict[str, Any]]) -> str:
    begun = sum(row["started"]["n"] for row in rows)
    whole = sum(row["completed"]["n"] for row in rows)
    planned = sum(row["sessions"] for row in rows)
    told = f"{label}: {counted(begun, 'session')} of {planned} begun, {whole} heard to the end"
    heard = [(row["heard_share_mean"], row["started"]["n"]) for row in rows]
    known = [(share, n) for share, n in heard if share is not None]
    if known:
        mean = sum(share * n for share, n in known) / sum(n for _, n in known)
        told += f"; {100 * mean:.1f} % of the planned sound heard on average"
    if len(rows) == 1:
        told += _median(rows[0])
    return f"{told}; {counted(sum(row['pauses'] for row in rows), 'pause')}."


def _median(row: Mapping[str, Any]) -> str:
    median = row["heard_s"]["median"]
    return "" if median is None else f" (median {median:.0f} s of {minutes(row['planned_s'])})"
