"""Other voices as a line meets them: what they do while it moves."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from generation.composer.score import WrittenNote

_SAME_MOMENT = 1e-6


class Voice(NamedTuple):
    """One line of single notes.

    Args:
        onset_beats: in time order.
        keys: one an onset.
    """

    onset_beats: Sequence[float]
    keys: Sequence[int]

    def key_at(self, beat: float) -> int | None:
        """The key last struck at or before `beat`."""
        index = bisect_right(self.onset_beats, beat + _SAME_MOMENT) - 1
        return self.keys[index] if index >= 0 else None

    def is_struck(self, beat: float) -> bool:
        """Whether a note begins at `beat`."""
        index = bisect_right(self.onset_beats, beat + _SAME_MOMENT) - 1
        return index >= 0 and beat - self.onset_beats[index] < _SAME_MOMENT


def voice_of(notes: Iterable[WrittenNote]) -> Voice:
    """The lowest line of a part."""
    lowest: dict[float, int] = {}
    for note in notes:
        lowest[note.onset_beat] = min(note.key, lowest.get(note.onset_beat, note.key))
    onsets = sorted(lowest)
    return Voice(onsets, [lowest[beat] for beat in onsets])


def top_voice(notes: Iterable[WrittenNote]) -> Voice:
    """The highest line of a part: at each of its onsets the highest key that sounds."""
    struck = sorted(notes, key=lambda note: (note.onset_beat, note.key))
    onsets: list[float] = []
    keys: list[int] = []
    held: list[WrittenNote] = []
    for note in struck:
        held = [other for other in held if other.onset_beat + other.beats > note.onset_beat + _SAME_MOMENT]
        held.append(note)
        highest = max(other.key for other in held)
        if onsets and onsets[-1] == note.onset_beat:
            keys[-1] = highest
        else:
            onsets.append(note.onset_beat)
            keys.append(highest)
    return Voice(onsets, keys)


class Encounters(NamedTuple):
    """What the other voices do between two moments of a line, as `line.Moment` wants it."""

    moved: tuple[tuple[int, int], ...]
    struck: tuple[tuple[int, int, int], ...]
    against: int


def encounters(voices: Sequence[Voice], beats: Sequence[float]) -> list[Encounters]:
    """One an onset of the line; the first voice is the one to move against."""
    found: list[Encounters] = []
    anchors: list[int | None] = [None] * len(voices)
    for index, beat in enumerate(beats):
        moved: list[tuple[int, int]] = []
        struck: list[tuple[int, int, int]] = []
        against = 0
        for number, voice in enumerate(voices):
            now = voice.key_at(beat)
            if now is None:
                continue
            if index:
                # As it was when the line last moved, and just before it moves now.
                earlier = (voice.key_at(beats[index - 1]), voice.key_at(beat - 0.01))
                moved += [(was, now) for was in dict.fromkeys(earlier) if was is not None and was != now]
                if number == 0 and earlier[0] is not None:
                    against = (now > earlier[0]) - (now < earlier[0])
            if voice.is_struck(beat):
                was = anchors[number]
                struck.append((number, now if was is None else was, now))
                anchors[number] = now
        found.append(Encounters(tuple(moved), tuple(struck), against))
    return found
