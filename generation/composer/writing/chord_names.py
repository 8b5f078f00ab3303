"""What a musician calls a chord: its name from the root ("Am7/C") and its numeral in the key ("ii6/5").

Numerals are counted from the major scale, so that a lowered degree says so ("bVI", "bVII"), in capitals
where the third is major; figures name the inversion (Kostka & Payne, Tonal Harmony, chapters 3, 8 and 13).
"""

from __future__ import annotations

from collections.abc import Sequence

from generation.composer.score import Chord
from generation.composer.writing.modes import AEOLIAN, DORIAN, PHRYGIAN

_LETTERS = "CDEFGAB"
_NATURALS = (0, 2, 4, 5, 7, 9, 11)
_MAJOR_TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MINOR_TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
_MINOR_MODES = (PHRYGIAN, AEOLIAN, DORIAN)
_NUMERALS = ("I", "bII", "II", "bIII", "III", "IV", "#IV", "V", "bVI", "VI", "bVII", "VII")
#: Letters from the root to a tone, by semitones above it.
_LETTER_STEPS = (0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 6)
_TRIADS = {(4, 7): "", (3, 7): "m", (3, 6): "dim", (4, 8): "aug", (5, 7): "sus4", (2, 7): "sus2"}
_TRIAD_FIGURES = ("", "6", "6/4")
_SEVENTH_FIGURES = ("7", "6/5", "4/3", "4/2")
_ADDED = {1: "b9", 2: "9", 3: "#9", 5: "11", 6: "#11", 8: "b13"}


def chord_name(chord: Chord) -> str:
    """The chord's name, with the bass where it is not the root: "Am7/C", "G7(b9)", "Fmaj7"."""
    root = chord.pitch_classes[0]
    letter = (_tonic_letter(chord.tonic, chord.mode) + chord.degree) % 7
    name = _spelled(root, letter) + _quality(chord.pitch_classes)
    if chord.bass == root:
        return name
    return f"{name}/{_spelled(chord.bass, letter + _LETTER_STEPS[(chord.bass - root) % 12])}"


def key_name(tonic: int, mode: int) -> str:
    """The name of a key's tonic, as its mode is mostly spelled: pitch class 3 is "Eb", 8 in minor "G#"."""
    return (_MINOR_TONICS if mode in _MINOR_MODES else _MAJOR_TONICS)[tonic]


def roman_name(pitch_classes: Sequence[int], bass: int, tonic: int, of: str = "") -> str:
    """The chord's numeral in the key on `tonic`, with the inversion's figures.

    Args:
        pitch_classes: root first, then third, fifth and added tones.
        tonic: pitch class the numeral is counted from.
        of: numeral of the chord that an applied chord leads to, "V" in "V6/5/V"; `tonic` is then its root.
    """
    root = pitch_classes[0]
    shape = tuple((pitch - root) % 12 for pitch in pitch_classes)
    numeral = _NUMERALS[(root - tonic) % 12]
    if shape[1] == 3:
        numeral = numeral.lower()
    seventh = _seventh(shape)
    if shape[1:3] == (3, 6):
        numeral += "ø" if seventh == 10 else "°"
    elif shape[1:3] == (4, 8):
        numeral += "+"
    elif shape[1] in (2, 5):
        numeral += f"sus{'2' if shape[1] == 2 else '4'}"
    figures = _SEVENTH_FIGURES if seventh is not None else _TRIAD_FIGURES
    chordal = [*shape[:3], *([seventh] if seventh is not None else [])]
    interval = (bass - root) % 12
    figure = figures[chordal.index(interval)] if interval in chordal else ""
    added = "".join(f"(add{_ADDED[tone]})" for tone in shape[3:] if tone in _ADDED)
    return f"{numeral}{figure}{added}" + (f"/{of}" if of else "")


def _seventh(shape: Sequence[int]) -> int | None:
    """The chord's seventh in semitones; of a diminished triad, nine is one, too."""
    is_diminished = tuple(shape[1:3]) == (3, 6)
    return next((t for t in shape[3:] if t in (10, 11) or (t == 9 and is_diminished)), None)


def _quality(pitch_classes: Sequence[int]) -> str:
    shape = tuple((pitch - pitch_classes[0]) % 12 for pitch in pitch_classes)
    triad = _TRIADS.get((shape[1], shape[2]), "")
    seventh = _seventh(shape)
    added = [tone for tone in shape[3:] if tone != seventh]
    names = [_ADDED[tone] for tone in added if tone in _ADDED]
    if seventh is None:
        sixth = "6" if 9 in added else ""
        return triad + sixth + "".join(f"(add{name})" for name in names)
    if triad == "dim":
        base = "dim7" if seventh == 9 else "m7b5"
    elif triad.startswith("sus"):
        base = ("maj7" if seventh == 11 else "7") + triad
    elif seventh == 11:
        base = "maj7" if triad == "" else "m(maj7)" if triad == "m" else f"{triad}(maj7)"
    else:
        base = f"{triad}7"
    names += ["13"] if 9 in added else []
    return base + (f"({','.join(names)})" if names else "")


def _tonic_letter(tonic: int, mode: int) -> int:
    return _LETTERS.index(key_name(tonic, mode)[0])


def _spelled(pitch: int, letter: int) -> str:
    """`pitch` on the given letter, or on a nearer one where that would need two accidentals."""
    offset = (pitch - _NATURALS[letter % 7] + 6) % 12 - 6
    if abs(offset) > 1:
        return _MAJOR_TONICS[pitch]
    return _LETTERS[letter % 7] + ("b" if offset < 0 else "#" if offset > 0 else "")
