"""Answers put right after they were recorded: the old one stays in its row, a new event points at it.

What was decided by a report as it was given (the allocation, the music's start, the
support page, a stop rule) stands, and goes on being read from the record itself.
What people look at and analyse is read through `corrected`.

Source: 21 CFR 11.10(e), "record changes shall not obscure previously recorded
information"; ICH E6(R3), Annex 1, 4.2.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from study.erasable import as_erased
from study.errors import ConductError, OutOfRange, RecordError, RecordMismatch, UnknownName
from study.events import (
    DataImported,
    Event,
    History,
    QuestionnaireSubmitted,
    RecordedEvent,
    ReportCorrected,
    SelfReportMissed,
    SelfReportSubmitted,
)
from study.founding import Study
from study.instruments import instrument_kind, score
from study.protocol import Phase, StudyProtocol
from study.questionnaire import ItemKind, Questionnaire, check_answers, missed_items
from study.record import Draft, Reader
from study.versions import pinned

Answer = str | float
_Report = SelfReportSubmitted | QuestionnaireSubmitted


@dataclass(frozen=True)
class Correctable:
    """A report whose answers may be corrected; what was answered is not told.

    Args:
        sequence: its row in the record.
        instrument_id: of the instrument or questionnaire.
        items: all of them, answered or not.
    """

    sequence: int
    session_id: str | None
    phase: Phase
    instrument_id: str
    items: tuple[str, ...]


def correct(
    study: Study,
    actor: str,
    participant_id: str,
    sequence: int,
    item: str,
    new: Answer | None,
    reason: str,
) -> RecordedEvent:
    """Record that an answer was another than its row says, and why.

    Args:
        sequence: the report's row.
        item: of its instrument or questionnaire.
        new: the right answer, on the item's own scale; a number may come as text. None: it was missed.
        reason: how it is known, without names.

    Returns:
        The new row, a `ReportCorrected`.

    Raises:
        ConductError: no reason; the row is no report or was erased; the item has that answer, or must
            have one; the record is frozen.
        UnknownName: nobody of that id, no such row of theirs, no such item or option.
        OutOfRange: an answer that the item cannot have. Nothing is recorded, as for all of these.
        RecordMismatch: the record was imported.
    """
    if not reason.strip():
        raise ConductError(participant_id, "a correction has no reason", "say how the right answer is known")

    def decide(reader: Reader, history: History) -> Sequence[Draft]:
        _require_our_own(reader)
        protocol = study.protocol_of(history)
        found = _row(corrected(protocol, as_erased(history)), participant_id, sequence)
        report = _report(found)
        name, where = _asked_with(report), f"row {sequence}, {item}"
        if item not in _items(protocol, name):
            known = ", ".join(_items(protocol, name))
            raise UnknownName(f"{name}.{item}", "is not an item of it", f"write one of {known}")
        old, right = _answers(report).get(item), _typed(protocol, name, item, new, where)
        right = _answers(_with(protocol, report, item, right)).get(item)
        if right == old:
            said = "missed" if old is None else "that answer"
            raise ConductError(where, f"is {said} already", "nothing is to be corrected")
        event = ReportCorrected(sequence, name, item, old, right, reason.strip())
        return [Draft(event, participant_id, found.session_id)]

    return study.act(actor, participant_id, decide)[0]


def correctable(protocol: StudyProtocol, history: History) -> Iterator[Correctable]:
    """A participant's reports, in order, without those that were erased or are to be.

    Args:
        protocol: the version in force.
    """
    protocol = pinned(protocol, history)
    for recorded in as_erased(history):
        report = recorded.event
        if _is_report(report):
            name = _asked_with(report)
            items = _items(protocol, name)
            yield Correctable(recorded.sequence, recorded.session_id, report.phase, name, items)


def corrected(protocol: StudyProtocol, history: History) -> list[RecordedEvent]:
    """One participant's history with every report as it was corrected last, scored anew.

    Rows, times and the corrections themselves stay. A report that was erased stays erased.

    Args:
        protocol: the version in force.
        history: one participant's events, in order.

    Raises:
        RecordError: a correction is of a row that is no earlier report of theirs.
        UnknownName, OutOfRange: it is none that `correct` would have recorded.
    """
    protocol = pinned(protocol, history)
    found = list(history)
    places = {recorded.sequence: place for place, recorded in enumerate(history)}
    for recorded in history:
        correction = recorded.event
        if not isinstance(correction, ReportCorrected):
            continue
        place = places.get(correction.corrected_sequence)
        report = None if place is None else found[place]
        if place is None or report is None or report.sequence >= recorded.sequence:
            raise _impossible(recorded)
        if report.event is None:
            continue
        if not _is_report(report.event):
            raise _impossible(recorded)
        found[place] = replace(report, event=_with(protocol, report.event, correction.item, correction.new))
    return found


def corrected_items(history: History) -> Mapping[int, frozenset[str]]:
    """Row of a report to the items of it that were corrected; a report without any is left out."""
    found: dict[int, frozenset[str]] = {}
    for recorded in history:
        if isinstance(recorded.event, ReportCorrected):
            row = recorded.event.corrected_sequence
            found[row] = found.get(row, frozenset()) | {recorded.event.item}
    return found


def _impossible(recorded: RecordedEvent) -> RecordError:
    return RecordError(
        f"row {recorded.sequence}",
        "corrects a row that is no earlier report of that participant",
        "run `isopath verify` and restore the record from a copy that verifies",
    )


def _require_our_own(reader: Reader) -> None:
    if reader.events(kinds=[DataImported]):
        problem = "was imported: its answers are those of the file"
        remedy = "correct them at the source, and import the corrected file into a new folder"
        raise RecordMismatch("this record", problem, remedy)


def _row(history: Iterable[RecordedEvent], participant_id: str, sequence: int) -> RecordedEvent:
    for recorded in history:
        if recorded.sequence == sequence:
            return recorded
    raise UnknownName(
        f"row {sequence}",
        f"is not one of {participant_id}'s",
        f"isopath correct STUDY {participant_id} lists the rows that may be corrected",
    )


def _report(recorded: RecordedEvent) -> _Report:
    where = f"row {recorded.sequence}"
    if recorded.event is None:
        raise ConductError(where, "was erased, or is to be", "nothing of it is kept, a correction neither")
    if isinstance(recorded.event, SelfReportMissed):
        problem = "says that nothing was answered at all"
        raise ConductError(where, problem, "write what is known of it with isopath deviation")
    if not _is_report(recorded.event):
        problem = f"is a {recorded.kind}, not a report"
        raise ConductError(where, problem, "name the row of an answered instrument or questionnaire")
    return recorded.event


def _is_report(event: Event | None) -> TypeGuard[_Report]:
    return isinstance(event, (SelfReportSubmitted, QuestionnaireSubmitted))


def _asked_with(report: _Report) -> str:
    return report.instrument_id if isinstance(report, SelfReportSubmitted) else report.questionnaire_id


def _answers(report: _Report) -> Mapping[str, Answer]:
    return report.raw if isinstance(report, SelfReportSubmitted) else report.answers


def _items(protocol: StudyProtocol, name: str) -> tuple[str, ...]:
    questionnaire = protocol.questionnaire(name)
    if questionnaire is not None:
        return tuple(item.item_id for item in questionnaire.items)
    return tuple(instrument_kind(protocol.instrument(name).kind).items)


def _typed(protocol: StudyProtocol, name: str, item: str, new: Answer | None, where: str) -> Answer | None:
    """An answer that came as text, as the number it stands for where the item is answered by one."""
    questionnaire = protocol.questionnaire(name)
    kinds = {} if questionnaire is None else {one.item_id: one.kind for one in questionnaire.items}
    if not isinstance(new, str) or kinds.get(item, ItemKind.SCALE) is not ItemKind.SCALE:
        return new
    try:
        return float(new)
    except ValueError:
        raise OutOfRange(where, f"{new!r} is not a number", "write a value of the item's scale") from None


def _with(protocol: StudyProtocol, report: _Report, item: str, new: Answer | None) -> _Report:
    """The report with another answer to one item, checked and scored as when it was taken."""
    if isinstance(report, QuestionnaireSubmitted):
        questionnaire = _questionnaire(protocol, report.questionnaire_id)
        answers = {name: value for name, value in report.answers.items() if name != item}
        given = check_answers(questionnaire, answers if new is None else {**answers, item: new})
        return replace(report, answers=given, missed_items=missed_items(questionnaire, given))
    if isinstance(new, str):
        raise OutOfRange(f"{report.instrument_id}.{item}", f"{new!r} is not a number", "write a number")
    raw = {name: value for name, value in report.raw.items() if name != item}
    instrument = protocol.instrument(report.instrument_id)
    scored = score(instrument, raw if new is None else {**raw, item: new})
    return replace(
        report, raw=scored.raw, affect=scored.affect, scores=scored.scores, missed_items=scored.missed_items
    )


def _questionnaire(protocol: StudyProtocol, questionnaire_id: str) -> Questionnaire:
    questionnaire = protocol.questionnaire(questionnaire_id)
    if questionnaire is None:
        raise UnknownName(questionnaire_id, "is not a questionnaire of this protocol", "see isopath verify")
    return questionnaire
