"""Frozen graphs are read as TensorFlow writes them, and hostile files are refused by name."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.mer.essentia.graph import LARGEST_FILE, parse_graph
from analysis.mer.essentia.head import read_head
from analysis.mer.essentia.wire import WireError, fields_of
from study.errors import ModelError
from tests.analysis.mer.essentia.frozen_graphs import (
    FLOAT,
    SecondGeneration,
    constant,
    delimited,
    node,
    placeholder,
    shape,
    single,
    varint,
    whole,
)

SMALL = SecondGeneration(width=3, hidden=4).content()


def one_constant(tensor: bytes) -> bytes:
    return node("c", "Const", (), {"value": delimited(8, tensor)})


def read_constant(tensor: bytes) -> object:
    return parse_graph(one_constant(tensor), "head.pb").nodes["c"].attributes["value"]


def refusal(content: bytes) -> str:
    with pytest.raises(ModelError) as refused:
        parse_graph(content, "head.pb")
    assert refused.value.where == "head.pb"
    return refused.value.problem


def test_a_varint_is_read_as_the_encodings_guide_has_it() -> None:
    # https://protobuf.dev/programming-guides/encoding/: 150 in field 1, "testing" in field 2.
    number, text = fields_of(b"\x08\x96\x01" + b"\x12\x07testing")

    assert (number.number, number.as_int()) == (1, 150)
    assert (text.number, text.as_text()) == (2, "testing")


def test_negative_numbers_are_in_twos_complement() -> None:
    # The guide: -2 takes ten bytes.
    (field,) = fields_of(b"\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01")

    assert field.as_int() == -2


def test_nodes_have_their_operation_inputs_and_attributes() -> None:
    attributes = {
        "axis": whole(3, -1),
        "epsilon": single(4, 0.5),
        "squeeze_dims": delimited(1, delimited(3, b"\x01\x02")),
    }
    graph = parse_graph(
        placeholder("x", (-1, 7)) + node("y", "Squeeze", ("x:0", "^x"), attributes), "head.pb"
    )

    y = graph.nodes["y"]
    assert list(graph.nodes) == ["x", "y"]
    assert graph.nodes["x"].attributes["shape"] == (-1, 7)
    assert (y.op, y.inputs) == ("Squeeze", ("x",))
    assert (y.integer("axis"), y.number("epsilon", 0.0), y.integers("squeeze_dims")) == (-1, 0.5, [1, 2])
    assert (y.integer("absent", 3), y.number("absent", 0.25), y.integers("absent")) == (3, 0.25, [])


def test_a_constant_is_read_from_bytes_from_values_and_from_one_value_for_all() -> None:
    table = np.arange(6, dtype=np.float32).reshape(2, 3)
    packed = (
        whole(1, FLOAT)
        + delimited(2, shape((2,)))
        + delimited(5, np.array([1.5, -2.0], dtype=np.float32).tobytes())
    )
    filled = whole(1, 3) + delimited(2, shape((2, 2))) + delimited(7, varint(-1))
    unpacked = whole(1, FLOAT) + delimited(2, shape((3,))) + single(5, 1.0) + single(5, 2.0)

    read = parse_graph(constant("c", table), "head.pb").nodes["c"].attributes["value"]

    assert isinstance(read, np.ndarray)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, table)
    np.testing.assert_array_equal(np.asarray(read_constant(packed)), [1.5, -2.0])
    np.testing.assert_array_equal(np.asarray(read_constant(filled)), [[-1, -1], [-1, -1]])
    # TensorProto: the last value given stands for all that follow.
    np.testing.assert_array_equal(np.asarray(read_constant(unpacked)), [1.0, 2.0, 2.0])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no nodes"),
        (b"not a graph at all", "head.pb"),
        (b"\x0a\xff\xff\xff\xff\x7f", "bytes long where 0 are left"),
        (b"\x0a" + b"\xff" * 11, "a number without end"),
        (b"\x0b", "unknown wire type 3"),
        (b"\x02\x00", "without a number"),
        (whole(1, 5), "field 1 has wire type 0, not 2"),
        (node("", "Const"), "without name or operation"),
        (delimited(1, delimited(1, b"\xff\xfe") + delimited(2, b"Const")), "not text"),
        (placeholder("x", (1,)) * 2, "two nodes are called 'x'"),
        (node("y", "Relu", ("x:1",)), "a second output"),
        (placeholder("x", (1,)) + delimited(2, delimited(1, b"f")), "a library of functions"),
        (one_constant(whole(1, 19)), "the number type 19"),
        (one_constant(whole(1, 1) + delimited(2, whole(3, 1))), "whose shape is open"),
        (one_constant(whole(1, 1) + delimited(2, shape((-1,)))), "whose shape is open"),
        (
            one_constant(whole(1, 1) + delimited(2, shape((2**40,))) + single(5, 0.0)),
            "larger than any of a head",
        ),
        (one_constant(whole(1, 1) + delimited(2, shape((2**21, 2**21))) + single(5, 0.0)), "larger than any"),
        (one_constant(whole(1, 1) + delimited(2, shape((3,))) + delimited(4, b"12345678")), "in 8 bytes"),
        (one_constant(whole(1, 1) + delimited(2, shape((2,)))), "from 0 values"),
        (one_constant(whole(1, 1) + delimited(2, shape((1,))) + single(5, 1.0) * 2), "from 2 values"),
        (
            one_constant(whole(1, 3) + delimited(2, shape((1,))) + whole(7, 2**40)),
            "do not fit its number type",
        ),
        (one_constant(whole(1, 1) + delimited(5, b"123")), "whole numbers"),
    ],
)
def test_what_is_no_frozen_graph_is_refused_by_name(content: bytes, said: str) -> None:
    assert said in f"head.pb {refusal(content)}"


def test_a_file_far_larger_than_a_head_is_not_looked_into() -> None:
    assert "more than a head has" in refusal(b"\x00" * (LARGEST_FILE + 1))


@given(st.binary(max_size=300))
def test_bytes_without_meaning_are_a_graph_or_one_refusal(content: bytes) -> None:
    with contextlib.suppress(ModelError):
        read_head(content, None, "head.pb")


@settings(max_examples=300)
@given(st.data())
def test_a_head_that_is_cut_short_or_changed_rates_or_is_refused(data: st.DataObject) -> None:
    content = bytearray(SMALL[: data.draw(st.integers(0, len(SMALL)), "length")])
    for place in data.draw(st.lists(st.integers(0, max(len(content) - 1, 0)), max_size=4), "places"):
        if content:
            content[place] = data.draw(st.integers(0, 255), "byte")

    with contextlib.suppress(ModelError):
        head = read_head(bytes(content), None, "head.pb")
        rated = head.rate(np.ones((2, head.width), dtype=np.float32))
        assert rated.shape == (2, 2)
        assert np.isfinite(rated).all()


@given(st.binary(max_size=60))
def test_fields_end_where_their_message_ends(message: bytes) -> None:
    with contextlib.suppress(WireError):
        assert sum(len(field.data) + 1 for field in fields_of(message)) <= len(message) + 1


def test_the_published_head_has_the_nodes_its_metadata_names(test_data: Path) -> None:
    file = test_data / "essentia_nc" / "emomusic-msd-musicnn-1.pb"

    graph = parse_graph(file.read_bytes(), file.name)

    assert graph.nodes["flatten_in_input"].attributes["shape"] == (-1, 1, 200)
    assert graph.nodes["dense_out"].op == "Add"
    epsilon = graph.nodes["onnx_tf_prefix_batch_normalization/add/y"].attributes["value"]
    assert float(np.asarray(epsilon)) == pytest.approx(1e-6)
