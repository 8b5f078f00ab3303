"""Probes that listening passed by."""

from __future__ import annotations

from collections.abc import Collection

from study.events import Event, QuestionnaireSubmitted, SelfReportMissed, SelfReportSubmitted
from study.protocol import Phase, StudyProtocol

Probe = tuple[float, str]
"""Onset in session time, and the instrument or questionnaire."""

_GRACE_S = 5.0


def answered_probe(event: Event | None) -> Probe | None:
    """The probe that an event answers, or records as missed; None for any other event."""
    match event:
        case (
            SelfReportSubmitted(instrument_id=answered, probe_at_s=float(at_s))
            | SelfReportMissed(instrument_id=answered, probe_at_s=float(at_s))
            | QuestionnaireSubmitted(questionnaire_id=answered, probe_at_s=float(at_s))
        ):
            return at_s, answered
    return None


def passed_probes(
    protocol: StudyProtocol, given: Collection[Probe], position_s: float
) -> list[SelfReportMissed]:
    """Probes that nobody answered before the sound went on, to be recorded as missed.

    Args:
        given: what was answered or is recorded as missed already.
        position_s: where the sound is.
    """
    return [
        SelfReportMissed(Phase.PROBE, instrument_id, "listening went on", at_s)
        for assessment in protocol.assessments_at(Phase.PROBE)
        for at_s in assessment.at_s
        for instrument_id in assessment.instrument_ids
        if at_s + _GRACE_S < position_s and (at_s, instrument_id) not in given
    ]
