"""Questionnaires and rating scales: what a response is, and its score.

Only scoring lives here. Items and pictures under other people's licences
(SAM figures, STAI items) are the user's to bring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from study.affect import NINE_POINT, SLIDER, VAS, Affect, Scale
from study.errors import OutOfRange, UnknownName


class Perspective(StrEnum):
    """What a rating is about: one's own feeling, or what the music expresses."""

    FELT = "felt"
    PERCEIVED = "perceived"


@dataclass(frozen=True)
class InstrumentKind:
    """An instrument as published.

    Args:
        kind: the name protocols use.
        items: item id to the scale it is answered on.
        affect_items: the items that give valence and arousal, or None.
        reversed_items: items whose scale runs against the score.
        total_name: the summed score's name, or None.
        total_factor: multiplies the mean item score.
        whole_numbers: whether only whole numbers can be answered (points or boxes).
        source: the publication that defines the scoring.
    """

    kind: str
    items: Mapping[str, Scale]
    affect_items: tuple[str, str] | None
    source: str
    reversed_items: frozenset[str] = frozenset()
    total_name: str | None = None
    total_factor: float = 1.0
    whole_numbers: bool = False


_FOUR_POINT = Scale("four points 1 to 4", 1.0, 4.0)
_VALENCE_AROUSAL = ("valence", "arousal")


def _affect_kind(kind: str, scale: Scale, source: str) -> InstrumentKind:
    items = MappingProxyType(dict.fromkeys(_VALENCE_AROUSAL, scale))
    return InstrumentKind(kind, items, _VALENCE_AROUSAL, source, whole_numbers=scale is NINE_POINT)


KINDS: Mapping[str, InstrumentKind] = MappingProxyType(
    {
        kind.kind: kind
        for kind in (
            _affect_kind("affective_slider", SLIDER, "Betella & Verschure (2016), PLoS ONE 11:e0148037"),
            _affect_kind("affect_grid", NINE_POINT, "Russell, Weiss & Mendelsohn (1989), JPSP 57, 493-502"),
            _affect_kind("vas", VAS, "visual analogue scale, 0 to 100 mm"),
            _affect_kind(
                "sam", NINE_POINT, "Bradley & Lang (1994), J. Behav. Ther. Exp. Psychiatry 25, 49-59"
            ),
            InstrumentKind(
                "stai6",
                MappingProxyType(
                    dict.fromkeys(("calm", "tense", "upset", "relaxed", "content", "worried"), _FOUR_POINT)
                ),
                None,
                "Marteau & Bekker (1992), Br. J. Clin. Psychol. 31, 301-306",
                frozenset({"calm", "relaxed", "content"}),
                "stai6_total",
                # The six-item sum (6-24) times 20/6 lies on the 20-80 range of the full form.
                20.0,
                whole_numbers=True,
            ),
        )
    }
)


@dataclass(frozen=True)
class Instrument:
    """An instrument of a protocol: a published kind under the study's own id.

    Args:
        pictures: of a SAM, by item: nine image files from lowest to highest, as the
            protocol names them; empty where numbers are shown.
    """

    instrument_id: str
    kind: str
    perspective: Perspective
    pictures: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class ScoredResponse:
    """What a person answered, and what it amounts to.

    Args:
        raw: item id to raw value, as given; a missed item is absent.
        affect: on the circumplex; None if the kind has none or an item was missed.
        scores: named totals; empty if an item was missed.
        missed_items: items without an answer, in the kind's order.
    """

    instrument_id: str
    perspective: Perspective
    raw: Mapping[str, float]
    affect: Affect | None
    scores: Mapping[str, float]
    missed_items: tuple[str, ...]


def instrument_kind(kind: str) -> InstrumentKind:
    """The published instrument of that name.

    Raises:
        UnknownName: not one of `KINDS`.
    """
    try:
        return KINDS[kind]
    except KeyError:
        raise UnknownName(
            "kind", f"{kind!r} is not a known instrument", "write one of " + ", ".join(KINDS)
        ) from None


def score(instrument: Instrument, responses: Mapping[str, float]) -> ScoredResponse:
    """Score one set of responses.

    Args:
        instrument: which instrument was answered.
        responses: item id to raw value; leave out what was missed.

    Raises:
        UnknownName: an item that the instrument does not have.
        OutOfRange: a value outside its item's scale, between two answers, or not
            a number. Nothing is clipped or rounded.
    """
    kind = instrument_kind(instrument.kind)
    for item in responses:
        if item not in kind.items:
            raise UnknownName(
                f"{instrument.instrument_id}.{item}",
                "is not an item of " + kind.kind,
                "write " + ", ".join(kind.items),
            )
    raw = {
        item: scale.check(responses[item], f"{instrument.instrument_id}.{item}")
        for item, scale in kind.items.items()
        if item in responses
    }
    for item, value in raw.items():
        if kind.whole_numbers and value != int(value):
            scale = kind.items[item]
            raise OutOfRange(
                f"{instrument.instrument_id}.{item}",
                f"{value:g} lies between two answers ({scale.name})",
                f"write a whole number from {scale.low:g} to {scale.high:g}",
            )
    missed = tuple(item for item in kind.items if item not in raw)
    affect = None
    if kind.affect_items is not None and not missed:
        valence, arousal = (kind.items[item].to_unit(raw[item]) for item in kind.affect_items)
        affect = Affect(valence, arousal)
    scores = {} if missed or kind.total_name is None else {kind.total_name: _total(kind, raw)}
    return ScoredResponse(
        instrument.instrument_id,
        instrument.perspective,
        MappingProxyType(raw),
        affect,
        MappingProxyType(scores),
        missed,
    )


def _total(kind: InstrumentKind, raw: Mapping[str, float]) -> float:
    values = [
        kind.items[item].low + kind.items[item].high - value if item in kind.reversed_items else value
        for item, value in raw.items()
    ]
    return sum(values) / len(values) * kind.total_factor
