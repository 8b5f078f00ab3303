"""Verdicts, stages and steps as staff read them."""

from __future__ import annotations

from dashboards.researcher.markup import Mark, Tone
from study.oversight import Completeness, ParticipantStatus, StageState, Verdict

_VERDICTS: dict[Verdict, Tone] = {
    Verdict.COMPLETE: "good",
    Verdict.PARTIAL: "look",
    Verdict.STOPPED: "look",
    Verdict.UNDER_WAY: "quiet",
    Verdict.NOT_BEGUN: "quiet",
    Verdict.MISSED: "look",
    Verdict.LOST: "look",
}
_STAGES: dict[StageState, str] = {
    StageState.DONE: "✓",
    StageState.DUE: "▶",
    StageState.AHEAD: "·",
    StageState.MISSED: "–",
    StageState.ENDED: "×",
}
STAGE_LEGEND = "✓ done, ▶ due now, · ahead, – missed, × will not take place"


def verdict_mark(found: Completeness) -> Mark:
    """A verdict, with its sign."""
    return Mark(_VERDICTS[found.verdict], str(found.verdict))


def reasons_words(found: Completeness) -> str:
    """What speaks against complete; nothing where there is nothing to say."""
    return "; ".join(found.reasons)


def session_words(session_id: str | None) -> str:
    """``session 1`` for ``ses-01``."""
    return f"session {int(session_id.removeprefix('ses-'))}" if session_id else "outside sessions"


def stages_words(status: ParticipantStatus) -> str:
    """``consent ✓, eligibility ✓, session 1 ▶``: see `STAGE_LEGEND`."""
    named = {session_id: session_words(session_id) for session_id in status.sessions}
    return ", ".join(
        f"{named.get(stage.name, stage.name)}\u00a0{_STAGES[stage.state]}" for stage in status.stages
    )


def due_words(status: ParticipantStatus) -> str:
    """What is due, or how it ended."""
    if status.outcome is not None:
        return f"over: {status.outcome.replace('_', ' ')}"
    words = status.due
    for session_id in status.sessions:
        words = words.replace(session_id, session_words(session_id))
    return words


def stratum_words(status: ParticipantStatus) -> str:
    """``site north, baseline_arousal high``."""
    return ", ".join(f"{factor.replace('_', ' ')} {level}" for factor, level in status.stratum.items())
