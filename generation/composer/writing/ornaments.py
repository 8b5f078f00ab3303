"""What adorns a melody: passing and neighbour notes where it was heard before, and suspensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from generation.composer.score import Chord, WrittenNote

_OFTEN = (0.0, 0.32, 0.45, 0.55)
_ACCENT = 0.3
_LONGEST_TIE_BEATS = 4.0


def ornament(
    notes: Sequence[WrittenNote],
    chords: Sequence[Chord],
    variant: int,
    density: Callable[[float], float],
    draws: Sequence[float],
) -> list[WrittenNote]:
    """The notes with ornaments between them.

    Args:
        chords: under each note.
        variant: how often the phrase has been heard before; at the first hearing it stays as it is.
        density: beat to density, 0 to 1; more ornaments where more is open.
        draws: at least one a note, in [0, 1).
    """
    often = _OFTEN[min(variant, len(_OFTEN) - 1)]
    ornamented: list[WrittenNote] = []
    for index, note in enumerate(notes):
        following = notes[index + 1] if index + 1 < len(notes) else None
        share = often * (0.4 + 0.8 * min(max(density(note.onset_beat), 0.0), 1.0))
        if following is None or note.beats < 1.0 or draws[index] >= round(share, 9):
            ornamented.append(note)
            continue
        key = _between(note.key, following.key, chords[index].scale)
        if key is None:
            ornamented.append(note)
            continue
        short = 0.5 if note.beats < 3.0 else 1.0
        ornamented.append(WrittenNote(note.onset_beat, note.beats - short, note.key, note.accent))
        ornamented.append(WrittenNote(following.onset_beat - short, short, key, _ACCENT))
    return ornamented


def tie(notes: Sequence[WrittenNote], chords: Sequence[Chord]) -> list[WrittenNote]:
    """The notes with suspensions held over: a note that its new chord makes foreign is not struck again."""
    at = {chord.onset_beat: chord for chord in chords}
    tied: list[WrittenNote] = []
    for note in notes:
        chord = at.get(note.onset_beat)
        last = tied[-1] if tied else None
        if (
            chord is not None
            and last is not None
            and last.key == note.key
            and note.key % 12 not in chord.pitch_classes
            and last.beats + note.beats <= _LONGEST_TIE_BEATS
        ):
            tied[-1] = replace(last, beats=last.beats + note.beats)
        else:
            tied.append(note)
    return tied


def _between(key: int, following: int, scale: tuple[int, ...]) -> int | None:
    """A step from both: passing in a third, upper neighbour of a repeated note; None where there is none."""
    if abs(following - key) in (3, 4):
        found = [k for k in range(min(key, following) + 1, max(key, following)) if k % 12 in scale]
        steps = [k for k in found if abs(k - key) <= 2 and abs(k - following) <= 2]
        return steps[0] if steps else None
    if following == key:
        return next((key + step for step in (1, 2) if (key + step) % 12 in scale), None)
    return None
