"""A person takes back their consent: their part ends, and what they gave is kept or is to be erased.

The wish is recorded at once, by the person on their own page or by staff. Where
they want their data erased nothing of it is used from then on
(`study.erasable.as_erased`), and staff carry it out (`study.privacy.erasure`).
"""

from __future__ import annotations

from collections.abc import Sequence

from study.access.links import revocations
from study.erasable import LINK_CLOSED
from study.errors import ConductError
from study.events import (
    ConsentDeclined,
    ConsentGiven,
    ConsentWithdrawn,
    EndReason,
    History,
    ParticipantAllocated,
    ParticipantDiscontinued,
    ParticipantImported,
)
from study.founding import Study
from study.frozen import is_frozen
from study.protocol import StudyProtocol
from study.record import Draft, Reader
from study.step import AnswerEligibility, Finished
from study.steps import next_step
from study.versions import pinned


def withdraw(
    study: Study,
    actor: str,
    participant_id: str,
    keeps_data: bool,
    reason: str = "",
    closes_links: bool = True,
) -> bool:
    """Record that consent is withdrawn; gives whether that was news.

    Somebody who let their data be kept may still ask for them to be erased, never the other way round.

    Args:
        keeps_data: whether what the person gave until now may be used.
        closes_links: else the person's page still opens, to say that they have left.

    Raises:
        UnknownName: nobody of that id is enrolled.
        ConductError: consent was never given, or the data are to be erased already.
    """
    appended = study.act(
        actor,
        participant_id,
        lambda reader, history: withdrawal_drafts(
            study, reader, history, participant_id, keeps_data, reason.strip(), closes_links
        ),
    )
    return any(isinstance(recorded.event, ConsentWithdrawn) for recorded in appended)


def withdrawal_drafts(
    study: Study,
    reader: Reader,
    history: History,
    participant_id: str,
    keeps_data: bool,
    reason: str,
    closes_links: bool,
) -> Sequence[Draft]:
    """What a withdrawal adds to the record; nothing where all of it is said already.

    Raises:
        ConductError: consent was never given, or the data are to be erased already.
    """
    wishes = [r.event for r in history if isinstance(r.event, ConsentWithdrawn)]
    if keeps_data and any(not wish.keeps_data for wish in wishes):
        problem = "asked for their data to be erased: that is not taken back"
        raise ConductError(participant_id, problem, "carry it out with isopath withdraw --erase")
    _require_consent(history, participant_id, keeps_data)
    drafts = []
    if all(wish.keeps_data != keeps_data for wish in wishes):
        outcome = wishes[0].outcome if wishes else status_now(study.protocol, history)
        drafts.append(Draft(ConsentWithdrawn(keeps_data, reason, outcome), participant_id))
        is_over = isinstance(next_step(study.protocol, history), Finished)
        # A frozen record takes no end of a part: it would change the tables of an analysis that has begun.
        if not is_over and not is_frozen(reader):
            drafts.append(Draft(ParticipantDiscontinued(EndReason.WITHDREW, ""), participant_id))
    if closes_links:
        closed = revocations(history, study.record.clock(), LINK_CLOSED)
        drafts += [Draft(event, participant_id) for event in closed]
    return drafts


def status_now(protocol: StudyProtocol, history: History) -> str:
    """How far a person's part is, as the column ``status`` of the tables names it.

    Args:
        history: the participant's events, in order; none of them erased.
    """
    protocol = pinned(protocol, history)
    kinds = {recorded.kind for recorded in history}
    match next_step(protocol, history):
        case Finished(outcome=outcome):
            return outcome
        case AnswerEligibility():
            return "screening"
    if ConsentGiven.__name__ not in kinds:
        return "awaiting_consent"
    return "in_progress" if ParticipantAllocated.__name__ in kinds else "screening"


def _require_consent(history: History, participant_id: str, keeps_data: bool) -> None:
    agreed = {ConsentGiven.__name__, ParticipantImported.__name__}
    # Whoever declined gave nothing that could be kept, but may want even that row's company gone.
    if keeps_data and not any(r.kind in agreed for r in history):
        has_declined = any(r.kind == ConsentDeclined.__name__ for r in history)
        problem = "declined consent" if has_declined else "has not given consent"
        remedy = "record isopath consent --decline, or erase what there is with --erase"
        raise ConductError(participant_id, f"{problem}: there is none to withdraw", remedy)
