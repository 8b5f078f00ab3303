"""A column map is held to its schema and to the protocol, every problem at once."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.importing.column_map import ColumnMap
from analysis.importing.map_file import load_map, parse_map
from study.errors import IsopathError, ProtocolErrors
from tests.analysis.importing.files import EXAMPLE, protocol, wide_map

PROTOCOL = protocol()


def problems(fields: Any) -> list[str]:
    with pytest.raises(ProtocolErrors) as refused:
        parse_map(json.dumps(fields).encode(), "map.json", PROTOCOL)
    return str(refused.value).split("\n")


@pytest.mark.parametrize("name", ["redcap-map.json", "ratings-map.json"])
def test_the_examples_maps_hold(name: str) -> None:
    assert load_map(EXAMPLE / name, PROTOCOL).scales == {"feeling": (1, 9)}


def test_a_scale_that_is_not_the_instruments_own_is_refused_with_the_remedy() -> None:
    (problem,) = problems(wide_map(scales={"feeling": {"low": 1, "high": 7}}))

    assert problem == (
        "map.json::$.scales.feeling: is 1 to 7, and sam is answered from 1 to 9; name an instrument of this "
        "scale in the protocol, or write into the file what people answered on the instrument's own scale: "
        "nothing is rescaled here"
    )


def test_every_problem_of_a_map_is_named_at_once_in_file_order() -> None:
    fields = wide_map(layout="wider", person={"colum": "code"}, surplus=1)
    fields["reports"][1]["probe_at_s"] = "6"

    assert [problem.split(":: ")[-1].split(": ")[0] for problem in problems(fields)] == [
        "map.json::$.layout",
        "map.json::$.person.column",
        "map.json::$.person.colum",
        "map.json::$.reports[1].probe_at_s",
        "map.json::$.surplus",
    ]


@pytest.mark.parametrize(
    ("changes", "where", "why"),
    [
        ({"strata": {}}, "$.strata.site", "is missing"),
        ({"strata": {"site": {"column": "site"}, "ward": {"column": "w"}}}, "$.strata.ward", "is no strat"),
        ({"arm": {"column": "group", "codes": {"A": "isoo"}}}, "$.arm.codes.A", 'did you mean "iso"?'),
        ({"arm": {"column": "group", "is": "iso"}}, "$.arm", "both a column and a constant"),
        ({"arm": {"is": "calm"}}, "$.arm.is", "not one of the protocol's"),
        (
            {"session": {"column": "visit", "codes": {"1": "ses-02"}}},
            "$.session.codes",
            "write one of ses-01",
        ),
        ({"person": {"column": "code", "same": {"1": "2", "2": "3"}}}, "$.person.same", "another code"),
        ({"scales": {"mood": {"low": 1, "high": 9}}}, "$.scales.mood", "is not an instrument"),
        ({"sounds": [{"file": "sound"}]}, "$.sounds[0].listened_s", '"listening": "assumed_whole"'),
        ({"sounds": [{"listened_s": "s"}], "listening": "assumed_whole"}, "$.listening", "the file tells it"),
        ({"sounds": [{"file": "f", "listened_s": "s", "onset_s": "o"}]}, "$.sounds[0].duration_s", "beside"),
        ({"sounds": [{"listened_s": "s", "event": "e"}]}, "$.sounds[0].event", "belongs to a REDCap export"),
        ({"ended": {"column": "out", "codes": {"3": "left"}}}, "$.ended.codes", "is not known here"),
    ],
)
def test_what_the_protocol_contradicts_is_refused_in_its_place(
    changes: dict[str, Any], where: str, why: str
) -> None:
    found = problems(wide_map(**changes))

    assert any(where in problem and why in problem for problem in found), found


@pytest.mark.parametrize(
    ("number", "field", "value", "why"),
    [
        (0, "phase", "baseline", "does not ask feeling at baseline"),
        (1, "probe_at_s", 7, "does not ask feeling at probe at 7 s"),
        (0, "probe_at_s", 6, "stands at the phase pre"),
        (1, "probe_at_s", -1, "-1 is outside [0, 86400]"),
        (0, "phase", "post", "more often than the protocol asks"),
        (0, "instrument", "feelings", 'did you mean "feeling"?'),
        (0, "items", {"valance": "v0"}, 'did you mean "valence"?'),
        (2, "session", "ses-02", "is not a session of the protocol"),
    ],
)
def test_a_report_the_protocol_does_not_ask_is_refused(
    number: int, field: str, value: object, why: str
) -> None:
    fields = wide_map()
    fields["reports"][number][field] = value

    assert any(why in problem for problem in problems(fields)), problems(fields)


def test_a_blank_cell_is_missing_unless_the_map_says_that_it_may_still_come() -> None:
    usual = parse_map(json.dumps(wide_map()).encode(), "m", PROTOCOL)
    awaited = parse_map(json.dumps(wide_map(missing={"": None, "-9": "refused"})).encode(), "m", PROTOCOL)

    assert usual.missing == {"": "left blank in the imported file"}
    assert awaited.missing == {"": None, "-9": "refused"}


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 12)
    | st.text(max_size=5)
    | st.sampled_from(["iso", "pre", 6]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


@given(data=st.data())
def test_a_map_with_anything_in_any_place_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    fields = wide_map(
        sounds=[{"file": "sound", "listened_s": "s", "stopped": {"is": "chose_to_stop"}}],
        ended={"column": "out", "codes": {"3": "withdrew"}},
        phase={"column": "time", "codes": {"x": "pre"}},
    )
    changed = copy.deepcopy(fields)
    place = data.draw(st.sampled_from(places(fields)[1:]))
    node = changed
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = data.draw(JUNK)

    try:
        found = parse_map(json.dumps(changed).encode(), "map.json", PROTOCOL)
    except IsopathError:
        return

    assert isinstance(found, ColumnMap)
    assert all(isinstance(what, str) for what in found.columns().values())


@given(data=st.binary(max_size=60))
def test_bytes_that_are_no_map_are_refused(data: bytes) -> None:
    with pytest.raises(IsopathError):
        parse_map(data, "map.json", PROTOCOL)
