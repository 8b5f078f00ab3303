"""Who plays: an arc over the session, prepared entries, faded exits, and no weight that steps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from generation.composer.compose import Composition
from generation.composer.palettes import INSTRUMENTS, PALETTES
from generation.composer.playing.articulation import change_moments
from generation.composer.score import Part
from generation.composer.writing.figures import FigureStyle
from generation.composer.writing.orchestration import fullness
from generation.composer.writing.seats import Player, Seat, seats_of
from tests.generation.composer.writing.composed import JOURNEY, composition, music
from tests.generation.composer.writing.test_figures import _phrase

Line = list[Seat | None]


@pytest.fixture(scope="module", params=sorted(PALETTES))
def session(request: pytest.FixtureRequest) -> Composition:
    return composition(JOURNEY, 900.0, 7, request.param)


def _lines(one: Composition) -> Iterator[Line]:
    """Each player's seat, phrase by phrase."""
    players = {_player(seat) for seats in one.seats for seat in seats}
    for player in sorted(players, key=str):
        yield [next((seat for seat in seats if _player(seat) == player), None) for seats in one.seats]


def _player(seat: Seat) -> tuple[Part, str, int, float]:
    return seat.part, seat.instrument, seat.octaves, seat.least_accent


def test_no_weight_steps_from_phrase_to_phrase(session: Composition) -> None:
    joints = [
        (now.weight_out, coming.weight_in)
        for line in _lines(session)
        for now, coming in itertools.pairwise(line)
        if now is not None and coming is not None
    ]

    assert len(joints) > 100
    for out, back in joints:
        # One player's fade may meet its next entry.
        assert out == pytest.approx(back, abs=1e-5) or max(out, back) <= 0.2


def test_whoever_enters_is_heard_softly_a_bar_before(session: Composition) -> None:
    phrases = [phrase for section in session.sections for phrase in section.phrases]
    entries = 0
    for line in _lines(session):
        for index, (now, coming) in enumerate(itertools.pairwise(line)):
            if now is not None or coming is None or phrases[index].melody_rests:
                continue
            entries += 1
            # It begins with the last bar of a phrase, far below its weight.
            assert coming.from_beat == pytest.approx(coming.ends_beat - phrases[index + 1].beats_per_bar)
            assert coming.weight_in <= 0.2
            assert coming.weight_out > coming.weight_in

    assert entries > 10


def test_whoever_leaves_fades_over_a_phrase(session: Composition) -> None:
    phrases = [phrase for section in session.sections for phrase in section.phrases]
    exits = 0
    for line in _lines(session):
        for index, (now, coming) in enumerate(itertools.pairwise(line)):
            if now is None or coming is not None or phrases[index + 1].melody_rests:
                continue
            exits += 1
            assert now.weight_out <= 0.05

    assert exits > 10


def test_a_quarter_of_an_hour_has_many_textures_and_melodies_change_hands(session: Composition) -> None:
    textures = {
        frozenset((seat.part, seat.instrument, seat.style) for seat in seats if seat.weight_out > 0.2)
        for seats in session.seats
    }
    singers = {seat.instrument for seats in session.seats for seat in seats if seat.part == Part.MELODY}
    styles = {seat.style for seats in session.seats for seat in seats} - {None}

    assert len(textures) >= 8
    assert len(singers) >= 3
    assert len(styles) >= 4


def test_every_melody_lies_within_its_instrument(session: Composition) -> None:
    for phrase, seats in zip(music(JOURNEY, 240.0, 7), composition(JOURNEY, 240.0, 7).seats, strict=True):
        lead = [seat for seat in seats if seat.part == Part.MELODY and not seat.is_doubling]
        for note in phrase.written.get(Part.MELODY, ()) if lead else ():
            instrument = INSTRUMENTS[lead[0].instrument]
            assert instrument.low <= note.key + 12 * lead[0].octaves <= instrument.high


def test_a_session_opens_thin_has_its_climax_past_the_middle_and_thins_out(session: Composition) -> None:
    moments = np.linspace(0.0, 900.0, 181)
    full = np.array([fullness(session.curves, float(t)) for t in moments]) / np.array(
        [0.25 + 0.75 * session.curves.one("density", float(t)) for t in moments]
    )
    weights = np.array([sum(seat.weight_out for seat in seats) for seats in session.seats])

    assert moments[full.argmax()] == pytest.approx(0.62 * 900.0, abs=5.0)
    assert full[0] < 0.4 > full[-1]
    assert np.abs(np.diff(full)).max() < 0.02
    assert weights[:2].mean() < 0.8 * np.sort(weights)[-6:].mean()


def test_more_arousal_makes_room_for_more_voices() -> None:
    def weight(arousal: float) -> float:
        seats = [seat for some in composition(((0.0, arousal),), 240.0, 3).seats for seat in some]
        joining = [seat.weight_out for seat in seats if seat.is_doubling or seat.part == Part.COUNTER]
        return sum(joining) / len(composition(((0.0, arousal),), 240.0, 3).seats)

    assert weight(-0.9) < weight(0.0) < weight(0.9)


def test_nobody_leaves_for_a_single_phrase() -> None:
    phrases = [_phrase()] * 5
    player = Player(Part.COUNTER, "cello")

    seats = seats_of(player, [1.0, 1.0, 0.0, 1.0, 1.0], phrases, [FigureStyle.BROKEN] * 5, [True] * 5)

    assert [seat is not None for seat in seats] == [True] * 5
    assert seats[2] is not None
    assert seats[2].weight_in == seats[2].weight_out == 0.75


def test_a_doubling_rests_where_it_cannot_reach() -> None:
    phrase = music(JOURNEY, 240.0, 7)[0]
    written = phrase.written[Part.BASS]
    seat = Seat(Part.BASS, "celesta", 1.0, 1.0, 0.0, 16.0, is_doubling=True)

    assert written
    assert seat.picked(written) == []
    assert Seat(Part.BASS, "bass", 1.0, 1.0, 0.0, 16.0, is_doubling=True).picked(written) == list(written)


def test_slow_melodies_go_to_whoever_can_hold_a_note() -> None:
    def struck(arousal: float) -> int:
        leaders = [
            seat.instrument
            for seed in range(12)
            for seats in composition(((0.0, arousal),), 60.0, seed, "ambient").seats[:1]
            for seat in seats
            if seat.part == Part.MELODY and not seat.is_doubling
        ]
        return sum(INSTRUMENTS[name].rings for name in leaders)

    assert struck(-0.9) < struck(0.9)


@pytest.mark.parametrize("palette", sorted(PALETTES))
def test_figures_do_not_ring_on_into_another_harmony(palette: str) -> None:
    one = composition(((0.2, -0.7),), 60.0, 4, palette)
    for phrase in one.phrases():
        changes_s = one.pulse.seconds(np.array(change_moments(phrase.chords)))
        figure = [note for note in phrase.notes if note.part == Part.FIGURE]
        for note in figure:
            later = changes_s[changes_s > note.onset_s + 0.1]
            if len(later):
                assert note.onset_s + note.duration_s <= later[0] + 0.2
