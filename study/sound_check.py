"""The sound check: its trials, its score, its place in the record."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from study.errors import ConductError, OutOfRange
from study.events import History, SoundChecked
from study.founding import Study
from study.protocol import StudyProtocol
from study.record import Draft, Reader
from study.step import CheckSound
from study.steps import require_step, step_key
from study.visits import window_deviations

INTERVALS = 3
"""Of a trial: one holds the tone (huggins) or is quietest (antiphase)."""


def trial_answers(protocol: StudyProtocol, participant_id: str, key: str) -> tuple[int, ...]:
    """The right interval of every trial of one attempt, from 1; empty without a headphone test.

    A function of person and step, so that a page loaded again shows the same trials.
    Milne et al. (2021), Behav. Res. Methods 53, 1551-1562, for huggins; Woods et al.
    (2017), Atten. Percept. Psychophys. 79, 2064-2072, for antiphase.

    Args:
        key: of the due step, from `study.steps.step_key`.
    """
    check = protocol.sound_check
    if check is None or check.headphone_test is None:
        return ()
    drawn = (f"{protocol.sha256}/{participant_id}/{key}/{trial}" for trial in range(check.trials))
    return tuple(
        int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % INTERVALS + 1 for text in drawn
    )


def record_sound_check(
    study: Study,
    actor: str,
    participant_id: str,
    session_id: str,
    volume: float | None,
    responses: Sequence[int],
) -> SoundChecked:
    """Record one attempt, scored against the trials of the due step.

    Args:
        volume: what the player's own volume was set to, 0 to 1; None where the device sets it.
        responses: the interval chosen in each trial, from 1; empty without a headphone test.

    Raises:
        OutOfRange: the volume or a response is off its scale.
        ConductError: the sound check of that session is not the next step, or there
            are more or fewer responses than trials.
    """
    protocol = study.protocol_for(participant_id)
    if volume is not None and not 0.0 <= volume <= 1.0:
        raise OutOfRange("volume", f"{volume:g} is outside 0 to 1", "write 0 to 1")
    for response in responses:
        if response not in range(1, INTERVALS + 1):
            remedy = f"write 1 to {INTERVALS}"
            raise OutOfRange("response", f"{response} is not an interval of a trial", remedy)

    def decide(_: Reader, history: History) -> Sequence[Draft]:
        step = CheckSound(session_id)
        require_step(protocol, history, participant_id, step, "the sound check")
        check = protocol.sound_check
        if check is None:
            raise ConductError(participant_id, "this protocol has no sound check", "see isopath status")
        answers = trial_answers(protocol, participant_id, step_key(step, history))
        if len(responses) != len(answers):
            problem = f"{len(responses)} response(s) to {len(answers)} trial(s)"
            raise ConductError("the sound check", problem, "give one for every trial")
        correct = sum(given == right for given, right in zip(responses, answers, strict=True))
        checked = SoundChecked(
            volume=volume,
            headphone_test=check.headphone_test,
            correct=correct,
            trials=len(answers),
            passed=not answers or correct >= check.pass_at,
            attempt=1 + _attempts(history, session_id),
        )
        outside = window_deviations(protocol, history, participant_id, step, study.record.clock())
        return [*outside, Draft(checked, participant_id, session_id)]

    recorded = study.act(actor, participant_id, decide)[-1].event
    if not isinstance(recorded, SoundChecked):
        raise TypeError(f"the last event is {type(recorded).__name__}")
    return recorded


def _attempts(history: History, session_id: str) -> int:
    return sum(r.session_id == session_id and r.kind == SoundChecked.__name__ for r in history)
