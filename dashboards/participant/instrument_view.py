"""An instrument or a questionnaire as it is put to a person."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from dashboards.participant.markdown import safe_html
from study.instruments import Instrument, InstrumentKind, instrument_kind
from study.protocol import Phase, StudyProtocol
from study.questionnaire import Item, Questionnaire
from study.step import GiveReport


def instrument_data(
    protocol: StudyProtocol, report: GiveReport, participant_id: str, key: str, words: Mapping[str, str]
) -> dict[str, Any]:
    """The data of a view of kind ``instrument``.

    ``low`` and ``high`` of an item are the ends of its raw scale; ``low_words``
    and ``high_words`` stand beside them; ``points`` is the number of whole
    answers, or None where the scale is continuous.
    """
    instrument = protocol.instrument(report.instrument_id)
    kind = instrument_kind(instrument.kind)
    return {
        "instrument_kind": instrument.kind,
        "perspective": str(instrument.perspective),
        "question": words[f"instrument.question.{instrument.perspective}"],
        "items": [
            _item(instrument, kind, item_id, words)
            for item_id in item_order(instrument, kind, participant_id, key)
        ],
        "may_skip": not _starts_the_path(protocol, report),
    }


def item_order(
    instrument: Instrument, kind: InstrumentKind, participant_id: str, key: str
) -> tuple[str, ...]:
    """Items in the order shown: of an Affective Slider by a keyed draw, else as published.

    The draw depends on person and step alone, so that a reload shows the same.
    Source: Betella & Verschure (2016), PLoS ONE 11:e0148037: the order of the
    two sliders is randomised.
    """
    items = tuple(kind.items)
    if instrument.kind != "affective_slider":
        return items
    return tuple(
        sorted(items, key=lambda item: hashlib.sha256(f"{participant_id}/{key}/{item}".encode()).digest())
    )


def _item(
    instrument: Instrument, kind: InstrumentKind, item_id: str, words: Mapping[str, str]
) -> dict[str, Any]:
    scale = kind.items[item_id]
    of_affect = kind.affect_items is not None and item_id in kind.affect_items
    stem = f"item.{instrument.perspective}.{item_id}" if of_affect else f"item.{instrument.kind}.{item_id}"
    ends = stem if of_affect else "item.degree"
    item: dict[str, Any] = {
        "id": item_id,
        "label": words[stem],
        "short": words[f"{stem}.short"] if of_affect else words[stem],
        "low": scale.low,
        "high": scale.high,
        "low_words": words[f"{ends}.low"],
        "high_words": words[f"{ends}.high"],
        "points": int(scale.high - scale.low) + 1 if kind.whole_numbers else None,
    }
    if instrument.pictures.get(item_id):
        shown = range(1, len(instrument.pictures[item_id]) + 1)
        item["pictures"] = [f"/api/me/picture/{instrument.instrument_id}/{item_id}/{n}" for n in shown]
    return item


def _starts_the_path(protocol: StudyProtocol, report: GiveReport) -> bool:
    needs_start = any(arm.start is None for arm in protocol.arms)
    return (
        report.phase is Phase.PRE and needs_start and report.instrument_id == protocol.analysis.instrument_id
    )


def questionnaire_data(questionnaire: Questionnaire, language: str) -> dict[str, Any]:
    """The data of a view of kind ``questionnaire``."""
    return {
        "items": [_question(item, language) for item in questionnaire.items],
        "may_skip": not any(item.is_required for item in questionnaire.items),
    }


def _question(item: Item, language: str) -> dict[str, Any]:
    return {
        "id": item.item_id,
        "kind": str(item.kind),
        "html": safe_html(item.text[language]),
        "points": item.points,
        "low_words": item.low[language] if item.low is not None else "",
        "high_words": item.high[language] if item.high is not None else "",
        "options": [{"id": option_id, "label": text[language]} for option_id, text in item.options],
        "is_required": item.is_required,
    }
