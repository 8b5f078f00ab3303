"""Compose one session: form, harmony, parts, performance, in that order."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from generation.composer.accompaniment import HeldNote, voice_chords, write_bass, write_figure, write_pad
from generation.composer.cues import CueCurves
from generation.composer.form import plan_form
from generation.composer.harmony import final_chord, harmonise, mode_count
from generation.composer.melody import MelodyNote, Motif, make_motifs, write_melody
from generation.composer.palette import INSTRUMENTS, Palette
from generation.composer.percussion import write_percussion
from generation.composer.performance import Performance
from generation.composer.pulse import Pulse
from generation.composer.score import Cadence, Chord, Note, Part, Phrase, Score

_FIRST_S = 0.15
_RING_S = 7.5
_RING_SHARE = 0.45
#: The final chord is let go this long before the end, or this share of its ring.
_LET_GO_S = 1.6


def compose(curves: CueCurves, seed: int, palette: Palette) -> Score:
    """The score of one session; the same arguments give the same notes.

    Args:
        curves: the cues along the path.
        seed: of everything the cues leave open.
    """
    duration_s = curves.duration_s
    ring_s = min(_RING_S, _RING_SHARE * duration_s)
    pulse = Pulse(curves, min(_FIRST_S, 0.03 * duration_s), duration_s - ring_s)
    phrases = plan_form(curves, pulse, _rng(seed, "form"))
    studio = _Studio(curves, pulse, seed, palette)
    for index, phrase in enumerate(phrases):
        studio.add_phrase(index, phrase)
    if not phrases:
        studio.add_lone_chord()
    last = max((chord.end_beat for chords in studio.chords for chord in chords), default=0.0)
    return Score(
        duration_s=duration_s,
        phrases=tuple(phrases),
        chords=tuple(studio.chords),
        notes=tuple(sorted(studio.notes)),
        beat_times_s=tuple(pulse.seconds(np.arange(int(last) + 1.0)).tolist()),
    )


@dataclass(frozen=True)
class _Players:
    melody: str
    figure: str
    counter: str | None


class _Studio:
    """The parts as they grow, phrase by phrase."""

    def __init__(self, curves: CueCurves, pulse: Pulse, seed: int, palette: Palette) -> None:
        self.notes: list[Note] = []
        self.chords: list[list[Chord]] = []
        self._curves, self._pulse, self._seed, self._palette = curves, pulse, seed, palette
        self._performance = Performance(curves, pulse)
        self._voicing: tuple[int, ...] = ()
        self._melody_key: int | None = None
        self._final_s = curves.duration_s - pulse.final_s

    def add_phrase(self, index: int, phrase: Phrase) -> None:
        rng = _rng(self._seed, "phrase", index)
        middle_s = self._pulse.second(phrase.onset_beat + phrase.beats / 2)
        dissonance = self._curves.one("dissonance", middle_s)
        chords = harmonise(
            phrase, self._curves.one("harmonic_rate", middle_s), dissonance, self._ring_beats(phrase), rng
        )
        self.chords.append(chords)
        body = [chord for chord in chords if chord.onset_beat < phrase.end_beat - 1e-6]
        voicings = voice_chords(chords, self._pad_centre(middle_s), self._voicing)
        self._voicing = voicings[len(body) - 1]
        players = self._players(phrase)
        density = self._density

        self._play(Part.BASS, self._palette.bass, write_bass(phrase, body, density, rng), phrase, rng)
        figure_rng = _rng(self._seed, "figure", phrase.texture % 99_991)
        figure = write_figure(phrase, body, voicings[: len(body)], density, figure_rng)
        self._play(Part.FIGURE, players.figure, figure, phrase, rng, 1.12 if phrase.melody_rests else 1.0)
        suspended = 0.08 + 0.6 * dissonance
        pad = write_pad(body, voicings[: len(body)], suspended, _rng(self._seed, "suspensions", index))
        self._play_pad(pad, phrase, rng, middle_s)
        if players.counter is not None:
            upper = [(max(voicing),) for voicing in voicings[: len(body)]]
            self._play(Part.COUNTER, players.counter, write_pad(body, upper), phrase, rng)
        if not phrase.melody_rests:
            self._play_melody(phrase, chords, dissonance, players, rng)
        self._play(
            Part.PERCUSSION,
            self._palette.percussion,
            write_percussion(phrase, self._cue("percussion"), self._cue("groove"), rng),
            phrase,
            rng,
        )
        if phrase.is_last:
            self._add_ending(phrase, chords[-1], voicings[-1])

    def add_lone_chord(self) -> None:
        """A session too short for a phrase is one chord."""
        rng = _rng(self._seed, "chord")
        mode = min(max(round(self._curves.one("mode", 0.0)), 0), mode_count() - 1)
        tonic = int(rng.integers(12))
        chord = final_chord(tonic, mode, 1.0)
        self.chords.append([chord])
        self._final_s = self._curves.duration_s - self._pulse.first_s
        phrase = Phrase(0.0, 0, 4, 0, 0, 0, True, False, tonic, tonic, mode, Cadence.AUTHENTIC, is_last=True)
        self._add_ending(phrase, chord, voice_chords([chord], 62.0, ())[0])

    def _add_ending(self, phrase: Phrase, chord: Chord, voicing: tuple[int, ...]) -> None:
        """The last chord, rolled upwards and left to ring."""
        ring_s = self._final_s - min(_LET_GO_S, 0.3 * self._final_s)
        onset_s = self._pulse.second(chord.onset_beat)
        per_beat_s = max(self._pulse.second(chord.onset_beat + 1.0) - onset_s, 1e-3)
        beats = ring_s / per_beat_s if phrase.beats else ring_s
        held = [HeldNote(chord.onset_beat, beats, key, 0.55) for key in voicing]
        bass = voicing[0] - 12
        while bass % 12 != chord.pitch_classes[0]:
            bass -= 1
        rolled = [bass, *voicing, voicing[0] + 12, voicing[1] + 12]
        gap_s = min(0.24, 0.05 * self._final_s)
        players = self._players(phrase)
        touch = self._curves.one("velocity", onset_s) * 0.8
        for k, key in enumerate(rolled):
            self._lone(Part.FIGURE, players.figure, key, onset_s + k * gap_s, ring_s - k * gap_s, touch)
        for name, weight in self._pad_weights(onset_s):
            for note in held:
                self._lone(Part.PAD, name, note.key, onset_s, ring_s, touch * weight)
        self._lone(Part.BASS, self._palette.bass, bass, onset_s, ring_s, touch)
        if not phrase.beats:
            self._lone(Part.MELODY, players.melody, voicing[-1] + 12, onset_s, ring_s, touch * 0.8)

    def _lone(
        self, part: Part, instrument: str, key: int, onset_s: float, duration_s: float, velocity: float
    ) -> None:
        chosen = INSTRUMENTS[instrument]
        while key < chosen.low:
            key += 12
        while key > chosen.high:
            key -= 12
        self.notes.append(Note(onset_s, max(duration_s, 0.05), key, velocity, part, instrument))

    def _play_melody(
        self,
        phrase: Phrase,
        chords: Sequence[Chord],
        dissonance: float,
        players: _Players,
        rng: np.random.Generator,
    ) -> None:
        melody = write_melody(
            phrase,
            chords,
            self._motifs(phrase),
            self._density,
            self._cue("melody_key"),
            dissonance,
            self._melody_key,
            rng,
        )
        self._melody_key = melody[-1].key
        if phrase.is_last:
            # The last note rings with the chord.
            last = melody[-1]
            onset_s = self._pulse.second(last.onset_beat)
            ring_s = self._final_s - min(_LET_GO_S, 0.3 * self._final_s)
            touch = self._curves.one("velocity", onset_s) * 0.85
            self._lone(Part.MELODY, players.melody, last.key, onset_s, ring_s, touch)
            melody = melody[:-1]
        self._play(Part.MELODY, players.melody, melody, phrase, rng)

    def _motifs(self, phrase: Phrase) -> tuple[Motif, Motif]:
        return make_motifs(_rng(self._seed, "theme", phrase.theme), phrase.beats_per_bar)

    def _play_pad(
        self, held: Sequence[HeldNote], phrase: Phrase, rng: np.random.Generator, middle_s: float
    ) -> None:
        for name, weight in self._pad_weights(middle_s):
            self._play(Part.PAD, name, held, phrase, rng, weight)

    def _pad_weights(self, time_s: float) -> list[tuple[str, float]]:
        sustain = self._curves.one("sustain", time_s)
        first, second = self._palette.pad
        return [(first, 0.65 + 0.35 * sustain), (second, 0.35 + 0.55 * sustain)]

    def _play(
        self,
        part: Part,
        instrument: str,
        written: Sequence[HeldNote | MelodyNote],
        phrase: Phrase,
        rng: np.random.Generator,
        weight: float = 1.0,
    ) -> None:
        self.notes += self._performance.play(part, instrument, written, phrase, rng, weight)

    def _players(self, phrase: Phrase) -> _Players:
        # One choice a section: instruments enter and leave at its seams, not within.
        rng = _rng(self._seed, "players", phrase.section)
        centre = self._curves.one("melody_key", self._pulse.second(phrase.onset_beat))
        able = [
            name
            for name in self._palette.melody
            if INSTRUMENTS[name].low <= centre - 10 and centre + 10 <= INSTRUMENTS[name].high
        ]
        melody = str(rng.choice(able or list(self._palette.melody)))
        figures = [name for name in self._palette.figure if name != melody] or list(self._palette.figure)
        figure = str(rng.choice(figures))
        counters = [name for name in self._palette.counter if name != melody]
        counter = str(rng.choice(counters)) if rng.random() < 0.4 and phrase.section > 0 else None
        return _Players(melody, figure, counter)

    def _pad_centre(self, time_s: float) -> float:
        return 59.0 + 0.45 * (self._curves.one("melody_key", time_s) - 70.5)

    def _ring_beats(self, phrase: Phrase) -> float:
        return float(phrase.beats_per_bar) if phrase.is_last else 0.0

    def _density(self, beat: float) -> float:
        return self._curves.one("density", self._pulse.second(beat))

    def _cue(self, name: str) -> Callable[[float], float]:
        return lambda beat: self._curves.one(name, self._pulse.second(beat))


def _rng(seed: int, *labels: str | int) -> np.random.Generator:
    # Each concern draws from a stream of its own: a change in one leaves the others as they were.
    return np.random.default_rng([seed, zlib.crc32("/".join(map(str, labels)).encode())])
