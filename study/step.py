"""What can be due for a participant: one step, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from study.protocol import Phase


@dataclass(frozen=True)
class GiveConsent:
    """Read and accept or decline the consent text."""


@dataclass(frozen=True)
class AnswerEligibility:
    """Answer every eligibility question."""


@dataclass(frozen=True)
class CheckSound:
    """Set the loudness and, where the protocol asks, pass the headphone test."""

    session_id: str


@dataclass(frozen=True)
class GoThroughInduction:
    """Go through the protocol's mood induction."""

    session_id: str


@dataclass(frozen=True)
class GiveReport:
    """Answer one instrument or questionnaire.

    Args:
        instrument_id: an instrument's or a questionnaire's.
        session_id: None for baseline and follow-up, which belong to no session.
        probe_at_s: the probe's onset in session time.
    """

    phase: Phase
    instrument_id: str
    session_id: str | None
    probe_at_s: float | None = None


@dataclass(frozen=True)
class RenderSession:
    """Have the session's sound made."""

    session_id: str
    session_number: int


@dataclass(frozen=True)
class Listen:
    """Listen, from `position_s` to `until_s` (the next probe or the session's end)."""

    session_id: str
    position_s: float
    until_s: float


@dataclass(frozen=True)
class AnswerSupport:
    """Read the support text; say whether to go on and whether somebody should come."""

    session_id: str


@dataclass(frozen=True)
class ReadDebrief:
    """Read the debriefing."""


@dataclass(frozen=True)
class Finished:
    """Nothing is due.

    Args:
        outcome: completed, declined, not_eligible, sound_check_failed, imported (the person took part
            elsewhere), or the reason of a discontinuation.
    """

    outcome: str


Step = (
    GiveConsent
    | AnswerEligibility
    | CheckSound
    | GoThroughInduction
    | GiveReport
    | RenderSession
    | Listen
    | AnswerSupport
    | ReadDebrief
    | Finished
)


def describe(step: Step) -> str:
    """The step in words."""
    match step:
        case GiveConsent():
            return "consent"
        case AnswerEligibility():
            return "the eligibility questions"
        case CheckSound(session_id=session_id):
            return f"the sound check of {session_id}"
        case AnswerSupport(session_id=session_id):
            return f"the support page of {session_id}"
        case ReadDebrief():
            return "the debriefing"
        case GoThroughInduction(session_id=session_id):
            return f"the induction of {session_id}"
        case GiveReport(phase=phase, instrument_id=instrument_id, session_id=session_id, probe_at_s=at_s):
            when = f" at {at_s:g} s" if at_s is not None else ""
            return f"the {phase} report{when} with {instrument_id}" + (
                f" ({session_id})" if session_id else ""
            )
        case RenderSession(session_id=session_id):
            return f"rendering {session_id}"
        case Listen(session_id=session_id, position_s=position_s, until_s=until_s):
            return f"listening to {session_id} from {position_s:g} s to {until_s:g} s"
        case Finished(outcome=outcome):
            return f"nothing, this participant's part is over ({outcome.replace('_', ' ')})"
