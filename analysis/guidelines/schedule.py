"""A protocol's schedule of enrolment, interventions and assessments (SPIRIT 2025, item 18)."""

from __future__ import annotations

from dataclasses import dataclass

from study.instruments import instrument_kind
from study.protocol import Assessment, Phase, SoundCheck, StudyProtocol
from study.questionnaire import Questionnaire

MARK = "X"


@dataclass(frozen=True)
class Schedule:
    """A table of what happens when.

    Args:
        columns: moments, in the order people meet them.
        sections: heading to rows; a row is a name and a mark for each column.
        notes: what the table cannot say.
    """

    columns: tuple[str, ...]
    sections: tuple[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], ...]
    notes: tuple[str, ...]


def clock(seconds: float) -> str:
    """Minutes and seconds: 5:00, 0:37.5."""
    minutes, rest = divmod(seconds, 60)
    whole = f"{rest:04.1f}".removesuffix(".0") if rest % 1 else f"{rest:02.0f}"
    return f"{minutes:.0f}:{whole}"


def make_schedule(protocol: StudyProtocol) -> Schedule:
    """The schedule that `study.steps` will follow, as a table."""
    follow_ups = protocol.assessments_at(Phase.FOLLOW_UP)
    moments = [
        ("Enrolment", Phase.BASELINE),
        ("Before", Phase.PRE),
        ("Allocation", None),
        ("Listening", Phase.PROBE),
        ("After", Phase.POST),
        *((_later(given), Phase.FOLLOW_UP) for given in follow_ups),
    ]
    columns = tuple(name for name, _ in moments)

    def marked(*names: str) -> tuple[str, ...]:
        return tuple(MARK if column in names else "" for column in columns)

    enrolment = [("Consent", marked("Enrolment")), ("Eligibility", marked("Enrolment"))]
    if not protocol.eligibility:
        enrolment.pop()
    if protocol.sound_check is not None:
        enrolment.append(("Sound check", marked("Enrolment")))
    if protocol.induction_text is not None:
        enrolment.append(("Mood induction", marked("Before")))
    enrolment.append(("Allocation", marked("Allocation")))
    interventions = [(arm.arm_id, marked("Listening")) for arm in protocol.arms]
    assessments = [
        (
            f"{instrument.instrument_id} ({instrument.perspective})",
            tuple(_when(protocol, instrument.instrument_id, column, phase) for column, phase in moments),
        )
        for instrument in protocol.instruments
    ]
    assessments += [
        (
            f"{questionnaire.questionnaire_id} (questions)",
            tuple(
                _when(protocol, questionnaire.questionnaire_id, column, phase) for column, phase in moments
            ),
        )
        for questionnaire in protocol.questionnaires
    ]
    sections = [
        ("Enrolment", tuple(enrolment)),
        ("Interventions", tuple(interventions)),
        ("Assessments", tuple(assessments)),
    ]
    if protocol.debrief is not None:
        at = columns[-1] if protocol.debrief.after_follow_up else "After"
        sections.append(("Close", (("Debriefing", marked(at)),)))
    return Schedule(columns, tuple(sections), tuple(_notes(protocol)))


def _later(given: Assessment) -> str:
    days = given.after_days or 0.0
    return f"+{days:g} day" + ("" if days == 1 else "s")


def _when(protocol: StudyProtocol, instrument_id: str, column: str, phase: Phase | None) -> str:
    if phase is None:
        return ""
    given = [a for a in protocol.assessments_at(phase) if instrument_id in a.instrument_ids]
    if phase is Phase.PROBE:
        moments = [clock(at_s) for at_s in sorted({at_s for a in given for at_s in a.at_s})]
        moments += ["1 Hz"] * (protocol.listening.rating_instrument_id == instrument_id)
        return "\n".join(moments)
    if phase is Phase.FOLLOW_UP:
        given = [a for a in given if _later(a) == column]
    return MARK if given else ""


def _notes(protocol: StudyProtocol) -> list[str]:
    notes = [
        f"{instrument.instrument_id}: {instrument.kind}, {instrument_kind(instrument.kind).source}."
        for instrument in protocol.instruments
    ]
    notes += [
        f"{questionnaire.questionnaire_id}: {_number_of(len(questionnaire.items), 'question')}"
        f"{_measured(questionnaire)}."
        for questionnaire in protocol.questionnaires
    ]
    if protocol.sound_check is not None:
        notes.append(_sound_check(protocol.sound_check))
    if protocol.debrief is not None:
        arm = "tells" if protocol.debrief.tells_arm else "does not tell"
        notes.append(f"The debriefing {arm} people which arm was theirs.")
    if protocol.probes_at_s:
        notes.append("Times under Listening are minutes into the session.")
    if protocol.listening.rating_instrument_id is not None:
        notes.append("1 Hz: may be rated all along, and is taken down once a second.")
    if protocol.session_count > 1:
        notes.append(
            f"Before, Listening and After are repeated in each of {protocol.session_count} sessions;"
            " allocation happens once, in the first."
        )
        notes.extend(
            f"Session {window.session_number}: day {window.from_day:g} to {window.to_day:g} after session 1."
            for window in protocol.visit_windows
        )
    if any(a.after_days is not None for a in protocol.assessments):
        notes.append("Follow-up days are counted from the last session.")
    return notes


def _number_of(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _measured(questionnaire: Questionnaire) -> str:
    measured = [item.measures.replace("_", " ") for item in questionnaire.items if item.measures is not None]
    return f", measuring {', '.join(measured)}" if measured else ""


def _sound_check(check: SoundCheck) -> str:
    when = "Sound check before the first report of each session:"
    if check.headphone_test is None:
        return f"{when} the level alone."
    then = "ends the person's part" if check.ends_on_failure else "is recorded, and the session goes on"
    return (
        f"{when} the level, and headphones by {check.headphone_test}, passed by {check.pass_at} of"
        f" {check.trials}, in {_number_of(check.attempts, 'attempt')}; failing the last {then}."
    )
