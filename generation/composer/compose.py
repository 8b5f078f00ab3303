"""Compose one session, phrase by phrase: form, harmony, parts, performance, in that order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from generation.composer.cues import CueCurves
from generation.composer.palettes import INSTRUMENTS, Palette
from generation.composer.playing.performance import Performance
from generation.composer.pulse import Pulse
from generation.composer.score import (
    Cadence,
    Chord,
    Note,
    Part,
    Phrase,
    PhraseKind,
    Score,
    Section,
    SectionKind,
    WrittenNote,
)
from generation.composer.streams import stream
from generation.composer.writing.accompaniment import accompany
from generation.composer.writing.counter import write_counter
from generation.composer.writing.counterpoint import top_voice, voice_of
from generation.composer.writing.ending import write_ending
from generation.composer.writing.figures import FigureStyle
from generation.composer.writing.form import plan_form
from generation.composer.writing.harmony import final_chord, harmonise
from generation.composer.writing.melody import write_melody
from generation.composer.writing.memory import Memory
from generation.composer.writing.modes import mode_at
from generation.composer.writing.motifs import make_motifs
from generation.composer.writing.orchestration import orchestrate
from generation.composer.writing.percussion import write_percussion
from generation.composer.writing.seats import Seat
from generation.composer.writing.voicing import Led, voice_chords

_FIRST_S = 0.15
_RING_S = 7.5
_RING_SHARE = 0.45
#: The final chord is let go this long before the end, or this share of its ring.
_LET_GO_S = 1.6
#: Parts that are lines of single notes.
_SUNG = (Part.MELODY, Part.COUNTER)

Written = Mapping[Part, Sequence[WrittenNote]]


@dataclass(frozen=True)
class PhraseMusic:
    """One phrase, written and played.

    Args:
        phrase: its place and kind.
        chords: without gaps; the last phrase's with the final chord.
        written: its notes by part, in beats.
        notes: as they sound, by onset.
    """

    phrase: Phrase
    chords: Sequence[Chord]
    written: Written
    notes: Sequence[Note]


class Composition:
    """One session's music, planned whole and written phrase by phrase.

    Args:
        curves: the cues along the path.
        seed: of everything the cues leave open.
        palette: who may play.
    """

    def __init__(self, curves: CueCurves, seed: int, palette: Palette) -> None:
        duration_s = curves.duration_s
        ring_s = min(_RING_S, _RING_SHARE * duration_s)
        self.curves, self.seed = curves, seed
        self.pulse = Pulse(curves, min(_FIRST_S, 0.03 * duration_s), duration_s - ring_s)
        self.sections: Sequence[Section] = plan_form(curves, self.pulse, stream(seed, "form"))
        self.pulse.breathe(phrase for section in self.sections for phrase in section.phrases)
        self._lone = not self.sections
        planned = self.sections or [self._lone_section()]
        self.seats = orchestrate(planned, curves, self.pulse, palette, seed)
        self._phrases = [phrase for section in planned for phrase in section.phrases]
        self._seams = {section.onset_beat for section in planned[1:]}
        self._performance = Performance(curves, self.pulse)
        self._final_s = duration_s - (self.pulse.first_s if self._lone else self.pulse.final_s)

    def phrases(self) -> Iterator[PhraseMusic]:
        """The phrases in time order; the same notes at every call."""
        if self._lone:
            yield self._lone_chord()
            return
        led: Led | None = None
        memory = Memory()
        for index, (phrase, seats) in enumerate(zip(self._phrases, self.seats, strict=True)):
            chords, written, led = self._write(index, phrase, seats, led, memory)
            yield PhraseMusic(phrase, chords, written, self._play(index, phrase, written, seats, chords))

    def _write(
        self,
        index: int,
        phrase: Phrase,
        seats: Sequence[Seat],
        led: Led | None,
        memory: Memory,
    ) -> tuple[Sequence[Chord], Written, Led]:
        rng = stream(self.seed, "phrase", index)
        middle_s = self.pulse.second(phrase.onset_beat + phrase.beats / 2)
        dissonance = self.curves.one("dissonance", middle_s)
        ring_beats = float(phrase.beats_per_bar) if phrase.is_last else 0.0
        planned = harmonise(
            phrase,
            self._cue("mode"),
            self._cue("harmonic_rate"),
            self._cue("dissonance"),
            ring_beats,
            stream(self.seed, "harmony", phrase.theme),
            stream(self.seed, "chords", index),
        )
        carried = accompany(phrase, planned, _style(seats), self._cue, led, self.seed, index)
        chords = carried.chords
        density = self._cue("density")
        written: dict[Part, Sequence[WrittenNote]] = {
            Part.BASS: carried.bass,
            Part.FIGURE: carried.figure,
            Part.PAD: carried.pad,
            Part.PERCUSSION: write_percussion(
                phrase,
                self._cue("percussion"),
                self._cue("groove"),
                stream(self.seed, "percussion", index),
                closes_section=phrase.end_beat in self._seams,
                opens_section=phrase.onset_beat in self._seams,
            ),
        }
        parts = {seat.part for seat in seats}
        theme = make_motifs(stream(self.seed, "theme", phrase.theme), phrase.beats_per_bar)
        others = (voice_of(written[Part.BASS]), top_voice(written[Part.PAD]))
        centre = self._cue("melody_key")
        if Part.MELODY in parts:
            written[Part.MELODY] = write_melody(
                phrase,
                chords,
                theme,
                density,
                centre,
                dissonance,
                memory.last_key(Part.MELODY),
                rng,
                others,
                _compass(Part.MELODY, seats),
                memory.heard(phrase),
            )
        if Part.COUNTER in parts:
            written[Part.COUNTER] = write_counter(
                phrase,
                chords,
                theme,
                written.get(Part.MELODY, ()),
                density,
                centre,
                dissonance,
                memory.last_key(Part.COUNTER),
                stream(self.seed, "counter", index),
                others,
                _compass(Part.COUNTER, seats),
            )
        memory.keep(phrase, chords, written)
        if phrase.is_last:
            written = self._with_ending(written, chords[-1], carried.voicings[-1])
        return chords, written, carried.led

    def _with_ending(
        self, written: Mapping[Part, Sequence[WrittenNote]], chord: Chord, voicing: tuple[int, ...]
    ) -> dict[Part, Sequence[WrittenNote]]:
        ring_beats = self._ring_beats(chord.onset_beat)
        whole = dict(written)
        for part, notes in write_ending(chord, voicing, ring_beats).items():
            whole[part] = [*whole.get(part, ()), *notes]
        for part in _SUNG:
            if line := whole.get(part):
                # The last note rings with the chord.
                whole[part] = [*line[:-1], replace(line[-1], beats=ring_beats, accent=0.5)]
        return whole

    def _play(
        self, index: int, phrase: Phrase, written: Written, seats: Sequence[Seat], chords: Sequence[Chord]
    ) -> list[Note]:
        notes: list[Note] = []
        for number, seat in enumerate(seats):
            rng = stream(self.seed, "touch", index, number)
            notes += self._performance.play(
                seat, seat.picked(written.get(seat.part, ())), phrase, rng, chords
            )
        return sorted(notes)

    def _lone_section(self) -> Section:
        """A session too short for a phrase is one chord."""
        rng = stream(self.seed, "chord")
        mode = mode_at(self.curves.one("mode", 0.0), 0.5)
        tonic = int(rng.integers(12))
        phrase = Phrase(
            onset_beat=0.0,
            bars=0,
            beats_per_bar=4,
            kind=PhraseKind.CODA,
            theme=0,
            variant=0,
            section=0,
            texture=0,
            melody_rests=False,
            tonic=tonic,
            next_tonic=tonic,
            mode=mode,
            cadence=Cadence.AUTHENTIC,
            is_last=True,
        )
        return Section(0, "A", 0, SectionKind.CODA, (phrase,))

    def _lone_chord(self) -> PhraseMusic:
        phrase, seats = self._phrases[0], self.seats[0]
        chord = final_chord(phrase.tonic, phrase.mode, 1.0)
        voicing = voice_chords([chord], 62.0)[0]
        melody = [WrittenNote(0.0, self._ring_beats(0.0), voicing[-1] + 12, 0.5)]
        written = self._with_ending({Part.MELODY: melody}, chord, voicing)
        return PhraseMusic(phrase, [chord], written, self._play(0, phrase, written, seats, [chord]))

    def _ring_beats(self, beat: float) -> float:
        """Beats from the final chord until its keys are let go."""
        onset_s = self.pulse.second(beat)
        per_beat_s = max(self.pulse.second(beat + 1.0) - onset_s, 1e-3)
        return (self._final_s - min(_LET_GO_S, 0.3 * self._final_s)) / per_beat_s

    def _cue(self, name: str) -> Callable[[float], float]:
        return lambda beat: self.curves.one(name, self.pulse.second(beat))


def compose(curves: CueCurves, seed: int, palette: Palette) -> Score:
    """The score of one session; the same arguments give the same notes."""
    composition = Composition(curves, seed, palette)
    music = list(composition.phrases())
    played = sorted((note, number) for number, phrase in enumerate(music) for note in phrase.notes)
    last = max((chord.end_beat for phrase in music for chord in phrase.chords), default=0.0)
    return Score(
        duration_s=curves.duration_s,
        sections=tuple(composition.sections),
        chords=tuple(phrase.chords for phrase in music),
        notes=tuple(note for note, _ in played),
        beat_times_s=tuple(composition.pulse.seconds(np.arange(int(last) + 1.0)).tolist()),
        written=tuple(phrase.written for phrase in music),
        note_phrases=tuple(number for _, number in played),
    )


def _compass(part: Part, seats: Sequence[Seat]) -> tuple[int, int]:
    """Lowest and highest key that the first player of a part can play as written."""
    of_part = [seat for seat in seats if seat.part == part]
    seat = min(of_part, key=lambda seat: (seat.is_doubling, abs(seat.octaves)))
    instrument = INSTRUMENTS[seat.instrument]
    return instrument.low - 12 * seat.octaves, instrument.high - 12 * seat.octaves


def _style(seats: Sequence[Seat]) -> FigureStyle:
    """How the figure of these seats is broken."""
    return next((seat.style for seat in seats if seat.style is not None), FigureStyle.BROKEN)
