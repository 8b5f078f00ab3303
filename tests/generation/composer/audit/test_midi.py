"""The MIDI file: in time with the score, readable by anyone, the same everywhere."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from collections import Counter, defaultdict

import mido
import numpy as np
import pytest

from generation.composer.audit.bars import BeatClock, bars_of
from generation.composer.audit.channels import DRUMS, seat_players
from generation.composer.audit.key_names import full_key_name, sharps_of
from generation.composer.audit.midi import midi_of
from generation.composer.engine import ComposerEngine
from generation.composer.palettes import INSTRUMENTS, PALETTES
from generation.composer.score import Note, Part, Score
from tests.generation.composer.plans import make_plan

ONSET_TOLERANCE_S = 0.002
"""What is asked for; half a tick of the slowest beat is .0008 s."""


def composed(duration_s: float, palette: str = "chamber", seed: int = 1) -> Score:
    return ComposerEngine(palette).compose(make_plan([(-0.6, 0.5), (0.6, -0.4)], duration_s, seed))


@pytest.fixture(scope="module")
def score() -> Score:
    return composed(90.0)


@pytest.fixture(scope="module")
def file(score: Score) -> mido.MidiFile:
    return mido.MidiFile(file=io.BytesIO(midi_of(score, ["isopath", "seed 1"])), charset="utf-8")


def moments(track: mido.MidiTrack, file: mido.MidiFile) -> list[tuple[float, mido.Message]]:
    """A track's messages with their seconds, by the file's own tempo map."""
    alone = mido.MidiFile(type=1, ticks_per_beat=file.ticks_per_beat)
    alone.tracks.append(mido.MidiTrack(m for m in file.tracks[0] if m.type == "set_tempo" or m.is_meta))
    alone.tracks.append(track)
    now_s, found = 0.0, []
    for message in alone:
        now_s += message.time
        found.append((now_s, message))
    return found


def strikes(file: mido.MidiFile) -> list[tuple[float, int, str]]:
    found = []
    for track in file.tracks[1:]:
        for at_s, message in moments(track, file):
            if message.type == "note_on" and message.velocity:
                found.append((at_s, message.note, track.name))
    return sorted(found)


def test_every_note_is_struck_when_the_score_says(score: Score, file: mido.MidiFile) -> None:
    written: dict[tuple[str, int], list[float]] = defaultdict(list)
    for note in score.notes:
        written[f"{note.part}: {note.instrument}", note.key].append(note.onset_s)
    struck: dict[tuple[str, int], list[float]] = defaultdict(list)
    for at_s, key, name in strikes(file):
        struck[name, key].append(at_s)

    assert written.keys() == struck.keys()
    for place, onsets_s in written.items():
        # One key twice at one tick is one strike.
        apart_s = [at for at, before in zip(onsets_s, [-1.0, *onsets_s], strict=False) if at - before > 0.002]
        assert len(struck[place]) >= len(apart_s), place
        for at_s in onsets_s:
            assert min(abs(at_s - heard_s) for heard_s in struck[place]) <= ONSET_TOLERANCE_S, place


def test_the_file_lasts_as_long_as_the_session(score: Score, file: mido.MidiFile) -> None:
    assert file.length == pytest.approx(score.duration_s, abs=0.002)


def test_bars_of_the_score_are_bars_of_the_file() -> None:
    score = next(
        score
        for score in (composed(90.0, seed=seed) for seed in range(1, 40))
        if len({phrase.beats_per_bar for phrase in score.phrases}) > 1
    )
    file = mido.MidiFile(file=io.BytesIO(midi_of(score)))
    metres: list[tuple[int, int]] = []
    ticks = 0
    for message in file.tracks[0]:
        ticks += message.time
        if message.type == "time_signature":
            metres.append((ticks, message.numerator))

    downbeats: list[int] = []
    for (start, beats), (end, _) in zip(metres, [*metres[1:], (ticks, 0)], strict=True):
        assert (end - start) % (beats * file.ticks_per_beat) == 0 or end == ticks
        downbeats += range(start, end, beats * file.ticks_per_beat)

    # The pick-up before the first beat is a bar of its own.
    bars = bars_of(score)
    assert len(metres) > 2
    assert [(tick / file.ticks_per_beat) - 1 for tick in downbeats[1 : len(bars) + 1]] == [
        bar.onset_beat for bar in bars
    ]


def test_each_part_and_instrument_has_a_track_and_the_drums_are_on_channel_10(file: mido.MidiFile) -> None:
    for track in file.tracks[1:]:
        part, instrument = track.name.split(": ")
        channels = {message.channel for message in track if not message.is_meta}
        programs = {message.program for message in track if message.type == "program_change"}

        assert channels == {DRUMS} if part == Part.PERCUSSION else DRUMS not in channels
        preset = INSTRUMENTS[instrument].preset
        assert preset is None or programs == {preset[1]}
    assert len({track.name for track in file.tracks}) == len(file.tracks)


def test_sections_keys_and_cadences_are_marked_where_they_are(score: Score, file: mido.MidiFile) -> None:
    clock = BeatClock(score.beat_times_s)
    markers = [(at_s, m.text) for at_s, m in moments(mido.MidiTrack(), file) if m.type == "marker"]
    sections = [(at_s, text) for at_s, text in markers if not text.endswith(" cadence")]
    cadences = [(at_s, text) for at_s, text in markers if text.endswith(" cadence")]

    assert [text[0] for _, text in sections] == [section.letter for section in score.sections]
    assert [at for at, _ in sections] == pytest.approx(
        [clock.second(section.onset_beat) for section in score.sections], abs=0.001
    )
    assert [text for _, text in cadences] == [f"{phrase.cadence} cadence" for phrase in score.phrases]
    assert [at for at, _ in cadences] == pytest.approx(
        [clock.second(chords[-1].onset_beat) for chords in score.chords], abs=0.001
    )
    first = score.phrases[0]
    assert full_key_name(first.tonic, first.mode) in sections[0][1]


def test_the_lines_about_the_session_stand_in_the_file(file: mido.MidiFile) -> None:
    texts = [message.text for message in file.tracks[0] if message.type == "text"]

    assert texts[:2] == ["isopath", "seed 1"]


def test_a_struck_key_is_let_go_before_it_is_struck_again(file: mido.MidiFile) -> None:
    for track in file.tracks[1:]:
        down: Counter[int] = Counter()
        for message in track:
            if message.type == "note_on":
                down[message.note] += 1
                assert down[message.note] == 1, track.name
            if message.type == "note_off":
                down[message.note] -= 1
                assert down[message.note] == 0, track.name
        assert not any(down.values())


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("duration_s", [1.0, 4.0, 20.0])
def test_the_shortest_session_of_any_palette_is_a_whole_file(palette: str, duration_s: float) -> None:
    score = composed(duration_s, palette)

    file = mido.MidiFile(file=io.BytesIO(midi_of(score)))

    assert file.length == pytest.approx(duration_s, abs=0.002)
    assert len(strikes(file)) > 0


def test_every_instrument_of_every_palette_has_a_program() -> None:
    for name in INSTRUMENTS:
        (chair,) = seat_players([Note(0.0, 1.0, 60, 0.5, Part.MELODY, name)])

        assert 0 <= chair.program <= 127


def test_more_players_than_channels_share_and_keep_their_own_sound() -> None:
    names = [name for name, instrument in INSTRUMENTS.items() if (instrument.preset or (0, 0))[0] == 0]
    players = [(part, name) for part in (Part.MELODY, Part.FIGURE) for name in names][:20]
    notes = [
        Note(0.5 + index, 0.4, 72, 0.5, *player)
        for index, player in enumerate(player for player in players for _ in range(2))
    ]
    score = Score(50.0, (), composed(1.0).chords, tuple(notes), tuple(0.5 * beat for beat in range(90)))

    file = mido.MidiFile(file=io.BytesIO(midi_of(score)))

    programs: dict[int, int] = {}
    heard = []
    for message in file:
        if message.type == "program_change":
            programs[message.channel] = message.program
        if message.type == "note_on" and message.velocity:
            heard.append(programs[message.channel])
    assert len(players) == 20
    assert heard == [(INSTRUMENTS[note.instrument].preset or (0, 0))[1] for note in notes]


@pytest.mark.parametrize(
    ("tonic", "mode", "sharps", "name"),
    [
        (0, 4, 0, "C Ionian"),
        (2, 2, 0, "D Dorian"),
        (2, 4, 2, "D Ionian"),
        (10, 3, -3, "Bb Mixolydian"),
        (4, 0, 0, "E Phrygian"),
        (3, 1, -6, "Eb Aeolian"),
        (8, 1, 5, "G# Aeolian"),
    ],
)
def test_a_mode_has_the_signature_of_its_own_scale(tonic: int, mode: int, sharps: int, name: str) -> None:
    assert sharps_of(tonic, mode) == sharps
    assert full_key_name(tonic, mode) == name


def test_the_same_seed_gives_the_same_bytes_on_a_cpu_without_its_wide_instructions(score: Score) -> None:
    told = np.show_config(mode="dicts")
    features = [*told["SIMD Extensions"].get("found", [])]
    program = (
        "import hashlib\n"
        "from tests.generation.composer.audit.test_midi import composed\n"
        "from generation.composer.audit.midi import midi_of\n"
        "print(hashlib.sha256(midi_of(composed(90.0))).hexdigest())\n"
    )
    plain = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(features)}

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], env=plain, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == hashlib.sha256(midi_of(score)).hexdigest()
