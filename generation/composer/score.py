"""What the composer writes and the sampler plays: chords, phrases and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """Who plays."""

    MELODY = "melody"
    COUNTER = "counter"
    FIGURE = "figure"
    PAD = "pad"
    BASS = "bass"
    PERCUSSION = "percussion"


class Cadence(StrEnum):
    """How a phrase ends."""

    HALF = "half"
    AUTHENTIC = "authentic"
    DECEPTIVE = "deceptive"
    MODAL = "modal"
    PLAGAL = "plagal"


@dataclass(frozen=True)
class Chord:
    """One harmony.

    Args:
        onset_beat, beats: in quarter notes from the first beat.
        tonic: pitch class of the key, 0 is C.
        mode: place on the ladder of modes, 0 to 4.
        degree: 0 tonic to 6, of the root in the key.
        pitch_classes: root first, then third, fifth, added notes.
        scale: the seven pitch classes a melody may use over it.
        bass: pitch class of the lowest note.
        is_dominant: a major triad or seventh on the fifth degree.
    """

    onset_beat: float
    beats: float
    tonic: int
    mode: int
    degree: int
    pitch_classes: tuple[int, ...]
    scale: tuple[int, ...]
    bass: int
    is_dominant: bool = False

    @property
    def end_beat(self) -> float:
        """Where the next harmony begins."""
        return self.onset_beat + self.beats


@dataclass(frozen=True)
class Phrase:
    """A musical sentence: bars of one metre that end in a cadence.

    Args:
        onset_beat: of its first bar.
        bars, beats_per_bar: its length.
        theme: which theme its melody comes from.
        section: number of the section it belongs to.
        texture: seeds the figures of its section.
        is_answer: closes what the phrase before it opened.
        melody_rests: the theme is silent here and the figures lead.
        tonic, next_tonic: key at its start and at its cadence.
        mode: place on the ladder of modes.
        cadence: how it ends.
    """

    onset_beat: float
    bars: int
    beats_per_bar: int
    theme: int
    section: int
    texture: int
    is_answer: bool
    melody_rests: bool
    tonic: int
    next_tonic: int
    mode: int
    cadence: Cadence
    is_last: bool = False

    @property
    def beats(self) -> int:
        """Length in quarter notes."""
        return self.bars * self.beats_per_bar

    @property
    def end_beat(self) -> float:
        """Where the next phrase begins."""
        return self.onset_beat + self.beats


@dataclass(frozen=True, order=True)
class Note:
    """One note as it is played.

    Args:
        onset_s: seconds from the session's start.
        duration_s: from key-down to key-up.
        key: MIDI key, 60 is middle C; of the brush kit, the drum.
        velocity: 0 to 1.
        part: who plays.
        instrument: name in the palette.
    """

    onset_s: float
    duration_s: float
    key: int
    velocity: float
    part: Part
    instrument: str


@dataclass(frozen=True)
class Score:
    """One session's music.

    Args:
        duration_s: of the session.
        phrases, chords: in time order.
        notes: by onset.
        beat_times_s: moment of each whole beat.
    """

    duration_s: float
    phrases: Sequence[Phrase]
    chords: Sequence[Sequence[Chord]]
    notes: Sequence[Note]
    beat_times_s: Sequence[float]
