"""A session as a standard MIDI file that any General MIDI player keeps time with."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import mido

from generation.composer.audit.bars import Bar, bars_of, key_changes, metre_changes, section_starts
from generation.composer.audit.channels import Chair, Player, seat_players
from generation.composer.audit.key_names import full_key_name, is_minor, section_name, sharps_of
from generation.composer.audit.tempo_map import TICKS_A_BEAT, TempoMap
from generation.composer.score import Note, Score

#: Order of what happens at one tick: keys are let go before others are struck.
_SETTING, _RELEASE, _PROGRAM, _STRIKE = range(4)
#: From seven flats to seven sharps.
_MAJOR_SIGNATURES = ["Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"]
_MINOR_SIGNATURES = [
    *("Abm", "Ebm", "Bbm", "Fm", "Cm", "Gm", "Dm", "Am", "Em", "Bm", "F#m", "C#m", "G#m", "D#m", "A#m")
]

_Event = tuple[int, int, int, mido.messages.BaseMessage]


def midi_of(score: Score, about: Sequence[str] = ()) -> bytes:
    """A type-1 file: a conductor's track, then a track for each part and instrument.

    The conductor's track holds the tempo of every beat, metres, key signatures (those of the mode's own
    scale), a marker at each section and cadence and the chords as text. Onsets are within half a tick
    (under 1 ms) of the score's. A key that is struck again while it sounds is let go first; of one that is
    struck twice at one tick the longer note stands. What the sound has beyond the notes (level, brightness,
    the room) is not in the file.

    Args:
        about: lines for those who find the file: version, seed, palette, path.

    Returns:
        The bytes; the same score and lines give the same.
    """
    tempo = TempoMap(score.beat_times_s)
    end = tempo.tick_at(score.duration_s)
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_A_BEAT, charset="utf-8")
    file.tracks.append(_track(_conducted(score, tempo, about), end))
    chairs = seat_players(score.notes)
    parts: dict[Player, list[Note]] = {chair.player: [] for chair in chairs}
    for note in score.notes:
        parts[note.part, note.instrument].append(note)
    sharing = {
        chair.channel for chair in chairs if sum(other.channel == chair.channel for other in chairs) > 1
    }
    for chair in chairs:
        events = _played(chair, parts[chair.player], tempo, chair.channel in sharing)
        file.tracks.append(_track(events, end))
    written = io.BytesIO()
    file.save(file=written)
    return written.getvalue()


def _conducted(score: Score, tempo: TempoMap, about: Sequence[str]) -> Iterator[_Event]:
    yield 0, _SETTING, 0, mido.MetaMessage("track_name", name="isopath")
    for line in about:
        yield 0, _SETTING, 1, mido.MetaMessage("text", text=line)
    for tick, us in tempo.tempos:
        # Beats are listed to the end of the last bar, which the session may not reach.
        if tick < tempo.tick_at(score.duration_s):
            yield tick, _SETTING, 2, mido.MetaMessage("set_tempo", tempo=us)
    if tempo.lead_beats:
        yield 0, _SETTING, 3, _metre(1)
    bars = bars_of(score)
    for bar, beats in metre_changes(bars):
        yield tempo.tick_of_beat(bar.onset_beat), _SETTING, 3, _metre(beats)
    for bar, tonic, mode in key_changes(bars):
        yield tempo.tick_of_beat(bar.onset_beat), _SETTING, 4, _signature(tonic, mode)
    for bar, section in section_starts(bars):
        first = section.phrases[0]
        told = f"{section_name(section)} {section.kind}, {full_key_name(first.tonic, first.mode)}"
        marker = mido.MetaMessage("marker", text=told)
        yield tempo.tick_of_beat(bar.onset_beat), _SETTING, 5, marker
    yield from _cadences(bars, tempo)
    for chord in (chord for phrase in score.chords for chord in phrase):
        if chord.roman:
            yield (
                tempo.tick_of_beat(chord.onset_beat),
                _SETTING,
                7,
                mido.MetaMessage("text", text=chord.roman),
            )


def _cadences(bars: Sequence[Bar], tempo: TempoMap) -> Iterator[_Event]:
    for bar in bars:
        if bar.cadence is not None:
            at = tempo.tick_of_beat(bar.chords[-1].onset_beat)
            yield at, _SETTING, 6, mido.MetaMessage("marker", text=f"{bar.cadence} cadence")


def _metre(beats: int) -> mido.MetaMessage:
    return mido.MetaMessage("time_signature", numerator=beats, denominator=4)


def _signature(tonic: int, mode: int) -> mido.MetaMessage:
    names = _MINOR_SIGNATURES if is_minor(mode) else _MAJOR_SIGNATURES
    return mido.MetaMessage("key_signature", key=names[sharps_of(tonic, mode) + 7])


def _played(chair: Chair, notes: Sequence[Note], tempo: TempoMap, is_shared: bool) -> Iterator[_Event]:
    channel = chair.channel
    part, instrument = chair.player
    yield 0, _SETTING, 0, mido.MetaMessage("track_name", name=f"{part}: {instrument}")
    for controller, value in ((7, chair.volume), (10, chair.pan), (91, chair.reverb)):
        yield 0, _SETTING, 1, mido.Message("control_change", channel=channel, control=controller, value=value)
    yield 0, _SETTING, 2, _program(chair)
    struck_next: dict[int, int] = {}
    struck = [
        (tempo.tick_at(note.onset_s), note.key, _let_go(note, tempo), _velocity(note)) for note in notes
    ]
    for on, key, off, velocity in sorted(struck, reverse=True):
        # From the last note to the first: a key is let go where it is struck next.
        next_on = struck_next.get(key)
        if next_on == on:
            continue
        struck_next[key] = on
        if is_shared:
            yield on, _PROGRAM, key, _program(chair)
        yield on, _STRIKE, key, mido.Message("note_on", channel=channel, note=key, velocity=velocity)
        let_go = off if next_on is None else min(off, next_on)
        yield let_go, _RELEASE, key, mido.Message("note_off", channel=channel, note=key)


def _program(chair: Chair) -> mido.Message:
    return mido.Message("program_change", channel=chair.channel, program=chair.program)


def _let_go(note: Note, tempo: TempoMap) -> int:
    return max(tempo.tick_at(note.onset_s + note.duration_s), tempo.tick_at(note.onset_s) + 1)


def _velocity(note: Note) -> int:
    # A key struck with 0 would be a key let go.
    return min(max(round(127 * note.velocity), 1), 127)


def _track(events: Iterator[_Event], end: int) -> mido.MidiTrack:
    track = mido.MidiTrack()
    now = 0
    for tick, _, _, message in sorted(events, key=lambda event: event[:3]):
        message.time = tick - now
        track.append(message)
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=max(end - now, 0)))
    return track
