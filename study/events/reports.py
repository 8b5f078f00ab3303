"""What people say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from study.affect import Affect
from study.instruments import Perspective
from study.protocol import Phase


@dataclass(frozen=True)
class Asked:
    """How an instrument stood before the person.

    Args:
        language: of the words.
        question: the words themselves: felt or perceived is always asked.
        item_order: items as shown, first to last.
        untouched_items: items left where they started, and confirmed there.
        response_time_s: from shown to sent, by the browser's own clock.
    """

    language: str
    question: str
    item_order: tuple[str, ...]
    untouched_items: tuple[str, ...] = ()
    response_time_s: float | None = None


@dataclass(frozen=True)
class SelfReportSubmitted:
    """One instrument, answered.

    Args:
        raw: item to raw value as given; missed items are absent.
        affect: in [-1, 1]; None where an item was missed or the instrument has none.
        asked: how it was shown; None where staff typed it in.
        probe_at_s: the probe's onset in session time, for phase `probe`.
    """

    phase: Phase
    instrument_id: str
    perspective: Perspective
    raw: Mapping[str, float]
    affect: Affect | None
    scores: Mapping[str, float]
    missed_items: tuple[str, ...]
    probe_at_s: float | None = None
    asked: Asked | None = None


@dataclass(frozen=True)
class SelfReportMissed:
    """An instrument or questionnaire that was due and not answered at all."""

    phase: Phase
    instrument_id: str
    reason: str
    probe_at_s: float | None = None


@dataclass(frozen=True)
class QuestionnaireSubmitted:
    """One of the protocol's own questionnaires, answered.

    Args:
        answers: item to what was answered: a number, an option's id, or free text; missed items are absent.
    """

    phase: Phase
    questionnaire_id: str
    answers: Mapping[str, str | float]
    missed_items: tuple[str, ...]
    asked: Asked | None = None
    probe_at_s: float | None = None


@dataclass(frozen=True)
class ReportCorrected:
    """One answer of an earlier report was put right; the report's own row stands as it was written.

    Source: 21 CFR 11.10(e); ICH E6(R3), Annex 1, 4.2.4.

    Args:
        corrected_sequence: row of the `SelfReportSubmitted` or `QuestionnaireSubmitted`, of the same person.
        instrument_id: of the instrument or questionnaire that the row answers.
        old, new: a number, an option's id, or text; None for an item that was missed.
    """

    corrected_sequence: int
    instrument_id: str
    item: str
    old: str | float | None
    new: str | float | None
    reason: str
