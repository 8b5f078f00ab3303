"""The plan of a session: sections that return, phrases that answer each other, and no gap anywhere."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.composer.score import Cadence, PhraseKind, SectionKind
from tests.generation.composer.plans import Point
from tests.generation.composer.writing.planned import Planned, planned

UNIT = st.floats(-1.0, 1.0)
POINT = st.tuples(UNIT, UNIT)
MODERATE: list[Point] = [(-0.6, 0.5), (0.0, 0.0), (0.6, -0.4)]


@pytest.fixture(scope="module")
def cohort() -> list[Planned]:
    """Twelve sessions of a quarter of an hour on one path."""
    return [planned(MODERATE, 900.0, seed) for seed in range(12)]


@settings(max_examples=150, deadline=None)
@given(
    points=st.lists(POINT, min_size=1, max_size=30),
    duration_s=st.floats(0.2, 400.0),
    seed=st.integers(0, 2**63 - 1),
)
def test_any_path_of_any_length_is_planned_without_a_gap(
    points: list[Point], duration_s: float, seed: int
) -> None:
    session = planned(points, duration_s, seed)

    phrases, chords = session.phrases, session.all_chords
    for before, after in itertools.pairwise(phrases):
        assert before.end_beat == after.onset_beat
        assert before.next_tonic == after.tonic
        assert not before.is_last
    for chord, following in itertools.pairwise(chords):
        assert chord.beats > 0
        assert chord.end_beat == pytest.approx(following.onset_beat)
    for phrase in phrases:
        assert 1 <= phrase.bars <= 8
        assert 2 <= phrase.beats_per_bar <= 6
    if phrases:
        assert (phrases[0].onset_beat, phrases[-1].is_last) == (0.0, True)
        assert session.pulse.second(phrases[-1].end_beat) == pytest.approx(session.pulse.final_s)
        final = chords[-1]
        assert (final.onset_beat, final.degree, final.bass) == (phrases[-1].end_beat, 0, final.tonic)


def test_three_hours_and_ten_thousand_waypoints_are_planned_like_any_session() -> None:
    rng = np.random.default_rng(1)
    walk: list[Point] = [(float(v), float(a)) for v, a in rng.uniform(-1.0, 1.0, (10_000, 2))]

    long, jumpy = planned([(-0.5, -0.9), (0.4, 0.6)], 10_800.0, 3), planned(walk, 120.0, 4)

    assert len(long.sections) > 150
    assert len({section.letter for section in long.sections}) == 8
    assert len(jumpy.phrases) >= 6


def test_the_first_letter_returns_as_a_refrain_and_ends_the_session(cohort: list[Planned]) -> None:
    for session in cohort:
        form = "".join(section.letter for section in session.sections)
        assert form.startswith("A")
        assert form.endswith("AA")
        assert session.sections[-1].kind == SectionKind.CODA
        assert 0.2 <= form.count("A") / len(form) <= 0.6
        assert "AAAA" not in form
        assert len(set(form)) >= 4
        # Between two refrains there are five other sections at most.
        assert max(map(len, form.split("A"))) <= 5


def test_sections_are_periods_sentences_and_bridges_and_phrases_do_their_work(cohort: list[Planned]) -> None:
    kinds: Counter[SectionKind] = Counter()
    opening = {
        SectionKind.PERIOD: PhraseKind.ANTECEDENT,
        SectionKind.DOUBLE_PERIOD: PhraseKind.ANTECEDENT,
        SectionKind.SENTENCE: PhraseKind.PRESENTATION,
        SectionKind.BRIDGE: PhraseKind.CONTRAST,
        SectionKind.CODA: PhraseKind.CODA,
    }
    for session in cohort:
        for section in session.sections:
            kinds[section.kind] += 1
            first, last = section.phrases[0], section.phrases[-1]
            assert first.kind == opening[section.kind]
            if section.kind in (SectionKind.PERIOD, SectionKind.SENTENCE, SectionKind.DOUBLE_PERIOD):
                # The question is weaker than the answer.
                assert first.cadence != Cadence.AUTHENTIC
                assert last.cadence == Cadence.AUTHENTIC
                assert last.is_answer

    assert all(kinds[kind] >= 5 for kind in SectionKind)


def test_most_phrases_have_four_bars_and_some_two_three_five_or_six(cohort: list[Planned]) -> None:
    lengths = Counter(phrase.bars for session in cohort for phrase in session.phrases)

    assert 0.6 <= lengths[4] / lengths.total() <= 0.85
    assert {2, 3, 5, 6} <= set(lengths)


def test_sections_of_one_letter_are_built_alike_and_share_their_theme(cohort: list[Planned]) -> None:
    alike = 0
    for session in cohort:
        # The tail is cut to what is left.
        inner = session.sections[:-4]
        for letter in {section.letter for section in inner}:
            same = [section for section in inner if section.letter == letter]
            assert [section.variant for section in same] == list(range(len(same)))
            assert len({section.phrases[0].theme for section in same}) == 1
            alike += sum(one.kind == other.kind for one, other in itertools.pairwise(same))

    assert alike >= 100


def test_no_two_sessions_of_a_cohort_have_the_same_form(cohort: list[Planned]) -> None:
    plans = {
        tuple((phrase.kind, phrase.bars, phrase.beats_per_bar) for phrase in session.phrases)
        for session in cohort
    }
    letters = {"".join(section.letter for section in session.sections) for session in cohort}

    assert len(plans) == len(cohort)
    assert len(letters) >= len(cohort) - 1


def test_triple_and_wide_metres_belong_to_the_quiet_by_degrees() -> None:
    def share(arousal: float, metres: tuple[int, ...]) -> float:
        found = [planned([(0.1, arousal)], 40.0, seed).phrases[0].beats_per_bar for seed in range(60)]
        return float(np.mean([metre in metres for metre in found]))

    triple = [share(arousal, (3, 6)) for arousal in (-0.9, 0.0, 0.9)]

    assert triple[0] > triple[1] > triple[2]
    assert triple[0] - triple[2] > 0.2
    assert share(0.9, (6,)) == 0.0


def test_the_tempo_gives_way_by_little_so_that_the_last_chord_falls_on_a_bar() -> None:
    for duration_s, most in ((60.0, 0.03), (30.0, 0.09), (10.0, 0.2)):
        for seed in range(20):
            session = planned([(0.3, 0.1)], duration_s, seed)
            stretched = session.phrases[-1].end_beat / session.pulse.natural_beats
            assert abs(np.log(stretched)) < most
