"""One of Essentia's valence-arousal heads, from its graph alone.

Two generations of graphs exist and are told apart by their nodes: the first was
converted from ONNX and takes ``flatten_in_input`` to ``dense_out`` (batch norm, then
linear), the second takes ``model/Placeholder`` to ``model/Identity``. Both answer on the
1-9 scale of the ratings they were fitted to, without a limit.
Source: the metadata files beside the graphs at https://essentia.upf.edu/models/.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.mer.essentia.evaluation import evaluate, needed_nodes
from analysis.mer.essentia.graph import Graph, Node, Shape, parse_graph
from study.errors import ModelError

GENERATIONS = {1: ("flatten_in_input", "dense_out"), 2: ("model/Placeholder", "model/Identity")}
"""Input and output node of each generation."""

_WIDEST = 65_536
AXES = ("valence", "arousal")
MIDDLE, HALF_SCALE = 5.0, 4.0
"""The 1-9 scale is mapped to [-1, 1] by (x - 5) / 4, as everywhere in isopath (SAM 9 is 1.0)."""


@dataclass(frozen=True)
class Head:
    """A head, ready to rate embeddings.

    Args:
        generation: 1 or 2.
        input, output: its nodes.
        width: numbers an embedding must have.
        order: which output is valence and which arousal.
        order_from: where that was read.
        nodes: what its output is computed from.
        where: its file, for messages.
    """

    generation: int
    input: str
    output: str
    width: int
    order: tuple[int, int]
    order_from: str
    nodes: tuple[Node, ...]
    where: str
    _open_shape: Shape

    def rate(self, embedding: NDArray[np.float32]) -> NDArray[np.float64]:
        """Valence and arousal on the 1-9 scale, as the head says them.

        Args:
            embedding: float32, shape [n_windows, width].

        Returns:
            Shape [n_windows, 2]. Nothing keeps them within 1 and 9.

        Raises:
            ModelError: the embedding has another width, or what comes out is no number.
        """
        if embedding.ndim != 2 or embedding.shape[1] != self.width:
            raise ModelError(
                self.where,
                f"it takes {self.width} numbers a window, not {list(embedding.shape)}",
                "use it with the backbone its name ends with",
            )
        fed = embedding.astype(np.float32).reshape((len(embedding), *self._open_shape))
        said = np.asarray(evaluate(self.nodes, {self.input: fed}, self.where), dtype=np.float64)
        return self.in_order(said)

    def in_order(self, said: NDArray[np.float64]) -> NDArray[np.float64]:
        """Valence, then arousal, of what the graph said, shape [n_windows, 2].

        Raises:
            ModelError: there are not two numbers a window.
        """
        if said.ndim != 2 or said.shape[1] != len(AXES) or not np.isfinite(said).all():
            raise ModelError(
                self.where,
                f"it answers with shape {list(said.shape)}, or with what is no number",
                "use a valence-arousal head; isopath models list names them",
            )
        return said[:, list(self.order)]


def read_head(content: bytes, metadata: str | None, where: str) -> Head:
    """A head from the bytes of its graph.

    Args:
        metadata: the text of the ``.json`` file beside it; None where there is none.
        where: the graph's file, for messages.

    Raises:
        ModelError: no graph, no head of either generation, or metadata that contradicts it.
    """
    graph = parse_graph(content, where)
    generation = _generation(graph, where)
    given, output = GENERATIONS[generation]
    nodes = needed_nodes(graph, output, where)
    if not any(node.name == given for node in nodes):
        raise ModelError(where, f"{output!r} does not depend on {given!r}", "fetch or copy the file again")
    open_shape = _open_shape(graph.nodes[given], graph, where)
    order, order_from = (
        ((0, 1), "documentation") if metadata is None else (_order(metadata, where), "metadata")
    )
    head = Head(
        generation, given, output, int(np.prod(open_shape)), order, order_from, nodes, where, open_shape
    )
    head.rate(np.zeros((2, head.width), dtype=np.float32))
    return head


def _generation(graph: Graph, where: str) -> int:
    for generation, names in GENERATIONS.items():
        if all(name in graph.nodes for name in names):
            return generation
    known = " or ".join(f"{given} → {output}" for given, output in GENERATIONS.values())
    raise ModelError(
        where,
        f"it has neither head's nodes ({known})",
        "use a valence-arousal head that isopath models lists",
    )


def _open_shape(placeholder: Node, graph: Graph, where: str) -> Shape:
    """What a window has the shape of: all of the placeholder's but the first, which is open.

    A placeholder that is open altogether takes rows as wide as the first matrix is high.
    """
    shape = placeholder.attributes.get("shape")
    if shape is None:
        heights = (_height(node, graph) for node in graph.nodes.values() if node.op == "MatMul")
        shape = (-1, next(heights, 0))
    if placeholder.op == "Placeholder" and isinstance(shape, tuple) and len(shape) >= 2:
        is_window = all(0 < size <= _WIDEST for size in shape[1:])
        if shape[0] == -1 and is_window:
            return shape[1:]
    raise ModelError(
        where, f"its input {placeholder.name!r} does not take windows of numbers", "fetch the file again"
    )


def _height(product: Node, graph: Graph) -> int:
    weights = graph.nodes.get(product.inputs[-1]) if product.inputs else None
    value = weights.attributes.get("value") if weights else None
    return len(value) if isinstance(value, np.ndarray) and value.ndim == 2 else 0


def _order(metadata: str, where: str) -> tuple[int, int]:
    try:
        facts: Any = json.loads(metadata)
        classes = facts["classes"]
        valence, arousal = (classes.index(axis) for axis in AXES)
        is_whole = len(classes) == len(AXES)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        is_whole = False
    if not is_whole:
        raise ModelError(
            where,
            "its metadata (.json) does not say which output is valence and which arousal",
            "fetch both files again, or take the metadata away: without it the order is valence, arousal",
        )
    return valence, arousal
