"""The grammar of sections: which follow each other, how each is built, and in what metre.

A session is a rondo of units: a refrain on the first letters (AABA, ABA, …), episodes on new letters, the
refrain again. A section is a period (antecedent and consequent), a sentence (presentation and continuation),
two periods in one where phrases are short, or a bridge; phrases have four bars more often than not, and two,
three, five or six where a cadence is hastened, stretched or evaded (Caplin, 1998, Classical Form, chapters 3
to 5 and 8). Metre and size follow tempo and density by probabilities that move continuously.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from generation.composer.score import Cadence, PhraseKind, SectionKind
from generation.composer.writing.chances import choose, happens

REFRAIN = "A"
_LETTERS = "ABCDEFGH"
_OPENING_UNITS: Mapping[str, float] = {"AABA": 4.0, "ABA": 3.0, "AAB": 2.0, "ABAB": 1.0, "AA": 1.0}
_REFRAINS: Mapping[str, float] = {"A": 3.0, "BA": 2.5, "ABA": 1.5, "AB": 1.0, "AA": 0.7}
#: Of an episode's two letters, the second contrasts with the first.
_EPISODES: Mapping[str, float] = {"X": 2.0, "XX": 2.5, "XYX": 2.0, "XXYX": 1.5, "XY": 1.0}

_PERIOD_BARS: Mapping[tuple[int, ...], float] = {
    (4, 4): 7.0,
    (4, 5): 1.2,
    (4, 6): 1.2,
    (3, 3): 0.7,
    (4, 3): 0.5,
    (2, 2): 0.4,
}
_SENTENCE_BARS: Mapping[tuple[int, ...], float] = {
    (4, 4): 6.0,
    (4, 6): 1.6,
    (4, 5): 1.2,
    (4, 3): 0.8,
    (2, 4): 0.8,
}
_BRIDGE_BARS: Mapping[tuple[int, ...], float] = {(4, 4): 5.0, (4,): 2.0, (4, 2): 1.2, (3, 3): 1.0, (6,): 0.8}
_DOUBLE_BARS: Mapping[tuple[int, ...], float] = {(4, 4, 4, 4): 7.0, (4, 4, 4, 5): 1.0, (4, 4, 4, 6): 1.2}
#: The same in wide bars of six, which hold two groups of three.
_WIDE: Mapping[int, int] = {2: 2, 3: 2, 4: 2, 5: 3, 6: 3}

_SENTENCES, _BRIDGES_THAT_ARE = 0.4, 0.85
#: A period of these lengths, in seconds, is surely doubled, and surely not.
_SHORT_PERIOD_S, _LONG_PERIOD_S = 12.0, 26.0


@dataclass(frozen=True)
class PhrasePlan:
    """One phrase's length, work and end."""

    bars: int
    kind: PhraseKind
    cadence: Cadence


@dataclass(frozen=True)
class SectionPlan:
    """One section before it has a place.

    Args:
        letter: of the form; sections of one letter are built alike.
        kind: how it is built.
        beats_per_bar: its metre, in quarter notes.
        phrases: at least one.
    """

    letter: str
    kind: SectionKind
    beats_per_bar: int
    phrases: tuple[PhrasePlan, ...]

    @property
    def beats(self) -> int:
        """Length in quarter notes."""
        return self.beats_per_bar * sum(phrase.bars for phrase in self.phrases)


@dataclass(frozen=True)
class Scene:
    """The cues where a section begins.

    Args:
        density: 0 to 1.
        beat_s: length of a quarter note.
        place: on the ladder of modes, 0 Phrygian to 4 Ionian.
    """

    density: float
    beat_s: float
    place: float


class Grammar:
    """One session's sections, as many as are asked for.

    Args:
        rng: the session's own.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._characters: dict[str, list[float]] = {}
        self._bridges: set[str] = set()
        self._metres: list[float] = []

    def letters(self) -> Iterator[str]:
        """The order of sections, without an end."""
        opening = choose(_OPENING_UNITS, self._draw())
        self._bridges.add("B")
        yield from opening
        fresh = 2
        while True:
            if fresh + 1 >= len(_LETTERS):
                fresh = 2
            first, second = _LETTERS[fresh], _LETTERS[fresh + 1]
            unit = choose(_EPISODES, self._draw())
            fresh += 2 if "Y" in unit else 1
            for sign in unit:
                if sign == "Y":
                    self._bridges.add(second)
                yield first if sign == "X" else second
            yield from choose(_REFRAINS, self._draw())

    def section(self, letter: str, scene: Scene) -> SectionPlan:
        """A section of a letter; the same letter is built alike as long as the cues let it."""
        kind_draw, bars_draw, double_draw, bridge_draw = self._character(letter)
        metre = self.metre(letter, scene)
        if letter in self._bridges and happens(bridge_draw, _BRIDGES_THAT_ARE):
            kind, lengths = SectionKind.BRIDGE, choose(_BRIDGE_BARS, bars_draw)
        elif happens(double_draw, _doubled(8 * metre * scene.beat_s)):
            kind, lengths = SectionKind.DOUBLE_PERIOD, choose(_DOUBLE_BARS, bars_draw)
        elif happens(kind_draw, _SENTENCES):
            kind, lengths = SectionKind.SENTENCE, choose(_SENTENCE_BARS, bars_draw)
        else:
            kind, lengths = SectionKind.PERIOD, choose(_PERIOD_BARS, bars_draw)
        if metre == 6:
            lengths = tuple(_WIDE[bars] for bars in lengths)
        return self.of_lengths(letter, kind, metre, lengths, scene)

    def metre(self, letter: str, scene: Scene) -> int:
        """Quarter notes a bar: three, four, or in slow music six; the letters of one unit share it."""
        unit = _LETTERS.index(letter) // 2
        while len(self._metres) <= unit:
            self._metres.append(self._draw())
        slow = 1.0 - scene.density
        six, three = 0.16 * slow * slow, 0.16 + 0.26 * slow
        draw = self._metres[unit]
        if happens(draw, six):
            return 6
        return 3 if happens(draw, six + three) else 4

    def of_lengths(
        self, letter: str, kind: SectionKind, metre: int, lengths: Sequence[int], scene: Scene
    ) -> SectionPlan:
        """A section of given phrase lengths in bars."""
        phrases = []
        for index, bars in enumerate(lengths):
            role = _role(kind, index, len(lengths))
            phrases.append(
                PhrasePlan(bars, role, self._cadence(kind, role, index == len(lengths) - 1, scene))
            )
        return SectionPlan(letter, kind, metre, tuple(phrases))

    def _cadence(self, kind: SectionKind, role: PhraseKind, is_end: bool, scene: Scene) -> Cadence:
        draw = self._draw()
        if kind == SectionKind.CODA:
            return Cadence.PLAGAL if draw < 0.5 else Cadence.AUTHENTIC
        if is_end:
            return Cadence.HALF if kind == SectionKind.BRIDGE else Cadence.AUTHENTIC
        dark = 1.0 - scene.place / 4.0
        # In dark modes the evaded cadence is a major chord, the plagal one a minor one.
        modal, plagal, evaded = 0.4 + 1.6 * dark, 0.8 + 1.8 * dark, 1.5 - 0.9 * dark
        half = {PhraseKind.ANTECEDENT: 6.0, PhraseKind.PRESENTATION: 2.5}.get(role, 1.5)
        return choose(
            {Cadence.HALF: half, Cadence.DECEPTIVE: evaded, Cadence.PLAGAL: plagal, Cadence.MODAL: modal},
            draw,
        )

    def _character(self, letter: str) -> list[float]:
        if letter not in self._characters:
            self._characters[letter] = self._rng.random(4).tolist()
        return self._characters[letter]

    def _draw(self) -> float:
        return float(self._rng.random())


def _role(kind: SectionKind, index: int, count: int) -> PhraseKind:
    is_end = index == count - 1
    match kind:
        case SectionKind.BRIDGE:
            return PhraseKind.CONTRAST
        case SectionKind.CODA:
            return PhraseKind.CODA
        case SectionKind.SENTENCE:
            return PhraseKind.CONTINUATION if is_end else PhraseKind.PRESENTATION
        case SectionKind.DOUBLE_PERIOD if index == 2 and count == 4:
            return PhraseKind.CONTRAST
        case _:
            return PhraseKind.CONSEQUENT if is_end or index == 1 else PhraseKind.ANTECEDENT


def _doubled(period_s: float) -> float:
    return 0.7 * min(max((_LONG_PERIOD_S - period_s) / (_LONG_PERIOD_S - _SHORT_PERIOD_S), 0.0), 1.0)
