"""What the composer writes and the sampler plays: sections, phrases, chords and notes.

Everything written is counted in quarter notes from the first beat; `Note` alone is in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


class PhraseKind(StrEnum):
    """What a phrase does in its section (Caplin, 1998, Classical Form)."""

    ANTECEDENT = "antecedent"
    CONSEQUENT = "consequent"
    PRESENTATION = "presentation"
    CONTINUATION = "continuation"
    CONTRAST = "contrast"
    CODA = "coda"


class SectionKind(StrEnum):
    """How a section is built of phrases."""

    PERIOD = "period"
    DOUBLE_PERIOD = "double period"
    SENTENCE = "sentence"
    BRIDGE = "bridge"
    CODA = "coda"


@dataclass(frozen=True)
class Chord:
    """One harmony.

    Args:
        onset_beat, beats: in quarter notes from the first beat.
        tonic: pitch class of the key, 0 is C.
        mode: place on the ladder of modes, 0 to 4, of this chord: neighbours on the ladder may alternate.
        degree: 0 tonic to 6, of the root in the key.
        pitch_classes: root first, then third, fifth, added notes.
        scale: the seven pitch classes a melody may use over it.
        bass: pitch class of the lowest note.
        is_dominant: a major triad or seventh on the fifth degree.
        roman: its name in the key, as a cue sheet prints it; "" where nobody named it.
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
    roman: str = ""

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
        kind: what it does in its section.
        theme: which theme its melody comes from; phrases of one theme share motifs.
        variant: how often this phrase of this theme has been heard before, 0 the first time.
        section: number of the section it belongs to.
        texture: seeds the figures of its section.
        melody_rests: the theme is silent here and the figures lead.
        tonic, next_tonic: key at its start and at its cadence.
        mode: place on the ladder of modes that its cadence is in.
        cadence: how it ends.
        spread: 0 to 1, which of two neighbouring modes has its turn; evenly spread over a session's phrases.
    """

    onset_beat: float
    bars: int
    beats_per_bar: int
    kind: PhraseKind
    theme: int
    variant: int
    section: int
    texture: int
    melody_rests: bool
    tonic: int
    next_tonic: int
    mode: int
    cadence: Cadence
    is_last: bool = False
    spread: float = 0.5

    @property
    def is_answer(self) -> bool:
        """Whether it closes what the phrase before it opened."""
        return self.kind in (PhraseKind.CONSEQUENT, PhraseKind.CONTINUATION, PhraseKind.CODA)

    @property
    def beats(self) -> int:
        """Length in quarter notes."""
        return self.bars * self.beats_per_bar

    @property
    def end_beat(self) -> float:
        """Where the next phrase begins."""
        return self.onset_beat + self.beats


@dataclass(frozen=True)
class Section:
    """Phrases that belong together.

    Args:
        number: from 0.
        letter: of the form, "A", "B", …; sections of one letter share their themes.
        variant: how often the letter has been heard before.
        kind: how it is built.
        phrases: in time order, without gaps.
    """

    number: int
    letter: str
    variant: int
    kind: SectionKind
    phrases: tuple[Phrase, ...]

    @property
    def onset_beat(self) -> float:
        """Of its first bar."""
        return self.phrases[0].onset_beat

    @property
    def end_beat(self) -> float:
        """Where the next section begins."""
        return self.phrases[-1].end_beat


@dataclass(frozen=True, slots=True)
class WrittenNote:
    """One note of a part, before anyone plays it.

    Args:
        onset_beat, beats: in quarter notes.
        key: MIDI key, 60 is middle C.
        accent: metrical weight or touch, 0 to 1; 0.6 is neutral.
    """

    onset_beat: float
    beats: float
    key: int
    accent: float


@dataclass(frozen=True, order=True, slots=True)
class Note:
    """One note as it is played.

    Args:
        onset_s: seconds from the session's start.
        duration_s: from key-down to key-up.
        key: MIDI key, 60 is middle C; of a drum kit, the drum.
        velocity: 0 to 1.
        part: who plays.
        instrument: name in `palettes.INSTRUMENTS`.
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
        sections: in time order; none where the session is too short for a phrase.
        chords: of each phrase in turn, or of the lone chord.
        notes: by onset.
        beat_times_s: moment of each whole beat.
        written: each part as written, by phrase; what a musician checks.
        note_phrases: for each note, the number in `phrases` of the phrase it was written in; none where
            nobody counted.
    """

    duration_s: float
    sections: Sequence[Section]
    chords: Sequence[Sequence[Chord]]
    notes: Sequence[Note]
    beat_times_s: Sequence[float]
    written: Sequence[Mapping[Part, Sequence[WrittenNote]]] = field(default=())
    note_phrases: Sequence[int] = field(default=())

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        """Of all sections, in time order."""
        return tuple(phrase for section in self.sections for phrase in section.phrases)
