"""How a phrase develops its theme: repetition, sequence, inversion, augmentation, fragments.

What each kind of phrase does follows Caplin (1998, Classical Form): a presentation states its idea and
repeats it, a continuation breaks it up and drives to the cadence, a consequent begins as its antecedent did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from generation.composer.score import Phrase, PhraseKind
from generation.composer.writing.meter import SLOTS_PER_BEAT
from generation.composer.writing.motifs import Motif, Theme


@dataclass(frozen=True)
class Statement:
    """An idea at work at one place of a phrase.

    Args:
        slot, slots: from where and how long, in sixteenths from the phrase's start.
        motif: what is stated; from its beginning.
        shift: scale steps higher than the phrase's own level.
        inverted: upside down.
        stretch: 2 is augmented, twice as slow; a half is diminished.
    """

    slot: int
    slots: int
    motif: Motif
    shift: int
    inverted: bool = False
    stretch: float = 1.0


@dataclass(frozen=True)
class Wish:
    """A note that a phrase would like to have.

    Args:
        slot: sixteenths from the phrase's start.
        opens_at: see `motifs.Tone`.
        step: scale steps above the phrase's own level.
        statement: number of the statement it belongs to.
    """

    slot: int
    opens_at: float
    step: int
    statement: int


def develop(phrase: Phrase, theme: Theme) -> list[Statement]:
    """The statements that fill the phrase, in time order, without gaps."""
    plan = _Plan(phrase.beats * SLOTS_PER_BEAT, phrase.beats_per_bar * SLOTS_PER_BEAT)
    match phrase.kind:
        case PhraseKind.PRESENTATION:
            _present(plan, theme)
        case PhraseKind.CONTINUATION:
            _continue(plan, theme, phrase)
        case PhraseKind.CONTRAST:
            _contrast(plan, theme)
        case PhraseKind.CODA:
            _let_go(plan, theme)
        case _:
            _ask_or_answer(plan, theme, closes=phrase.kind == PhraseKind.CONSEQUENT)
    return plan.statements


def wishes(statements: list[Statement]) -> list[Wish]:
    """The notes of `statements`, in time order."""
    found: list[Wish] = []
    for number, statement in enumerate(statements):
        turned = -1 if statement.inverted else 1
        tones = [
            replace(tone, slot=int(tone.slot * statement.stretch))
            for tone in statement.motif.tones
            if tone.slot * statement.stretch < statement.slots and not tone.slot * statement.stretch % 1
        ]
        # An idea lies around its level, whichever note it begins with.
        steps = [tone.step for tone in tones if tone.opens_at <= _FACE]
        level = round(sum(steps) / len(steps)) if steps else 0
        found += [
            Wish(
                statement.slot + tone.slot,
                tone.opens_at,
                statement.shift + turned * (tone.step - level),
                number,
            )
            for tone in tones
        ]
    return found


_FACE = 0.4


def recalled(found: Sequence[Wish], heard: Mapping[int, int]) -> list[Wish]:
    """The wishes, led as they were first sung: between remembered notes the motif goes on from there.

    Args:
        heard: sixteenths from the phrase's start to scale steps, see `memory.Memory.heard`.
    """
    apart = [heard[wish.slot] - wish.step for wish in found if wish.slot in heard]
    if not apart:
        return list(found)
    level = round(sum(apart) / len(apart))
    last = max(heard)
    led: list[Wish] = []
    correction = 0
    for wish in found:
        if wish.slot in heard:
            correction = heard[wish.slot] - wish.step - level
        led.append(replace(wish, step=wish.step + correction) if wish.slot <= last else wish)
    return led


class _Plan:
    """Statements one after the other until the phrase is full."""

    def __init__(self, slots: int, bar_slots: int) -> None:
        self.slots, self.bar_slots = slots, bar_slots
        self.at = 0
        self.statements: list[Statement] = []

    def say(
        self, motif: Motif, shift: int, inverted: bool = False, stretch: float = 1.0, slots: int | None = None
    ) -> None:
        length = min(slots or int(motif.slots * stretch), self.slots - self.at)
        if length > 0:
            self.statements.append(Statement(self.at, length, motif, shift, inverted, stretch))
            self.at += length


def _ask_or_answer(plan: _Plan, theme: Theme, closes: bool) -> None:
    half = (plan.slots // plan.bar_slots + 1) // 2 * plan.bar_slots
    _sequence(plan, theme.idea, theme.sequence, half)
    # The answer leads the same contrast downwards, to its close.
    level, fall = (theme.lift - 1, -1) if closes else (theme.lift, 1)
    while plan.at < plan.slots:
        plan.say(theme.contrast, level)
        level += fall


def _present(plan: _Plan, theme: Theme) -> None:
    _sequence(plan, theme.idea, theme.sequence, plan.slots)


def _continue(plan: _Plan, theme: Theme, phrase: Phrase) -> None:
    bars = phrase.bars
    closing = plan.slots - max(bars // 3, 1) * plan.bar_slots if bars > 1 else 0
    half_bar = phrase.beats_per_bar // 2 * SLOTS_PER_BEAT or plan.bar_slots
    fragment = plan.bar_slots if theme.idea.slots > plan.bar_slots else half_bar
    direction = -1 if theme.sequence < 0 else 1
    level = 0
    while plan.at < closing:
        # Smaller and smaller: the second half of the drive takes half the fragment.
        if plan.at >= closing // 2 and fragment > half_bar:
            fragment = half_bar
        is_quick = theme.quickens and fragment < plan.bar_slots and plan.at >= closing // 2
        stretch = 0.5 if is_quick else 1.0
        plan.say(theme.idea, level, stretch=stretch, slots=min(fragment, closing - plan.at))
        level += direction
    while plan.at < plan.slots:
        plan.say(theme.contrast, 0)


def _contrast(plan: _Plan, theme: Theme) -> None:
    level, number = 1, 0
    while plan.at < plan.slots:
        if number % 2 and theme.turns:
            plan.say(theme.idea, level, inverted=True)
        else:
            plan.say(theme.contrast, level)
        number += 1
        level += -1 if number % 2 else 1


def _let_go(plan: _Plan, theme: Theme) -> None:
    bars = plan.slots // plan.bar_slots
    if bars >= 3:
        plan.say(theme.idea, 0, slots=2 * plan.bar_slots, stretch=2)
    level = 0
    while plan.at < plan.slots:
        # Its head alone, as an echo, lower each time.
        plan.say(theme.idea, level, slots=plan.bar_slots)
        level -= 1


def _sequence(plan: _Plan, motif: Motif, sequence: int, until: int) -> None:
    level = 0
    while plan.at < until:
        plan.say(motif, level, slots=min(motif.slots, until - plan.at))
        level += sequence
        if abs(level) > _HIGHEST_LEVEL:
            level = 0


_HIGHEST_LEVEL = 4
