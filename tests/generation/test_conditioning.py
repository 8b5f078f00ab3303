"""Affect in words and in smooth numbers: every prompt of the plane, and how little a step changes."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.conditioning import (
    FREQUENCIES,
    fourier_features,
    installed_prompts,
    load_prompts,
    n_fourier_features,
)
from generation.prompts.file import parse_prompts
from study.affect import Affect
from study.errors import ProtocolErrors, UnknownName
from study.path import PathKind, PathSpec, make_path

UNIT = st.floats(-1.0, 1.0)
PLANE = st.builds(Affect, UNIT, UNIT)
GRID = [Affect(v / 40, a / 40) for v in range(-40, 41) for a in range(-40, 41)]
DEFAULT = load_prompts("default")
T5_LIMIT = 512

#: No word of a table may frighten a person in distress.
VIOLENT = frozenset(
    {
        "angry",
        "aggressive",
        "violent",
        "harsh",
        "horror",
        "scary",
        "terror",
        "menacing",
        "sinister",
        "evil",
        "brutal",
        "screaming",
        "chaos",
        "chaotic",
        "rage",
        "fear",
        "panic",
        "death",
        "dark",
        "doom",
        "metal",
        "noise",
        "distorted",
        "dissonant",
    }
)


def words_of(prompt: str) -> Counter[str]:
    """The words of a prompt, the tempo left out."""
    return Counter(re.sub(r"\d+", "", prompt.replace(",", "")).split())


def words_changed(before: str, after: str) -> int:
    first, second = words_of(before), words_of(after)
    return max((first - second).total(), (second - first).total())


def fields() -> dict[str, Any]:
    """A small table without faults."""
    return {
        "version": 1,
        "name": "small",
        "sentence": "{moods} {genre} with {instruments}, {touch}, {bpm} bpm",
        "tempo": {"neutral_bpm": 80, "octaves": 0.5},
        "alone_within": 0.4,
        "bands": {"touch": {"axis": "arousal", "edges": [0.0], "words": ["soft", "firm"]}},
        "anchors": [
            {
                "valence": v,
                "arousal": 0.0,
                "moods": [f"mood {v}", f"spare {v}"],
                "genre": f"genre {v}",
                "instruments": [f"first{v} lute", f"second{v} harp", f"third{v} drum"],
            }
            for v in (-0.5, 0.5)
        ],
    }


def problems_of(table: Any) -> list[str]:
    with pytest.raises(ProtocolErrors) as refused:
        parse_prompts(json.dumps(table).encode(), "mine.json")
    return [str(problem) for problem in refused.value.problems]


def test_the_installed_tables_are_default_numeric_and_plain() -> None:
    assert installed_prompts() == ("default", "numeric", "plain")


def test_the_numeric_table_says_the_two_numbers_rounded_and_no_minus_zero() -> None:
    table = load_prompts("numeric")

    assert table.prompt(Affect(0.6, -0.4)) == "valence 0.60, arousal -0.40 instrumental music"
    assert table.prompt(Affect(-0.001, 0.3333)) == "valence 0.00, arousal 0.33 instrumental music"


def test_a_table_of_numbers_needs_no_anchors_and_refuses_idle_ones() -> None:
    numbers = {"version": 1, "name": "mine", "sentence": "music at {valence} and {arousal}, {pace}"}
    numbers["bands"] = {"pace": {"axis": "arousal", "edges": [0.0], "words": ["slow", "fast"]}}

    table = parse_prompts(json.dumps(numbers).encode(), "mine.json")

    assert table.prompt(Affect(-1.0, 0.5)) == "music at -1.00 and 0.50, fast"
    assert problems_of(numbers | {"alone_within": 0.5}) == [
        "mine.json::$.alone_within: does nothing: the sentence names nothing of the anchors;"
        " delete it, or write {moods} in the sentence"
    ]
    assert "has no {moods}" in problems_of(numbers | {"sentence": "{valence} {pace}"})[0]


def test_a_prompt_tells_mood_genre_instruments_mode_touch_and_tempo() -> None:
    prompt = DEFAULT.prompt(Affect(0.6, -0.6))

    assert prompt == (
        "calm and relaxed ambient music with soft piano and warm strings, major key,"
        " slow and soft, 63 bpm, instrumental"
    )


def test_between_two_anchors_the_nearer_leads_and_the_other_is_heard() -> None:
    prompt = DEFAULT.prompt(Affect(0.6, -0.35))

    assert prompt == (
        "calm and pleasant ambient music with soft piano, warm strings and acoustic guitar, major key,"
        " slow and soft, 71 bpm, instrumental"
    )


def test_the_plain_table_has_mood_words_only() -> None:
    assert load_prompts("plain").prompt(Affect(0.6, -0.6)) == "calm and relaxed instrumental music"


def test_sadness_is_slow_and_soft() -> None:
    prompt = DEFAULT.prompt(Affect(-0.6, -0.6))

    assert {"sad", "gentle", "slow", "soft", "minor"} <= words_of(prompt).keys()


@pytest.mark.parametrize("name", installed_prompts())
def test_no_prompt_of_the_plane_holds_a_violent_word(name: str) -> None:
    table = load_prompts(name)

    used = set(itertools.chain.from_iterable(words_of(table.prompt(affect)) for affect in GRID))

    assert used.isdisjoint(VIOLENT)
    assert all(word.isascii() and word == word.lower() for word in used)


@pytest.mark.parametrize("name", installed_prompts())
def test_no_prompt_of_the_plane_comes_near_the_text_encoders_limit(name: str) -> None:
    # A token stands for one character at least, with one more for each word's beginning and the end.
    table = load_prompts(name)

    most = max(len(prompt) + len(prompt.split()) + 1 for prompt in map(table.prompt, GRID))

    assert most < T5_LIMIT / 2


def test_the_same_point_has_the_same_prompt_in_a_table_read_again() -> None:
    again = load_prompts("default")

    assert [again.prompt(affect) for affect in GRID] == [DEFAULT.prompt(affect) for affect in GRID]


@given(affect=PLANE, other=UNIT, valence=UNIT)
def test_the_tempo_rises_with_arousal_and_knows_no_valence(
    affect: Affect, other: float, valence: float
) -> None:
    tempo = DEFAULT.tempo
    assert tempo is not None

    low, high = sorted((affect.arousal, other))

    assert 53 <= tempo.bpm(Affect(valence, low)) <= tempo.bpm(Affect(affect.valence, high)) <= 131


@settings(deadline=None)
@given(start=PLANE, target=PLANE)
def test_a_step_of_a_thirty_step_path_changes_ten_words_at_most(start: Affect, target: Affect) -> None:
    # Most steps change none; ten are a genre, a mood, two instruments, mode and touch at once.
    path = make_path(PathSpec(PathKind.ISO, 30, 30.0), start, target, seed=0)

    prompts = [DEFAULT.prompt(w.affect) for w in path.waypoints if w.affect is not None]

    assert max(itertools.starmap(words_changed, itertools.pairwise(prompts))) <= 10


@settings(deadline=None)
@given(start=PLANE, target=PLANE)
def test_words_change_only_where_the_nearest_anchors_or_a_band_do(start: Affect, target: Affect) -> None:
    path = [start.toward(target, share) for share in np.linspace(0.0, 1.0, 200)]
    anchors = np.array([(anchor.affect.valence, anchor.affect.arousal) for anchor in DEFAULT.anchors])
    points = np.array([(affect.valence, affect.arousal) for affect in path])
    distances = np.linalg.norm(points[:, None] - anchors, axis=2)
    order = np.argsort(distances.round(9), axis=1, kind="stable")[:, :2]
    near, next_to = np.sort(distances, axis=1)[:, :2].T
    bands = [np.digitize(points[:, 0], [-0.25, 0.25]), np.digitize(points[:, 1], [-0.7, -0.2, 0.2, 0.7])]
    cells = np.column_stack([order, near.round(9) < 0.5 * next_to.round(9), *bands])

    prompts = [DEFAULT.prompt(affect) for affect in path]

    for step in np.flatnonzero((cells[1:] == cells[:-1]).all(axis=1)):
        assert words_changed(prompts[step], prompts[step + 1]) == 0


@pytest.mark.parametrize("share", [0.11, 0.23, 0.32, 0.37, 0.44, 0.53, 0.77, 0.81, 0.9])
@pytest.mark.parametrize("nudge", [-1e-12, 1e-12])
def test_on_a_line_of_symmetry_the_last_bit_does_not_choose_the_words(share: float, nudge: float) -> None:
    on, beside = Affect(-share, share), Affect(-share + nudge, share)

    assert words_changed(DEFAULT.prompt(on), DEFAULT.prompt(beside)) == 0


def test_a_table_may_be_a_file_and_is_known_by_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(fields()))

    table = load_prompts(str(file))

    assert table.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert table.name == "small"
    assert table.prompt(Affect(-0.5, 0.0)) == (
        "mood -0.5 and spare -0.5 genre -0.5 with first-0.5 lute and second-0.5 harp, firm, 80 bpm"
    )
    assert table.prompt(Affect(-0.1, -1.0)) == (
        "mood -0.5 and mood 0.5 genre -0.5 with first-0.5 lute, second-0.5 harp and third0.5 drum,"
        " soft, 57 bpm"
    )


def test_an_unknown_table_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match=r"'defalt' is neither .* did you mean \"default\"") as refused:
        load_prompts("defalt")

    assert refused.value.where == "engine.options.prompts"


def test_every_fault_of_a_table_is_named_at_once() -> None:
    table = fields()
    table |= {"version": 2, "name": " ", "sentnce": "", "alone_within": 1.5}
    table["sentence"] = "{moods} {genre} with {instrument}, {bpm:d} bpm"
    table["tempo"] = {"neutral_bpm": "80"}
    table["bands"]["touch"] = {"axis": "dominance", "edges": [0.5, 0.2], "words": ["soft"]}
    table["anchors"][0] |= {"valence": -1.2, "moods": ["sad", "sad"], "genre": ""}
    table["anchors"] += [table["anchors"][1], 7]

    problems = problems_of(table)

    assert problems == [
        "mine.json::$.version: is 2; write 1",
        "mine.json::$.name: is not a name; write a short text",
        "mine.json::$.sentence: has {instrument}, which stands for nothing; did you mean"
        ' "instruments"? If not, write {moods} and any of {genre}, {instruments}, {bpm}, {valence},'
        " {arousal}, {touch}",
        "mine.json::$.sentence: has more than the name in {bpm}; write {bpm}",
        'mine.json::$.tempo.neutral_bpm: is "80"; write a number from 20 to 300',
        "mine.json::$.alone_within: is 1.5; write a number from 0 to 1",
        "mine.json::$.bands.touch: is not in the sentence; write {touch} in it, or delete the band",
        'mine.json::$.bands.touch.axis: is "dominance"; write valence or arousal',
        "mine.json::$.bands.touch.edges: is not a rising list of numbers inside (-1, 1);"
        " write one, e.g. [-0.3, 0.3]",
        "mine.json::$.anchors[0].valence: is -1.2; write a number from -1 to 1",
        "mine.json::$.anchors[0].moods: is not a list of two different texts or more; write mood words",
        "mine.json::$.anchors[0].genre: is not a text, and the sentence has {genre}; write a genre",
        "mine.json::$.anchors[2]: stands where another anchor stands; move or delete one",
        "mine.json::$.anchors[3]: is not an object { … }; write valence, arousal, moods, genre, instruments",
        'mine.json::$.sentnce: is not a field here; did you mean "sentence"? If not, delete it;'
        " the fields are version, name, about, sources, sentence, tempo, alone_within, bands, anchors",
        "mine.json::$.tempo.octaves: is missing; write a number from 0 to 2",
    ]


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("sentence", "{moods", "$.sentence: has a brace without its partner"),
        ("sentence", "{genre} {touch} {bpm}", "$.sentence: has no {moods}"),
        ("sentence", "{moods} {touch} {bpm}" + "x" * 400, "makes a prompt of 4"),
        ("sentence", 3, "$.sentence: is not a text"),
        ("tempo", None, "$.tempo: is missing, and the sentence has {bpm}"),
        ("anchors", [], "$.anchors: is not a list of two anchors or more"),
        ("bands", {"bpm": {"axis": "valence", "edges": [], "words": ["x"]}}, "is not a name for a band"),
        ("bands", [], "$.bands: is not an object"),
    ],
)
def test_a_fault_is_named(field: str, value: Any, problem: str) -> None:
    assert any(problem in told for told in problems_of(fields() | {field: value}))


@given(v=UNIT, a=UNIT)
def test_fourier_features_are_affect_then_sines_and_cosines_of_each_frequency(v: float, a: float) -> None:
    features = fourier_features(np.array([[v, a]]), (0.5, 3.0))

    expected = [v, a]
    for angle in (0.5 * np.pi, 3.0 * np.pi):
        expected += [np.sin(angle * v), np.sin(angle * a), np.cos(angle * v), np.cos(angle * a)]
    np.testing.assert_allclose(features, [expected], rtol=0, atol=1e-12)


@given(start=PLANE, target=PLANE, share=st.floats(0.0, 1.0))
def test_fourier_features_move_no_faster_than_their_steepest_slope(
    start: Affect, target: Affect, share: float
) -> None:
    between = start.toward(target, share)
    points = np.array([(start.valence, start.arousal), (between.valence, between.arousal)])
    steepest = np.sqrt(1.0 + np.sum((np.pi * np.array(FREQUENCIES)) ** 2))

    first, second = fourier_features(points)

    assert np.linalg.norm(second - first) <= steepest * start.distance_to(between) + 1e-9
    assert len(first) == n_fourier_features() == 18
