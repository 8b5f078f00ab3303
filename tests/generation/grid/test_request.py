"""What a grid is asked to hold, in code and as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from generation.clip_grid import Part, Role
from generation.grid.request import GridRequest, GridTarget, Seeds, SystemSpec, square
from generation.grid.request_file import parse_request, read_request
from study.affect import Affect
from study.errors import IsopathError, OutOfRange, StorageError
from tests.generation.grid.requests import CALM, COMPOSER, TENSE, request_of


def test_four_by_four_targets_are_the_centres_of_sixteen_equal_cells() -> None:
    # A square from -1 to 1 cut in four: centres at ±1/4 and ±3/4.
    targets = square(4)

    assert {(one.affect.valence, one.affect.arousal) for one in targets} == {
        (v, a) for v in (-0.75, -0.25, 0.25, 0.75) for a in (-0.75, -0.25, 0.25, 0.75)
    }
    assert targets[0] == GridTarget("v-0.75_a-0.75", Affect(-0.75, -0.75))


def test_an_odd_square_has_a_middle_without_a_minus_zero() -> None:
    assert GridTarget("v+0.00_a+0.00", Affect(0.0, 0.0)) in square(3)
    assert square(1) == (GridTarget("v+0.00_a+0.00", Affect(0.0, 0.0)),)
    assert "-0.00" not in "".join(one.target_id for one in square(5, 0.9))


def test_every_system_has_the_same_seeds_and_more_seeds_keep_the_first() -> None:
    one = request_of(seeds=Seeds(1))
    three = request_of(seeds=Seeds(3))

    seeds = {clip.clip_id: clip.seed for clip in three.wanted}

    assert len(set(seeds.values())) == 6
    assert {clip.clip_id: clip.seed for clip in one.wanted}.items() <= seeds.items()
    assert {three.plan(system, three.wanted[0]).seed for system in (COMPOSER, _named("b"))} == {
        seeds["tense_0"]
    }


def test_a_plan_is_a_session_of_one_waypoint() -> None:
    request = request_of()

    plan = request.plan(COMPOSER, request.wanted[1])

    assert [(one.affect, one.onset_s, one.duration_s) for one in plan.path.waypoints] == [
        (CALM.affect, 0.0, 3.0)
    ]
    assert plan.duration_s == plan.clip_s == 3.0


def test_everything_wrong_with_a_request_is_named_at_once() -> None:
    with pytest.raises(IsopathError) as refused:
        GridRequest("x", (_named("a b"), _named("A"), _named("a")), (TENSE, TENSE), Seeds(0), 31.0)

    assert str(refused.value).splitlines() == [
        'systems[0].name: "a b" is no name; write letters, digits and hyphens',
        'systems[2].name: "a" stands there twice; give each its own name',
        'targets[1].id: "tense" stands there twice; give each its own id',
        "seeds.count: 0 is not in 1 to 1000; write for example 2",
        "clip_s: 31 is not a length from 1 to 30 seconds; write for example 10",
    ]


def test_a_file_says_all_of_a_request(tmp_path: Path) -> None:
    file = tmp_path / "systems.json"
    file.write_text(json.dumps(_fields()))

    request = read_request(file)

    assert request == GridRequest(
        "two palettes",
        (
            SystemSpec("chamber", "chamber", "composer", {}, Role.BASE),
            SystemSpec(
                "ambient",
                "ambient",
                "composer",
                {"palette": "ambient"},
                took_part={"musicnn": (Part.LABELS,)},
            ),
        ),
        (GridTarget("sad", Affect(-0.7, -0.4)),),
        Seeds(3, 10),
        12.5,
    )


def test_the_example_of_the_documentation_is_read() -> None:
    page = (Path(__file__).parents[3] / "docs" / "evaluating.md").read_text(encoding="utf-8")
    example = page.split("```json\n")[1].split("```")[0]

    request = parse_request(example.encode(), "evaluating.md")

    assert [(one.name, one.role) for one in request.systems] == [
        ("chamber", Role.BASE),
        ("ambient", Role.SYSTEM),
        ("small", Role.SYSTEM),
    ]
    assert request.targets == (CALM, TENSE)


def test_a_file_may_leave_out_what_has_a_default() -> None:
    fields = {name: value for name, value in _fields().items() if name in ("version", "name", "systems")}

    request = parse_request(json.dumps(fields | {"targets": 2}).encode(), "mine.json")

    assert (request.targets, request.seeds, request.clip_s) == (square(2), Seeds(2, 0), 10.0)


def test_everything_wrong_with_a_file_is_named_at_once_with_its_place() -> None:
    fields = _fields() | {"version": 2, "sedes": 1, "clip_s": "ten"}
    fields["targets"] = [{"id": "a", "valence": 1.4, "arousal": 0}, {"id": "b", "valence": 0.1}]
    fields["systems"][0] |= {"engine": "composr", "role": "ceiling"}
    fields["systems"][1] |= {"name": "chamber", "options": {"pallete": 1}, "took_part": {"cues": ["ears"]}}

    with pytest.raises(IsopathError) as refused:
        parse_request(json.dumps(fields).encode(), "mine.json")

    assert sorted(line.split(";")[0] for line in str(refused.value).splitlines()) == sorted(
        [
            "mine.json::$.version: is 2",
            "mine.json::$.sedes: is not a field here",
            'mine.json::$.clip_s: is "ten"',
            "mine.json::$.targets[0].valence: 1.4 is outside [-1, 1]",
            "mine.json::$.targets[1].arousal: is missing",
            "mine.json::$.systems[0].engine: 'composr' is not installed here",
            'mine.json::$.systems[0].role: is "ceiling"',
            "mine.json::$.systems[1].options: 'pallete' is not an option",
            "mine.json::$.systems[1].took_part: does not say which predictor had which parts",
            'mine.json::$.systems[1].name: "chamber" stands there twice',
        ]
    )


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the file is empty"),
        (b"[1]", "is not an object"),
        (b'{"version": 1, "name": "x", "systems": []}', "$.systems: is not a list of one or more"),
        (b'{"version": 1, "version": 1}', "stands twice in the same object"),
        (b"{", "the text ends too early"),
    ],
)
def test_what_is_no_systems_file_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(IsopathError, match=problem.replace("$", r"\$")):
        parse_request(data, "mine.json")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(StorageError, match=r"no-such\.json"):
        read_request(Path("no-such.json"))


def test_a_square_beyond_the_plane_is_refused() -> None:
    with pytest.raises(OutOfRange, match=r"1\.2 is not in \(0, 1\]"):
        square(4, 1.2)


def _named(name: str) -> SystemSpec:
    return SystemSpec(name, "a title", "composer")


def _fields() -> dict[str, Any]:
    return {
        "version": 1,
        "name": "two palettes",
        "targets": [{"id": "sad", "valence": -0.7, "arousal": -0.4}],
        "seeds": {"count": 3, "first": 10},
        "clip_s": 12.5,
        "systems": [
            {"name": "chamber", "title": "chamber", "engine": "composer", "role": "base"},
            {
                "name": "ambient",
                "title": "ambient",
                "engine": "composer",
                "options": {"palette": "ambient"},
                "took_part": {"musicnn": ["labels"]},
            },
        ],
    }
