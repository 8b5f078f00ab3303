"""Who looked at what tells a participant's arm: one event a viewing, not one a click."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from study.access.accounts import Staff
from study.events import ArmsSeen, History
from study.founding import Study
from study.record import Draft, Reader

ONE_VIEWING = timedelta(hours=1)
"""Whatever is looked at again within this is the same viewing."""


def note_arms_seen(
    study: Study, staff: Staff, participant_id: str, session_id: str | None, what: str
) -> None:
    """Record that somebody with the right to it looks at what tells an arm; call it before it is shown.

    Args:
        what: e.g. ``sound``, ``planned path``.

    Raises:
        UnknownName: nobody of that id is enrolled.
    """
    seen = ArmsSeen(staff.staff_id, what)

    def decide(_: Reader, history: History) -> Sequence[Draft]:
        since = study.record.clock() - ONE_VIEWING
        is_noted = any(r.event == seen and r.session_id == session_id and r.at > since for r in history)
        return [] if is_noted else [Draft(seen, participant_id, session_id)]

    study.act(staff.actor, participant_id, decide)
