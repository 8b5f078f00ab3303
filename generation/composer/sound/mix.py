"""From notes to a stereo signal, block by block, as soon as a section is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import groupby
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ
from generation.composer.cues import CueCurves
from generation.composer.palettes import INSTRUMENTS
from generation.composer.score import Note, Part, Phrase, Score
from generation.composer.sound.balance import LevelPlan, note_level
from generation.composer.sound.buses import Bus, Place, place_of
from generation.composer.sound.desk import Desk
from generation.composer.sound.sampler import Sampler
from generation.composer.sound.tint import Tints, tint_of

Stereo = NDArray[np.float32]
Mono = NDArray[np.float32]

BLOCK = 1 << 16
#: Notes of a section may begin this long before the section before it has had its last onset.
_PICKUP_S = 4.0


class PlayedPhrase(Protocol):
    """One phrase as it sounds."""

    @property
    def phrase(self) -> Phrase:
        """Its place in the session."""

    @property
    def notes(self) -> Sequence[Note]:
        """As they sound."""


Music = Score | Iterable[PlayedPhrase]


def render_blocks(
    music: Music,
    curves: CueCurves,
    sampler: Sampler,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
    parts: Collection[Part] | None = None,
    compression: float = 0.0,
    threads: int = 1,
) -> Iterator[Stereo]:
    """The music's sound, block by block; the first as soon as its first section is written.

    Level follows the cues, close to -23 LUFS over the session; no sample is limited. The same
    samples whether the music is written already or as it plays, and with any number of threads.

    Args:
        music: a score, or phrases in time order.
        parts: those to be heard, a stem; None for all. Stems sum to the whole while `compression` is 0.
        compression: of the whole, 0 for none, to 1.
        threads: how many play at once.

    Yields:
        float32, shape [n, 2], n at most `BLOCK`; together round(duration_s × sample_rate_hz) samples.

    Raises:
        AudioError: an instrument lacks a sound the music asks for.
    """
    n_samples = round(curves.duration_s * sample_rate_hz)
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(threads)) if threads > 1 else None
        band = _Band(curves, sampler, sample_rate_hz, parts, pool)
        desk = Desk(curves, sample_rate_hz, n_samples, compression)
        start = 0
        for section in _sections(music):
            band.give(section)
            while start + BLOCK <= min(band.known_until, n_samples):
                yield desk.mix(band.play(start), start, BLOCK, band.tints(start))
                start += BLOCK
        while start < n_samples:
            yield desk.mix(band.play(start), start, BLOCK, band.tints(start))[: n_samples - start]
            start += BLOCK


def render_score(
    score: Score,
    curves: CueCurves,
    sampler: Sampler,
    progress: Callable[[float], None],
    sample_rate_hz: int = SAMPLE_RATE_HZ,
) -> Stereo:
    """The score's sound in one piece, see `render_blocks`.

    Args:
        progress: called with the share that is done.

    Returns:
        float32, shape [n_samples, 2], n_samples = round(duration_s × sample_rate_hz).

    Raises:
        AudioError: an instrument lacks a sound the score asks for.
    """
    out = np.empty((round(score.duration_s * sample_rate_hz), 2), dtype=np.float32)
    done = 0
    for block in render_blocks(score, curves, sampler, sample_rate_hz):
        out[done : done + len(block)] = block
        done += len(block)
        progress(done / len(out))
    return out


class _Band:
    """The players: each section's notes on their buses."""

    def __init__(
        self,
        curves: CueCurves,
        sampler: Sampler,
        sample_rate_hz: int,
        parts: Collection[Part] | None,
        pool: Executor | None,
    ) -> None:
        self._curves = curves
        self._levels = LevelPlan(curves)
        self._tints = Tints()
        self._sampler = sampler
        self._sample_rate_hz = sample_rate_hz
        self._parts = parts
        self._pool = pool
        self._buses: dict[Place, Bus] = {}
        self._block = np.empty(BLOCK, dtype=np.float32)
        self._played = 0
        self.known_until = 0

    def give(self, notes: Sequence[Note]) -> None:
        """The next section's notes."""
        if not notes:
            return
        rate = self._sample_rate_hz
        notes = sorted(notes)
        wanted = [(INSTRUMENTS[note.instrument], note.key, note.duration_s) for note in notes]
        self._sampler.prepare(wanted, rate, self._pool)
        strikes = [
            self._sampler.strike(instrument, key, duration_s, note.velocity, rate)
            for (instrument, key, duration_s), note in zip(wanted, notes, strict=True)
        ]
        tint = tint_of(notes, strikes, self._curves)
        self._tints.add(notes[0].onset_s, tint)
        gains = self._levels.gains(notes, strikes, tint)
        for note, strike, gain in zip(notes, strikes, gains.tolist(), strict=True):
            if self._parts is not None and note.part not in self._parts:
                continue
            bus = self._buses.setdefault(place_of(note), Bus())
            # What is played is past: no note can begin there any more.
            onset = max(round(note.onset_s * rate), self._played)
            bus.place(onset, gain * note_level(note), strike)
        self.known_until = max(self.known_until, round((notes[-1].onset_s - _PICKUP_S) * rate))

    def tints(self, start: int) -> tuple[float, float]:
        """Factors on the brightness shelf at both edges of the block at `start`."""
        rate = self._sample_rate_hz
        return self._tints.at(start / rate), self._tints.at((start + BLOCK) / rate)

    def play(self, start: int) -> Iterator[tuple[Place, Mono]]:
        """Every place that sounds in the block at `start`, in order, with its block of mono."""
        self._played = start + BLOCK
        if self._pool is None:
            # One array for all: it is still in the processor's cache when the desk reads it.
            for place in sorted(self._buses):
                if self._buses[place].sound(start, self._block):
                    yield place, self._block
            return
        places = sorted(self._buses)
        blocks = [np.empty(BLOCK, dtype=np.float32) for _ in places]

        def sound(number: int) -> bool:
            return self._buses[places[number]].sound(start, blocks[number])

        for number, sounds in enumerate(self._pool.map(sound, range(len(places)))):
            if sounds:
                yield places[number], blocks[number]


def _sections(music: Music) -> Iterator[Sequence[Note]]:
    if not isinstance(music, Score):
        for _, phrases in groupby(music, key=lambda played: played.phrase.section):
            yield [note for played in phrases for note in played.notes]
        return
    phrase_sections = [phrase.section for phrase in music.phrases]
    if not phrase_sections or len(music.note_phrases) != len(music.notes):
        yield music.notes
        return
    by_section: dict[int, list[Note]] = {}
    for note, phrase in zip(music.notes, music.note_phrases, strict=True):
        by_section.setdefault(phrase_sections[phrase], []).append(note)
    for section in sorted(by_section):
        yield by_section[section]
