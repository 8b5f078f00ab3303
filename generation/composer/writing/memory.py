"""What has been sung so far, so that a line goes on where it was and a theme that returns is known again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from generation.composer.score import Chord, Part, Phrase, PhraseKind, WrittenNote
from generation.composer.writing.line import places
from generation.composer.writing.meter import SLOTS_PER_BEAT

_OPENINGS = (PhraseKind.ANTECEDENT, PhraseKind.CONSEQUENT, PhraseKind.PRESENTATION)
_NOTHING: Mapping[int, int] = MappingProxyType({})
_MIDDLE = 60


class Memory:
    """The lines of a session up to a phrase."""

    def __init__(self) -> None:
        self._last: dict[Part, int] = {}
        self._heard: dict[tuple[int, int, str], Mapping[int, int]] = {}

    def last_key(self, part: Part) -> int | None:
        """The last note of a part; None before its first."""
        return self._last.get(part)

    def heard(self, phrase: Phrase) -> Mapping[int, int]:
        """The melody that such a phrase of this theme had when it was first heard.

        Returns:
            Sixteenths from the phrase's start to scale steps above the tonic; of phrases that open with the
            idea, their first half. Empty at the first hearing.
        """
        return self._heard.get(_name(phrase), _NOTHING)

    def keep(
        self, phrase: Phrase, chords: Sequence[Chord], written: Mapping[Part, Sequence[WrittenNote]]
    ) -> None:
        """Remember a phrase's lines: its last notes, and its melody where it was not heard before."""
        for part in (Part.MELODY, Part.COUNTER):
            if notes := written.get(part):
                self._last[part] = notes[-1].key
        melody = written.get(Part.MELODY, ())
        if melody and _name(phrase) not in self._heard:
            self._heard[_name(phrase)] = _steps(phrase, chords, melody)


def _name(phrase: Phrase) -> tuple[int, int, str]:
    kind = "opening" if phrase.kind in _OPENINGS else phrase.kind.value
    return phrase.theme, phrase.beats_per_bar, kind


def _steps(phrase: Phrase, chords: Sequence[Chord], melody: Sequence[WrittenNote]) -> Mapping[int, int]:
    until = phrase.end_beat
    if phrase.kind in _OPENINGS:
        until = phrase.onset_beat + (phrase.bars + 1) // 2 * phrase.beats_per_bar
    steps: dict[int, int] = {}
    index = 0
    for note in melody[:-1]:
        while index + 1 < len(chords) and chords[index + 1].onset_beat <= note.onset_beat + 1e-6:
            index += 1
        if note.onset_beat < until - 1e-6:
            table = places(chords[index].scale)
            slot = round((note.onset_beat - phrase.onset_beat) * SLOTS_PER_BEAT)
            steps[slot] = table[note.key] - table[_MIDDLE + phrase.tonic]
    return steps
