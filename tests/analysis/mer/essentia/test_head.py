"""Heads of both generations: told apart by their nodes, evaluated by hand-checked operations, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.mer.essentia.head import read_head
from study.errors import ModelError
from tests.analysis.mer.essentia.frozen_graphs import (
    METADATA,
    SecondGeneration,
    constant,
    delimited,
    kind,
    matrix_product,
    node,
    placeholder,
    shape,
    steady_head,
    whole,
)

TWO_ROWS = np.array([[1.0, 2.0, -3.0], [0.5, -1.0, 4.0]], dtype=np.float32)


def graph(*middle: bytes, last: str = "y") -> bytes:
    """A head on three numbers whose node `last` answers."""
    return b"".join(
        [
            placeholder("model/Placeholder", (-1, 3)),
            *middle,
            node("model/Identity", "Identity", (last,), kind()),
        ]
    )


def refusal(content: bytes, metadata: str | None = None) -> str:
    with pytest.raises(ModelError) as refused:
        read_head(content, metadata, "head.pb")
    assert refused.value.where == "head.pb"
    return refused.value.problem


def test_the_second_generation_is_dense_relu_dense() -> None:
    made = SecondGeneration()
    embedding = np.random.default_rng(2).normal(0.0, 3.0, (40, 200)).astype(np.float32)

    head = read_head(made.content(), METADATA, "head.pb")

    assert (head.generation, head.width, head.order_from) == (2, 200, "metadata")
    np.testing.assert_allclose(head.rate(embedding), made.rated(embedding), rtol=0.0, atol=1e-6)


def test_the_second_generation_has_the_published_size() -> None:
    # The server's listing: 82,460 bytes. The weights alone are 81,208.
    weights = 4 * (200 * 100 + 100 + 100 * 2 + 2)

    assert weights == 81_208
    assert abs(len(SecondGeneration().content()) - 82_460) < 500


def test_the_first_generation_is_batch_norm_then_linear(test_data: Path) -> None:
    file = test_data / "essentia_nc" / "emomusic-msd-musicnn-1.pb"
    embedding = np.random.default_rng(3).normal(0.0, 3.0, (25, 200)).astype(np.float32)

    head = read_head(file.read_bytes(), None, file.name)

    constants = {n.name: n.attributes["value"] for n in head.nodes if n.op == "Const"}
    scale, bias, mean, variance = (
        np.asarray(constants[key], np.float64) for key in ("scale", "bias", "mean", "var")
    )
    kernel = np.asarray(constants["dense_out/kernel_tf_0_cb059fca"], np.float64)
    offset = np.asarray(constants["dense_out/bias_tf_0_36efc7f2"], np.float64)
    by_hand = ((embedding - mean) / np.sqrt(variance + 1e-6) * scale + bias) @ kernel + offset
    assert (head.generation, head.width, head.order_from) == (1, 200, "documentation")
    np.testing.assert_allclose(head.rate(embedding), by_hand, rtol=0.0, atol=2e-5)


@pytest.mark.parametrize(
    ("classes", "order"), [(["valence", "arousal"], [0, 1]), (["arousal", "valence"], [1, 0])]
)
def test_which_output_is_valence_is_read_from_the_metadata(classes: list[str], order: list[int]) -> None:
    head = read_head(steady_head(7.0, 3.0), json.dumps({"classes": classes}), "head.pb")

    rated = head.rate(np.zeros((1, 200), dtype=np.float32))

    assert rated.tolist() == [[[7.0, 3.0][place] for place in order]]


@pytest.mark.parametrize(
    "metadata",
    [
        "",
        "[]",
        "null",
        "{",
        '{"classes": 5}',
        '{"classes": ["happy", "sad"]}',
        '{"classes": ["valence"]}',
        '{"classes": ["valence", "arousal", "dominance"]}',
        '{"classes": "valence arousal"}',
        "[" * 100_000,
    ],
)
def test_metadata_that_does_not_name_both_axes_is_refused(metadata: str) -> None:
    assert "which output is valence" in refusal(steady_head(5.0, 5.0), metadata)


def test_ratings_beyond_the_scale_are_left_as_they_are() -> None:
    rated = read_head(steady_head(9.5, 0.25), None, "head.pb").rate(np.zeros((2, 200), dtype=np.float32))

    assert rated.tolist() == [[9.5, 0.25]] * 2


@pytest.mark.parametrize(
    ("middle", "expected"),
    [
        (
            [constant("w", TWO_ROWS.T.copy()), matrix_product("y", "model/Placeholder", "w")],
            TWO_ROWS @ TWO_ROWS.T,
        ),
        (
            [
                constant("w", TWO_ROWS),
                node("y", "MatMul", ("model/Placeholder", "w"), {"transpose_b": whole(5, 1), **kind()}),
            ],
            TWO_ROWS @ TWO_ROWS.T,
        ),
    ],
)
def test_a_matrix_may_be_multiplied_turned_round(middle: list[bytes], expected: np.ndarray) -> None:
    head = read_head(graph(*middle), None, "head.pb")

    np.testing.assert_allclose(head.rate(TWO_ROWS), expected)


def test_fused_batch_norm_is_that_of_inference() -> None:
    # (x - mean) scale / sqrt(variance + epsilon) + offset, by hand: epsilon 1, variance 3.
    numbers = {"s": 4.0, "o": 10.0, "m": 1.0, "v": 3.0}
    frozen = {"epsilon": b"\x25\x00\x00\x80\x3f", "is_training": whole(5, 0), **kind()}
    middle = [
        *(constant(name, np.full(3, number, dtype=np.float32)) for name, number in numbers.items()),
        constant("four", np.array([-1, 1, 1, 3], dtype=np.int32)),
        constant("two", np.array([-1, 3], dtype=np.int32)),
        constant("w", np.eye(3, 2, dtype=np.float32)),
        node("image", "Reshape", ("model/Placeholder", "four"), kind()),
        node("norm", "FusedBatchNormV3", ("image", "s", "o", "m", "v"), frozen),
        node("flat", "Reshape", ("norm", "two"), kind()),
        matrix_product("y", "flat", "w"),
    ]

    head = read_head(graph(*middle), None, "head.pb")

    assert head.rate(TWO_ROWS).tolist() == [[10.0, 12.0], [9.0, 6.0]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            placeholder("x", (-1, 3)),
            "neither head's nodes (flatten_in_input → dense_out or model/Placeholder → ",
        ),
        (graph(last="nowhere"), "no node 'nowhere'"),
        (graph(node("y", "Relu", ("z",)), node("z", "Relu", ("y",))), "take each other in a ring"),
        (graph(node("y", "PartitionedCall", ("model/Placeholder",))), "the operation PartitionedCall"),
        (graph(node("y", "ReadFile", ("model/Placeholder",))), "the operation ReadFile"),
        (graph(constant("y", np.zeros((2, 2), np.float32))), "does not depend on 'model/Placeholder'"),
        (
            graph(placeholder("q", (-1, 3)), node("y", "Add", ("model/Placeholder", "q"), kind())),
            "second input, 'q'",
        ),
        (graph(node("y", "Relu", ("model/Placeholder",), kind())), "shape [2, 3]"),
        (graph(node("y", "Add", ("model/Placeholder",), kind())), "'y' (Add) cannot be done"),
        (
            graph(constant("w", np.zeros((9, 2), np.float32)), matrix_product("y", "model/Placeholder", "w")),
            "'y' (MatMul)",
        ),
        (
            graph(
                constant("w", np.full((3, 2), np.nan, np.float32)),
                matrix_product("y", "model/Placeholder", "w"),
            ),
            "what is no number",
        ),
        (steady_head(5.0, 5.0).replace(b"model/Placeholder", b"model/Placehalter"), "neither head's nodes"),
        (
            node("model/Placeholder", "Placeholder", (), {"shape": delimited(7, shape((4, 3)))})
            + node("model/Identity", "Identity", ("model/Placeholder",)),
            "does not take windows of numbers",
        ),
    ],
)
def test_what_is_no_head_is_refused_with_the_reason(content: bytes, said: str) -> None:
    assert said in refusal(content)


def test_a_graph_cannot_ask_for_more_memory_than_a_head_needs() -> None:
    tall, wide = np.ones((2**20, 1), np.float32), np.ones((1, 2**20), np.float32)
    middle = [
        constant("t", tall),
        constant("w", wide),
        node("p", "Mul", ("t", "w"), kind()),
        node("y", "Add", ("model/Placeholder", "p"), kind()),
    ]

    assert "larger than any of a head" in refusal(graph(*middle))


def test_a_head_refuses_the_embeddings_of_another_backbone() -> None:
    head = read_head(steady_head(5.0, 5.0, width=128), None, "vggish.pb")

    with pytest.raises(ModelError, match=r"takes 128 numbers a window, not \[4, 200\]"):
        head.rate(np.zeros((4, 200), dtype=np.float32))


def test_a_placeholder_open_altogether_takes_what_its_first_matrix_takes() -> None:
    made = steady_head(4.0, 6.0, width=128).replace(placeholder("model/Placeholder", (-1, 128)), b"")
    content = node("model/Placeholder", "Placeholder", (), {"shape": delimited(7, whole(3, 1))}) + made

    assert read_head(content, None, "head.pb").width == 128
