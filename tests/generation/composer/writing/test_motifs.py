"""Themes have a face that thins out and fills up, and phrases develop them by what they do."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from generation.composer.score import Cadence, Part, Phrase, PhraseKind, WrittenNote
from generation.composer.streams import stream
from generation.composer.writing.development import develop, recalled, wishes
from generation.composer.writing.memory import Memory
from generation.composer.writing.motifs import Motif, Theme, make_motifs
from tests.generation.composer.writing.progressions import progression

METRES = (2, 3, 4, 5, 6)
SEEDS = range(60)
PHRASE = Phrase(0.0, 4, 4, PhraseKind.ANTECEDENT, 0, 0, 0, 0, False, 0, 0, 4, Cadence.HALF)


def theme_of(seed: int, beats_per_bar: int = 4) -> Theme:
    return make_motifs(stream(seed, "theme", 0), beats_per_bar)


def heard(motif: Motif, openness: float) -> list[tuple[int, int]]:
    return [(tone.slot, tone.step) for tone in motif.tones if tone.opens_at <= openness]


@pytest.mark.parametrize("beats_per_bar", METRES)
def test_every_idea_begins_each_bar_with_a_note_that_always_sounds(beats_per_bar: int) -> None:
    for seed in SEEDS:
        for motif in (theme_of(seed, beats_per_bar).idea, theme_of(seed, beats_per_bar).contrast):
            always = [tone.slot for tone in motif.tones if tone.opens_at == 0.0]

            assert motif.slots in (4 * beats_per_bar, 8 * beats_per_bar)
            assert [slot // motif.bar_slots for slot in always] == list(range(motif.slots // motif.bar_slots))
            assert [tone.slot for tone in motif.tones] == list(range(motif.slots))


def test_an_idea_that_thins_out_keeps_the_notes_it_has_left() -> None:
    for seed in SEEDS:
        idea = theme_of(seed).idea
        levels = [heard(idea, openness) for openness in (0.0, 0.1, 0.3, 0.5, 0.7, 0.85)]

        for fewer, more in itertools.pairwise(levels):
            assert set(fewer) <= set(more)
        assert 1 <= len(levels[0]) <= 2
        assert len(levels[-1]) >= 4


def test_a_theme_is_the_same_idea_in_every_metre() -> None:
    for seed in SEEDS:
        three, four = (theme_of(seed, beats) for beats in (3, 4))
        first_of_three, first_of_four = (heard(theme.idea, 0.4)[:3] for theme in (three, four))

        assert [step for _, step in first_of_three[:2]] == [step for _, step in first_of_four[:2]]
        assert three.sequence == four.sequence


def test_the_contrast_is_another_idea_in_rhythm_or_contour() -> None:
    for seed in SEEDS:
        theme = theme_of(seed)

        assert heard(theme.idea, 0.4) != heard(theme.contrast, 0.4)


def test_hardly_two_of_sixty_themes_are_alike() -> None:
    faces = {tuple(heard(theme_of(seed).idea, 0.4)) for seed in SEEDS}

    assert len(faces) >= 57


@pytest.mark.parametrize("kind", list(PhraseKind))
@pytest.mark.parametrize("bars", range(1, 9))
def test_statements_fill_a_phrase_of_any_kind_and_length_without_gaps(kind: PhraseKind, bars: int) -> None:
    for seed, beats_per_bar in itertools.product(range(8), METRES):
        phrase = replace(PHRASE, kind=kind, bars=bars, beats_per_bar=beats_per_bar)
        statements = develop(phrase, theme_of(seed, beats_per_bar))
        notes = wishes(statements)

        assert statements[0].slot == 0
        assert statements[-1].slot + statements[-1].slots == 4 * phrase.beats
        for one, other in itertools.pairwise(statements):
            assert one.slot + one.slots == other.slot
        assert [note.slot for note in notes] == sorted({note.slot for note in notes})


def test_a_presentation_states_its_idea_and_repeats_it() -> None:
    for seed in SEEDS:
        theme = theme_of(seed)
        statements = develop(replace(PHRASE, kind=PhraseKind.PRESENTATION), theme)

        assert len(statements) >= 2
        assert all(statement.motif == theme.idea for statement in statements)
        assert statements[1].shift - statements[0].shift == theme.sequence


def test_a_consequent_begins_as_its_antecedent_did() -> None:
    for seed in SEEDS:
        theme = theme_of(seed)
        asked, answered = (
            wishes(develop(replace(PHRASE, kind=kind), theme))
            for kind in (PhraseKind.ANTECEDENT, PhraseKind.CONSEQUENT)
        )
        half = [(note.slot, note.step) for note in asked if note.slot < 32]

        assert [(note.slot, note.step) for note in answered if note.slot < 32] == half
        assert asked != answered


def test_a_continuation_breaks_its_idea_into_smaller_and_smaller_fragments() -> None:
    for seed in SEEDS:
        theme = theme_of(seed)
        statements = develop(replace(PHRASE, kind=PhraseKind.CONTINUATION), theme)
        fragments = [statement for statement in statements if statement.motif == theme.idea]
        lengths = [statement.slots for statement in fragments]

        assert len(fragments) >= 3
        assert max(lengths) < theme.idea.slots
        assert lengths == sorted(lengths, reverse=True)
        assert len({statement.shift for statement in fragments}) == len(fragments)
        assert statements[-1].motif == theme.contrast


def test_the_last_fragments_of_some_continuations_are_twice_as_fast() -> None:
    quick = 0
    for seed in SEEDS:
        theme = theme_of(seed)
        statements = develop(replace(PHRASE, kind=PhraseKind.CONTINUATION), theme)
        fast = [statement for statement in statements if statement.stretch < 1.0]
        quick += bool(fast)
        for statement in fast:
            asked = [tone.slot for tone in theme.idea.tones if tone.slot < 2 * statement.slots]
            found = [note.slot - statement.slot for note in wishes([statement])]

            assert statement.stretch == 0.5
            assert found == [slot // 2 for slot in asked if slot % 2 == 0]

    assert 15 <= quick <= 45


def test_a_bridge_begins_with_the_contrast_and_may_turn_the_idea_upside_down() -> None:
    turned = 0
    for seed in SEEDS:
        theme = theme_of(seed)
        statements = develop(replace(PHRASE, kind=PhraseKind.CONTRAST), theme)
        turned += any(statement.inverted for statement in statements)

        assert statements[0].motif == theme.contrast

    assert 15 <= turned <= 45


def test_a_coda_says_the_idea_twice_as_slowly_and_echoes_its_head_lower() -> None:
    for seed in SEEDS:
        theme = theme_of(seed)
        slow, *echoes = develop(replace(PHRASE, kind=PhraseKind.CODA), theme)
        same = [tone.slot for tone in theme.idea.tones if 2 * tone.slot < slow.slots]

        assert slow.stretch == 2
        assert [note.slot for note in wishes([slow])] == [2 * slot for slot in same]
        assert [echo.shift for echo in echoes] == [-k for k in range(len(echoes))]


def test_an_inverted_idea_goes_down_where_it_went_up() -> None:
    theme = theme_of(3)
    statement = develop(PHRASE, theme)[0]
    plain, turned = (wishes([replace(statement, shift=0, inverted=inverted)]) for inverted in (False, True))

    assert [note.step for note in turned] == [-note.step for note in plain]


def test_a_theme_that_returns_is_led_as_it_was_first_sung() -> None:
    theme = theme_of(4)
    found = wishes(develop(PHRASE, theme))
    slots = [wish.slot for wish in found]
    sung = {slots[0]: 7, slots[8]: 9, slots[12]: 6}

    led = {wish.slot: wish.step for wish in recalled(found, sung)}
    asked = {wish.slot: wish.step for wish in found}

    assert led[slots[8]] - led[slots[0]] == 2
    assert led[slots[12]] - led[slots[8]] == -3
    assert led[slots[9]] - led[slots[8]] == asked[slots[9]] - asked[slots[8]]
    assert led[slots[-1]] == asked[slots[-1]]
    assert recalled(found, {}) == found


def test_a_session_remembers_the_first_hearing_of_a_theme_and_where_each_voice_is() -> None:
    chords = progression(PHRASE, 1)
    first = [WrittenNote(0.0, 2.0, 60, 1.0), WrittenNote(2.0, 7.0, 64, 0.8), WrittenNote(12.0, 4.0, 62, 1.0)]
    memory = Memory()

    memory.keep(PHRASE, chords, {Part.MELODY: first})
    memory.keep(replace(PHRASE, kind=PhraseKind.CONSEQUENT), chords, {Part.MELODY: first[::-1]})

    assert memory.heard(replace(PHRASE, kind=PhraseKind.PRESENTATION)) == {0: 0, 8: 2}
    assert memory.heard(replace(PHRASE, theme=1)) == {}
    assert memory.heard(replace(PHRASE, kind=PhraseKind.CONTRAST)) == {}
    assert memory.last_key(Part.MELODY) == 60
    assert memory.last_key(Part.COUNTER) is None
